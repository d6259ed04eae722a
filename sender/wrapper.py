"""The client of Kaleyra's wrapper: bytes out, bytes back. The only module that knows the HTTP library.

`post` never raises for what the network does. It tells "nothing left" from "something may have left" by
what the transport says it did, not by the name of the exception: only before the first byte of the
request is a repeat harmless.
"""

import asyncio
import importlib.util
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import httpx

from sender.reply import Reply
from sender.wrapper_url import messages_url

__all__ = ["Moment", "Reply", "SlotMissed", "Wrapper", "WrapperConfig"]

LONGEST_BODY = 1_000_000  # bytes; an answer has some hundred, so this only stops a runaway
_CONNECT_AT_MOST = 5.0
# Kaleyra's servers close idle connections; leaving first keeps most sends off a connection that is going.
_KEEPALIVE = 4.0

if importlib.util.find_spec("sniffio") is None:
    # httpcore looks for it several times in every request; a module that is not there is searched for on the
    # disk each time, a third of a request's CPU. This entry is Python's way to say that it does not exist.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class WrapperConfig:
    """Where and as whom to send. `timeout` is for the whole exchange, seconds.

    More than about eight requests at once make one connection pool slow, so several share the load.
    """

    url: str
    sid: str
    api_key: str = field(repr=False)
    timeout: float = 10.0
    concurrency: int = 64  # requests on the wire at once; more of them wait
    per_client: int = 8

    def __post_init__(self) -> None:
        if self.timeout <= 0 or self.concurrency < 1 or self.per_client < 1:
            raise ValueError("The wrapper's timeout, concurrency and per_client must be greater than 0.")
        if not re.fullmatch(r"[!-~]+", self.api_key):
            raise ValueError("The wrapper's API key must be plain ASCII without spaces; copy it again.")
        try:
            httpx.URL(messages_url(self.url, self.sid, "0"))
        except httpx.InvalidURL:
            raise ValueError(
                "The wrapper's URL is not a valid address; correct WAMTRAIL_WRAPPER_URL."
            ) from None

    @property
    def pools(self) -> int:
        return -(-self.concurrency // self.per_client)


class SlotMissed(Exception):
    """The moment until which the request had to leave passed before its first byte: nothing left."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a request has to leave, of `time.monotonic`. `left_late` is called when a connection had to be
    opened for it and it left later; over an open connection it does not leave later, see SlotMissed."""

    leave_by: float
    left_late: Callable[[], None]


@dataclass(slots=True)
class _Exchange:
    """How far one request came; the transport reports into it."""

    moment: Moment | None = None
    opened: bool = False  # a connection had to be opened for it
    left: bool = False  # the first byte of the request may be on the wire
    http_status: int | None = None
    retry_after: str | None = None
    body: bytearray = field(default_factory=bytearray)

    async def trace(self, event: str, _info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self._in_time()
            self.left = True
        elif event.endswith("connect_tcp.started"):
            self.opened = True

    def _in_time(self) -> None:
        """A miss closes the connection, so one that was just opened is used all the same: otherwise a
        wrapper that is far away would never be sent anything. But it is told."""
        if self.moment is None or time.monotonic() <= self.moment.leave_by:
            return
        if not self.opened:
            raise SlotMissed
        self.moment.left_late()

    def failed(self, error: BaseException) -> Reply:
        name = type(error).__name__
        if not self.left:
            return Reply("unreachable", error_class=name)
        # Also when a kept connection turned out to be closed by the other side: that the request was not
        # taken is likely then, but not proven. A gateway that cut us off may have passed it on.
        return Reply("no_answer", self.http_status, bytes(self.body), self.retry_after, name)


class Wrapper:
    """Pools of connections behind one bounded door. Make it once, use it from one event loop, `aclose` it.

    httpx's transports without its client on top: of what the client adds (cookies, redirects, sign-in) a
    send needs nothing, and it is a third of the cost.
    """

    def __init__(self, config: WrapperConfig) -> None:
        self._config = config
        self._room = asyncio.Semaphore(config.concurrency)
        self._pools = _make_pools(config)
        self._closed = False
        self._busy = [0] * config.pools
        self._headers = _headers(config)
        self._waits = httpx.Timeout(config.timeout, connect=min(config.timeout, _CONNECT_AT_MOST)).as_dict()

    @property
    def timeout(self) -> float:
        """Seconds that one exchange may take."""
        return self._config.timeout

    @property
    def capacity(self) -> int:
        """How many requests may be on the wire at once; more of them wait here."""
        return self._config.concurrency

    def __repr__(self) -> str:
        return f"Wrapper({self._config!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. Requests under way end as no_answer, so await them first."""
        self._closed = True
        for pool in self._pools:
            await pool.aclose()

    async def post(self, phone_number_id: str, body: bytes, *, moment: Moment | None = None) -> Reply:
        """Send one payload. A cancelled call raises CancelledError, and its outcome is then unknown.

        Raises SlotMissed when the moment passed before the first byte left.
        """
        exchange = _Exchange(moment)
        try:
            url = _address(self._config.url, self._config.sid, phone_number_id)
            async with asyncio.timeout(self._config.timeout), self._room:
                await self._exchange(url, body, exchange)
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            httpx.StreamError,
            OSError,
            RuntimeError,
            ValueError,
        ) as error:
            # TimeoutError is an OSError; RuntimeError is a wrapper that was closed; the text of an error
            # may carry the address, so only its name goes on.
            return exchange.failed(error)
        return Reply("answered", exchange.http_status, bytes(exchange.body), exchange.retry_after)

    async def _exchange(self, url: httpx.URL, body: bytes, exchange: _Exchange) -> None:
        if self._closed:
            raise RuntimeError("This wrapper is closed.")
        index = self._busy.index(min(self._busy))
        self._busy[index] += 1
        try:
            extensions = {"trace": exchange.trace, "timeout": self._waits}
            request = httpx.Request("POST", url, headers=self._headers, content=body, extensions=extensions)
            response = await self._pools[index].handle_async_request(request)
            try:
                exchange.http_status = response.status_code
                exchange.retry_after = response.headers.get("retry-after")
                async for chunk in response.aiter_bytes():
                    exchange.body += chunk[: LONGEST_BODY - len(exchange.body)]
                    if len(exchange.body) >= LONGEST_BODY:
                        break
            finally:
                await response.aclose()
        finally:
            self._busy[index] -= 1


@lru_cache(maxsize=1_000)
def _address(url: str, sid: str, phone_number_id: str) -> httpx.URL:
    return httpx.URL(messages_url(url, sid, phone_number_id))


def _headers(config: WrapperConfig) -> dict[str, str]:
    return {
        "api-key": config.api_key,
        "Content-Type": "application/json",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "User-Agent": "wamtrail",
    }


def _make_pools(config: WrapperConfig) -> list[httpx.AsyncHTTPTransport]:
    # One TLS context for all: making it is most of a pool's cost. trust_env off, or a stray proxy setting
    # of the machine would put a stranger between us and the wrapper.
    tls = httpx.create_ssl_context(trust_env=False)
    limits = httpx.Limits(
        max_connections=config.per_client,
        max_keepalive_connections=config.per_client,
        keepalive_expiry=_KEEPALIVE,
    )
    return [httpx.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False) for _ in range(config.pools)]
