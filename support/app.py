"""All pages of the console: one line a module."""

import secrets
from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from store.errors import StoreError
from support import (
    account,
    account_events_page,
    audit_page,
    front,
    guard,
    health_page,
    message_page,
    pages,
    reports_page,
    search_page,
    sign_in,
    work_pages,
)
from support.house import House

_KEPT = "public, max-age=31536000, immutable"


class _Static(StaticFiles):
    """Files whose address changes when they do."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers.update({**pages.HEADERS, "Cache-Control": _KEPT})
        return answer


def routes(house: House) -> list[BaseRoute]:
    """Every page, each behind the guard."""
    return [
        *sign_in.routes(house),
        *account.routes(house),
        *audit_page.routes(house),
        *account_events_page.routes(house),
        *search_page.routes(house),
        *message_page.routes(house),
        *front.routes(house),
        *work_pages.routes(house),
        *health_page.routes(house),
        *reports_page.routes(house),
        Mount("/static", _Static(directory=pages.STATIC), name="static"),
    ]


def not_found(house: House) -> Mapping[int, Callable[[Request, Exception], Awaitable[Response]]]:
    """The page for addresses that are none; the APIs keep their plain answer."""

    async def answer(request: Request, problem: Exception) -> Response:
        if request.url.path.startswith(("/v1/", "/api/", "/static/")):
            return PlainTextResponse(problem.detail if isinstance(problem, HTTPException) else "", 404)
        request.state.correlation = secrets.token_hex(6)
        request.state.now = house.clock()
        try:
            viewer = await guard.viewer_of(house, request)
        except StoreError:
            viewer = None
        return pages.missing(request, viewer)

    return {404: answer}
