"""The console's app on port 8081: what the company may reach, each route behind a token or a sign-in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from reports import api
from sender import compatible, queue_api
from sender.desk import Desk
from store.database import Database


def create(
    database: Database,
    desk: Desk,
    *,
    health: Sequence[BaseRoute],
    more: Sequence[BaseRoute] = (),
    pages: Sequence[BaseRoute] = (),
    handlers: Mapping[Any, Any] = MappingProxyType({}),
) -> Starlette:
    """`more` lies under /api; `pages` are for people, and `handlers` answers for addresses that are none.

    `desk` sends for the compatible API and for POST /api/v1/messages; it is open while the app runs.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with desk.opened():
            yield

    mounted = api.create(database, [*queue_api.routes(desk), *more])
    routes = [*health, *compatible.routes(desk), mounted, *pages]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
