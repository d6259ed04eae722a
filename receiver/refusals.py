"""One log line for each kind of refusal, at most every few seconds: enough to notice, not to drown in."""

import secrets
import time
from collections.abc import Callable

import structlog

QUIET = 10.0  # seconds between two lines about the same kind of refusal

log = structlog.get_logger("receiver.door")


class Refusals:
    """Used on the event loop only. The caller gets nothing of it; a correlation id stands in the log."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._told: dict[tuple[str, str], float] = {}
        self._untold: dict[tuple[str, str], int] = {}

    def refused(self, endpoint: str, answer: str, size: int) -> None:
        """`answer` is the status with its reason; `size` the bytes that were read."""
        kind, now = (endpoint, answer), self._monotonic()
        if now - self._told.get(kind, -QUIET) < QUIET:
            self._untold[kind] = self._untold.get(kind, 0) + 1
            return
        self._told[kind] = now
        log.warning(
            "webhook_refused",
            request_id=secrets.token_hex(4),
            endpoint=endpoint or "-",
            answer=answer,
            size=size,
            more_like_it=self._untold.pop(kind, 0),
        )
