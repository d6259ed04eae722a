"""What stands around every call of the API: its throttle, the headers of every answer, faults of ours."""

import secrets

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reports.problems import Problem, response
from reports.throttle import COUNTED, THROTTLE, Throttle

_ALWAYS = {
    "Cache-Control": "no-store",  # answers hold phone numbers
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger("reports")


class Framed:
    """ASGI middleware: hands the throttle in, puts the headers of every answer on what comes out.

    A fault is logged by its kind and place alone: an exception's text may hold what somebody wrote.
    """

    def __init__(self, app: ASGIApp, throttle: Throttle | None) -> None:
        self._app = app
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[THROTTLE] = self._throttle
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers.update(_ALWAYS)
                headers.update(scope.get(COUNTED, {}))
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as problem:
            correlation = secrets.token_hex(6)
            log.error(
                "call_failed", correlation=correlation, error=type(problem).__name__, place=_place(problem)
            )
            if not begun:
                await response(_fault(correlation))(scope, receive, answer)


def _fault(correlation: str) -> Problem:
    return Problem(
        500,
        "Internal error",
        f"The fault is ours and is in the log as {correlation}; ask again later.",
        headers={"X-Request-Id": correlation},
    )


def _place(problem: Exception) -> str:
    """Where it broke: file and line, never a value."""
    step = problem.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}" if step else ""
