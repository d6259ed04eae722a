"""The door: Meta's handshake, and POSTs that are answered 200 once they are durable.

Order of work: admit, read the raw bytes, check the signature over them, keep, answer. Nothing is parsed
here, so that no body can make it fail. Meta wants exactly 200; whatever else it gets, it posts again.
Source: Meta, WhatsApp webhooks "overview" and "create webhook endpoint".
"""

import asyncio
import time
from collections.abc import Callable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from receiver.admission import Admission, Held, Overloaded, TooLarge
from receiver.endpoints import Directory, DirectoryAway, Endpoint, secret_label
from receiver.figures import DoorFigures
from receiver.keeper import Keeper, NotKept
from store.webhooks import Incoming
from whatsapp.signature import matching_secret, tokens_match

CHALLENGE_LENGTH = 1000  # Meta's are about ten characters
RETRY_AFTER = "5"  # seconds

log = structlog.get_logger("receiver.door")


class Door:
    """The two handlers of one callback path each; `clock` gives Unix seconds."""

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

    async def handshake(self, request: Request) -> Response:
        """GET with hub.mode, hub.verify_token and hub.challenge: the challenge back, or 403."""
        try:
            endpoint = await self._directory.find(request.path_params.get("endpoint", ""))
        except DirectoryAway:
            return _ANSWERS[503]()
        if endpoint is None:
            return _ANSWERS[404]()
        query = request.query_params
        challenge = query.get("hub.challenge", "")
        known = tokens_match(endpoint.verify_tokens, query.get("hub.verify_token"))
        if not known or query.get("hub.mode") != "subscribe" or not 0 < len(challenge) <= CHALLENGE_LENGTH:
            log.info("handshake_refused", endpoint=endpoint.name, token_known=known)
            return PlainTextResponse("The verify token or hub.mode is not right.\n", 403)
        return PlainTextResponse(challenge)

    async def receive(self, request: Request) -> Response:
        """POST of a signed body."""
        started = time.monotonic()
        try:
            status = await self._receive(request)
        except (Overloaded, NotKept, TimeoutError, DirectoryAway):
            status = 503
        except TooLarge:
            status = 413
        except ClientDisconnect:
            status = 400  # nobody is there to read it
        self._figures.answers.labels(str(status)).inc()
        self._figures.answer_seconds.observe(time.monotonic() - started)
        return _ANSWERS[status]()

    async def _receive(self, request: Request) -> int:
        self._keeper.admit()
        endpoint = await self._directory.find(request.path_params.get("endpoint", ""))
        if endpoint is None:
            return 404
        with self._admission.request(_announced(request)) as held:
            async with asyncio.timeout(self._admission.limits.read_seconds):
                body = await _read(request, held)
            secret = self._check(endpoint, body, request.headers.get("x-hub-signature-256"), request)
            if secret is None:
                return 401
            incoming = Incoming(body, self._clock(), endpoint.name, secret)
            async with asyncio.timeout(self._admission.limits.keep_seconds):
                await self._keeper.keep(incoming)
        return 200

    def _check(self, endpoint: Endpoint, body: bytes, header: str | None, request: Request) -> str | None:
        """The label of the secret that matched. Why none did is told to the operator, not to the caller."""
        index = matching_secret(endpoint.app_secrets, body, header)
        if index is not None:
            label = secret_label(index)
            self._figures.secret_used.labels(label).inc()
            return label
        if header is None:
            reason = "only_sha1" if "x-hub-signature" in request.headers else "header_missing"
        else:
            reason = "no_secret_fits"
        self._figures.signature_failures.labels(reason).inc()
        return None


def _announced(request: Request) -> int:
    value = request.headers.get("content-length", "0")
    return int(value) if value.isdecimal() and len(value) < 16 else 0


async def _read(request: Request, held: Held) -> bytes:
    """The whole body, counted while it arrives; never a truncation."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        held.reserve(size)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


_CLOSE = {"connection": "close"}  # what is still unread of the body must not be taken for the next request
_ANSWERS: dict[int, Callable[[], Response]] = {
    200: lambda: Response(status_code=200),
    400: lambda: Response(status_code=400, headers=_CLOSE),
    401: lambda: Response(status_code=401),
    404: lambda: Response(status_code=404, headers=_CLOSE),
    413: lambda: Response(status_code=413, headers=_CLOSE),
    503: lambda: Response(status_code=503, headers={"retry-after": RETRY_AFTER, **_CLOSE}),
}
