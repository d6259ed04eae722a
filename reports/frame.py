"""What stands around every call of the API: its throttle, and the headers of every answer."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reports.throttle import COUNTED, THROTTLE, Throttle


class Framed:
    """ASGI middleware: hands the throttle in, puts `RateLimit` and `nosniff` on what comes out."""

    def __init__(self, app: ASGIApp, throttle: Throttle | None) -> None:
        self._app = app
        self._throttle = throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[THROTTLE] = self._throttle

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers.update(scope.get(COUNTED, {}))
            await send(message)

        await self._app(scope, receive, answer)
