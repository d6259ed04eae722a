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
    """The page for addresses that are none, or not for this method; the APIs keep their plain answer."""

    async def answer(request: Request, problem: Exception) -> Response:
        if request.url.path.startswith(("/v1/", "/api/", "/static/")):
            return _plain(request, problem)
        request.state.correlation = secrets.token_hex(6)
        request.state.now = house.clock()
        try:
            viewer = await guard.viewer_of(house, request)
        except StoreError:
            viewer = None
        return pages.missing(request, viewer)

    async def wrong_method(request: Request, problem: Exception) -> Response:
        if request.url.path.startswith(("/v1/", "/api/", "/static/")):
            return _plain(request, problem)
        request.state.correlation = secrets.token_hex(6)
        request.state.now = house.clock()
        sentence = "This address is not opened in this way. Open it from the front page."
        answer = pages.refused(request, None, 405, "Not in this way", sentence)
        answer.headers.update(getattr(problem, "headers", None) or {})
        return answer

    return {404: answer, 405: wrong_method}


def _plain(request: Request, problem: Exception) -> Response:
    """An API's answer, or that of a file that is none."""
    if not isinstance(problem, HTTPException):
        return PlainTextResponse("", 404)
    headers = pages.HEADERS if request.url.path.startswith("/static/") else {}
    return PlainTextResponse(problem.detail, problem.status_code, {**(problem.headers or {}), **headers})
