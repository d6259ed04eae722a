"""How much the door takes at once. What is over it gets 503 at once, and Meta posts it again."""

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
        self.bytes = 0
        self.requests = 0
        # Asked for when somebody looks, rather than told at every change.
        figures.held_bytes.set_function(lambda: self.bytes)
        figures.held_requests.set_function(lambda: self.requests)

    def request(self, announced: int) -> "Held":
        """Room for one request whose Content-Length is `announced` (0 when it is not said)."""
        if announced > self.limits.body:
            raise TooLarge
        if self.requests >= self.limits.held_requests:
            raise Overloaded
        held = Held(self)
        held.reserve(announced)
        self.requests += 1
        return held

    def take(self, size: int) -> None:
        if self.bytes + size > self.limits.held_bytes:
            raise Overloaded
        self.bytes += size


class Held:
    """The room of one request; given back at the end of its `with` block."""

    __slots__ = ("_admission", "size")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.size = 0  # bytes that are counted already

    def reserve(self, size: int) -> None:
        """Count up to `size` bytes in all; raises TooLarge or Overloaded."""
        if size > self._admission.limits.body:
            raise TooLarge
        if size > self.size:
            self._admission.take(size - self.size)
            self.size = size

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_: object) -> None:
        self._admission.requests -= 1
        self._admission.bytes -= self.size
