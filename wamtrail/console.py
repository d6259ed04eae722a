"""The console's app on port 8081: what the company may reach, each route behind a token or a sign-in."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from reports import api
from reports.throttle import Throttle
from sender import compatible, queue_api
from sender.desk import Desk
from store.database import Database


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls a minute for each token, that ask and that queue a message; 0 is no limit."""

    read: int = 0
    send: int = 0


UNLIMITED = Rates()


def create(
    database: Database,
    desk: Desk,
    *,
    health: Sequence[BaseRoute],
    more: Sequence[BaseRoute] = (),
    pages: Sequence[BaseRoute] = (),
    handlers: Mapping[Any, Any] = MappingProxyType({}),
    rates: Rates = UNLIMITED,
    ticks: Callable[[], float] = time.monotonic,
) -> Starlette:
    """`more` lies under /api; `pages` are for people, and `handlers` answers for addresses that are none.

    `desk` sends for the compatible API and for POST /api/v1/messages; it is open while the app runs.
    `rates`: how many calls a minute each token may make under /api, counted here by `ticks`.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with desk.opened():
            yield

    sending = queue_api.routes(desk, Throttle(rates.send, ticks).count)
    mounted = api.create(database, [*sending, *more], throttle=Throttle(rates.read, ticks))
    # Pages first: the API's readable description is a page that lies under /api.
    routes = [*health, *compatible.routes(desk), *pages, mounted]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
