"""The door: Meta's handshake, and POSTs that are answered 200 once they are durable.

Order of work: admit, read the raw bytes, check the signature over them, keep, answer. Nothing is parsed
here, so that no body can make it fail. Meta wants exactly 200; whatever else it gets, it posts again.
Source: Meta, WhatsApp webhooks "overview" and "create webhook endpoint".
"""

import time
from collections.abc import Callable, Mapping

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from receiver.admission import Admission, Held, Overloaded, TooLarge
from receiver.deadlines import Deadlines
from receiver.endpoints import Directory, DirectoryAway, Endpoint, secret_label
from receiver.figures import DoorFigures
from receiver.keeper import Keeper, NotKept
from store.webhooks import Incoming
from whatsapp.signature import matching_secret, tokens_match

CHALLENGE_LENGTH = 1000  # Meta's are about ten characters
RETRY_AFTER = "5"  # seconds

log = structlog.get_logger("receiver.door")
Headers = Mapping[bytes, bytes]


class Door:
    """The two handlers of a callback path; `clock` gives Unix seconds."""

    def __init__(
        self,
        directory: Directory,
        admission: Admission,
        keeper: Keeper,
        figures: DoorFigures,
        clock: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._admission = admission
        self._keeper = keeper
        self._figures = figures
        self._clock = clock
        self._deadlines = Deadlines()

    async def handshake(self, request: Request) -> Response:
        """GET with hub.mode, hub.verify_token and hub.challenge: the challenge back, or 403."""
        try:
            endpoint = await self._directory.find(request.path_params.get("endpoint", ""))
        except DirectoryAway:
            return Response(status_code=503, headers={"retry-after": RETRY_AFTER})
        if endpoint is None:
            return Response(status_code=404)
        query = request.query_params
        challenge = query.get("hub.challenge", "")
        known = tokens_match(endpoint.verify_tokens, query.get("hub.verify_token"))
        if not known or query.get("hub.mode") != "subscribe" or not 0 < len(challenge) <= CHALLENGE_LENGTH:
            log.info("handshake_refused", endpoint=endpoint.name, token_known=known)
            return PlainTextResponse("The verify token or hub.mode is not right.\n", 403)
        return PlainTextResponse(challenge)

    async def receive(self, scope: Scope, receive: Receive, send: Send, name: str) -> None:
        """POST of a signed body to the endpoint `name`: plain ASGI, for Starlette's request and response
        cost as much as keeping the body does."""
        started = time.monotonic()
        try:
            status = await self._receive(scope, receive, name)
        except (Overloaded, NotKept, TimeoutError, DirectoryAway):
            status = 503
        except TooLarge:
            status = 413
        except ClientDisconnect:
            status = 400  # nobody is there to read it
        self._figures.answered(status, time.monotonic() - started)
        await send(_ANSWERS[status])
        await send(_NO_BODY)

    async def _receive(self, scope: Scope, receive: Receive, name: str) -> int:
        self._keeper.admit()
        endpoint = await self._directory.find(name)
        if endpoint is None:
            return 404
        headers = dict(scope["headers"])
        limits = self._admission.limits
        with (
            self._admission.request(_announced(headers)) as held,
            self._deadlines.of(limits.read_seconds) as deadline,
        ):
            body = await _read(receive, held)
            secret = self._check(endpoint, body, headers)
            if secret is None:
                return 401
            deadline.extend(limits.keep_seconds)
            await self._keeper.keep(Incoming(body, self._clock(), endpoint.name, secret))
        return 200

    def _check(self, endpoint: Endpoint, body: bytes, headers: Headers) -> str | None:
        """The label of the secret that matched. Why none did is told to the operator, not to the caller."""
        header = headers.get(b"x-hub-signature-256")
        said = None if header is None else header.decode("latin-1")
        index = matching_secret(endpoint.app_secrets, body, said)
        if index is not None:
            label = secret_label(index)
            self._figures.matched(label)
            return label
        if header is None:
            reason = "only_sha1" if b"x-hub-signature" in headers else "header_missing"
        else:
            reason = "no_secret_fits"
        self._figures.signature_failures.labels(reason).inc()
        return None


def _announced(headers: Headers) -> int:
    value = headers.get(b"content-length", b"0")
    return int(value) if value.isdigit() and len(value) < 16 else 0


async def _read(receive: Receive, held: Held) -> bytes:
    """The whole body, counted while it arrives; never a truncation."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        held.reserve(size)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _answer(status: int, **headers: str) -> Message:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-length", b"0"), *given],
    }


_NO_BODY: Message = {"type": "http.response.body", "body": b""}
_ANSWERS: dict[int, Message] = {
    200: _answer(200),
    400: _answer(400, connection="close"),  # what is unread of the body must not be taken for a request
    401: _answer(401),
    404: _answer(404, connection="close"),
    413: _answer(413, connection="close"),
    503: _answer(503, connection="close", retry_after=RETRY_AFTER),
}
