"""The console's app on port 8081: what the company may reach, each route behind a token or a sign-in."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from reports import api
from store.database import Database


def create(
    database: Database,
    *,
    health: Sequence[BaseRoute],
    more: Sequence[BaseRoute] = (),
    pages: Sequence[BaseRoute] = (),
) -> Starlette:
    """`more` lies under /api; `pages` are the demo's. Without them only the health routes need no token."""
    return Starlette(routes=[*health, api.create(database, more), *pages])
