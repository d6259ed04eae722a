"""The door: Meta's handshake, and POSTs that are answered 200 once they are durable.

Order of work: admit, read the raw bytes, check the signature over them, keep, answer. Nothing is parsed
here, so that no body can make it fail. Meta wants exactly 200; whatever else it gets, it posts again.
Source: Meta, WhatsApp webhooks "overview" and "create webhook endpoint".
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from receiver.admission import Admission, Held, Overloaded, TooLarge
from receiver.deadlines import Deadlines
from receiver.endpoints import Directory, DirectoryAway, Endpoint, secret_label
from receiver.figures import DoorFigures
from receiver.keeper import Keeper, NotKept
from receiver.minutes import Minutes
from receiver.refusals import Refusals
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
        minutes: Minutes | None = None,
    ) -> None:
        self._directory = directory
        self._admission = admission
        self._keeper = keeper
        self._figures = figures
        self._clock = clock
        self._minutes = minutes
        self._deadlines = Deadlines()
        self._refusals = Refusals()

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
        visit = _Visit(time.monotonic())
        try:
            status = await self._receive(scope, receive, name, visit)
        except (Overloaded, NotKept, TimeoutError, DirectoryAway) as trouble:
            status, visit.reason = 503, _REASONS[type(trouble)]
        except TooLarge:
            status, visit.reason = 413, "too_large"
        except ClientDisconnect:
            status, visit.reason = 400, "client_gone"  # nobody is there to read it
        self._count(status, visit)
        await send(_ANSWERS[status])
        await send(_NO_BODY)

    def _count(self, status: int, visit: "_Visit") -> None:
        seconds = time.monotonic() - visit.started
        self._figures.answered(status, seconds)
        answer = f"{status} {visit.reason}" if visit.reason else str(status)
        if self._minutes is not None:
            self._minutes.answered(visit.endpoint, answer, seconds, visit.size)
        if status != 200:
            self._refusals.refused(visit.endpoint, answer, visit.size)

    async def _receive(self, scope: Scope, receive: Receive, name: str, visit: "_Visit") -> int:
        self._keeper.admit()
        endpoint = await self._directory.find(name)
        if endpoint is None:
            visit.reason = "no_such_endpoint"
            return 404
        visit.endpoint = name
        headers = dict(scope["headers"])
        limits = self._admission.limits
        with (
            self._admission.request(_announced(headers)) as held,
            self._deadlines.of(limits.read_seconds) as deadline,
        ):
            body = await _read(receive, held)
            visit.size = len(body)
            secret = self._check(endpoint, body, headers, visit)
            if secret is None:
                return 401
            deadline.extend(limits.keep_seconds)
            await self._keeper.keep(Incoming(body, self._clock(), endpoint.name, secret))
        return 200

    def _check(self, endpoint: Endpoint, body: bytes, headers: Headers, visit: "_Visit") -> str | None:
        """The label of the secret that matched. Why none did is told to the operator, not to the caller."""
        header = headers.get(b"x-hub-signature-256")
        said = None if header is None else header.decode("latin-1")
        index = matching_secret(endpoint.app_secrets, body, said)
        if index is not None:
            label = secret_label(index)
            self._figures.matched(label)
            return label
        if header is None:
            visit.reason = "only_sha1" if b"x-hub-signature" in headers else "header_missing"
        else:
            visit.reason = "no_secret_fits"  # another app's secret, or a body altered on the way
        self._figures.signature_failures.labels(visit.reason).inc()
        return None


@dataclass(slots=True)
class _Visit:
    """What is told of one POST, whatever becomes of it."""

    started: float  # monotonic
    endpoint: str = ""
    size: int = 0
    reason: str = ""


_REASONS = {
    Overloaded: "overloaded",
    NotKept: "not_kept",
    TimeoutError: "too_slow",
    DirectoryAway: "endpoint_unknown_now",
}


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
