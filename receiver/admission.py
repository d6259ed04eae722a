"""How much the door takes at once. What is over it gets 503 at once, and Meta posts it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from receiver.figures import DoorFigures


@dataclass(frozen=True, slots=True)
class Limits:
    body: int = 8 * 1024 * 1024  # bytes; Meta's largest is 3 MB, so more is not Meta
    held_bytes: int = 64 * 1024 * 1024
    held_requests: int = 1024
    queue_age: float = 2.0  # seconds that the oldest body may wait for its commit
    read_seconds: float = 30.0  # for a whole body
    keep_seconds: float = 4.0  # for a body to become durable; Meta's own patience is not published


class Overloaded(Exception):
    """The door is full, or the database is away."""


class TooLarge(Exception):
    """The body is over Limits.body."""


class Admission:
    """Counts what is held; used on the event loop only."""

    def __init__(self, limits: Limits, figures: DoorFigures) -> None:
        self.limits = limits
        self._figures = figures
        self._bytes = 0
        self._requests = 0

    @contextmanager
    def request(self, announced: int) -> Iterator["Held"]:
        """Room for one request whose Content-Length is `announced` (0 when it is not said)."""
        if announced > self.limits.body:
            raise TooLarge
        if self._requests >= self.limits.held_requests:
            raise Overloaded
        held = Held(self)
        self._requests += 1
        try:
            held.reserve(announced)
            yield held
        finally:
            self._requests -= 1
            self._bytes -= held.size
            self._show()

    def take(self, size: int) -> None:
        if self._bytes + size > self.limits.held_bytes:
            raise Overloaded
        self._bytes += size
        self._show()

    def _show(self) -> None:
        self._figures.held_bytes.set(self._bytes)
        self._figures.held_requests.set(self._requests)


class Held:
    """The bytes of one request that are counted already."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.size = 0

    def reserve(self, size: int) -> None:
        """Count up to `size` bytes in all; raises TooLarge or Overloaded."""
        if size > self._admission.limits.body:
            raise TooLarge
        if size > self.size:
            self._admission.take(size - self.size)
            self.size = size
