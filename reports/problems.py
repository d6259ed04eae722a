"""Errors of the API as application/problem+json. Source: RFC 9457."""

from collections.abc import Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route

from store.errors import DatabaseAway, TooSlow

RETRY_AFTER = 5  # seconds

_DETAILS = {
    404: "Nothing lies at this address; compare it with the API's description.",
    405: "This address does not take this method; see the Allow header.",
}


class Problem(Exception):
    """An answer that is an error: `detail` says in a sentence what is wrong and what to do."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers or {}
        self.errors = errors or []


def response(problem: Problem) -> Response:
    body: dict[str, Any] = {"title": problem.title, "status": problem.status, "detail": problem.detail}
    if problem.errors:
        body["errors"] = problem.errors
    return JSONResponse(body, problem.status, problem.headers, "application/problem+json")


async def on_problem(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)
    return response(exc)


async def on_http(request: Request, exc: Exception) -> Response:
    """Starlette's own refusals: no such address, no such method."""
    assert isinstance(exc, HTTPException)
    detail = _DETAILS.get(exc.status_code, "The request cannot be answered.")
    headers = dict(exc.headers or {})
    if exc.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request, request.app.routes))
    return response(Problem(exc.status_code, exc.detail, detail, headers=headers))


def _methods(request: Request, routes: Iterable[BaseRoute]) -> list[str]:
    """What this address takes: Starlette tells the methods of the first of its routes alone."""
    here = [one for one in routes if isinstance(one, Route) and one.matches(request.scope)[0] != Match.NONE]
    return sorted({method for route in here for method in route.methods or ()})


async def on_away(_request: Request, _exc: Exception) -> Response:
    return response(
        Problem(
            503,
            "Database away",
            f"The database cannot be reached; ask again in {RETRY_AFTER} seconds.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    )


async def on_slow(_request: Request, _exc: Exception) -> Response:
    return response(
        Problem(
            503,
            "Too slow",
            "The database did not answer in time and was stopped; ask for fewer days or a smaller `limit`, or"
            f" again in {RETRY_AFTER} seconds.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    )


# Any other exception is a fault of ours: `reports.frame` answers and logs it.
HANDLERS = {
    Problem: on_problem,
    HTTPException: on_http,
    DatabaseAway: on_away,
    TooSlow: on_slow,
}
