"""The API's description: what each room tells of its calls, put together, and who may read it."""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import metadata
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from reports import openapi, openapi_api
from reports.access import has_token
from reports.calls import MESSAGES
from sender import queue_docs
from store.database import Database
from support import api_docs, guard
from support.house import House

Document = dict[str, Any]


def document(read: int = 0, send: int = 0) -> Document:
    """`read`, `send`: the rates that it tells."""
    return openapi.document(metadata.version("wamtrail"), rates=(read, send), more=queue_docs.paths(MESSAGES))


def routes(house: House, read: int, send: int) -> tuple[list[BaseRoute], list[BaseRoute]]:
    """The description under /api, and its page. It is made when it is first asked for."""
    made = cache(lambda: document(read, send))
    return (
        openapi_api.routes(house.database, made, _signed_in(house)),
        api_docs.routes(house, made, _with_token(house.database)),
    )


def _signed_in(house: House) -> Callable[[Request], Awaitable[bool]]:
    async def signed_in(request: Request) -> bool:
        return await guard.viewer_of(house, request) is not None

    return signed_in


def _with_token(database: Database) -> Callable[[Request], Awaitable[bool]]:
    async def with_token(request: Request) -> bool:
        return await has_token(database, request)

    return with_token
