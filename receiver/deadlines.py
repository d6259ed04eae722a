"""Cutting off requests that take too long, with one timer for all of them: two of their own for each
request cost the event loop more than the rest of the door."""

import asyncio
import time
from types import TracebackType

TICK = 0.05  # seconds between looks


class Deadlines:
    """Used on one event loop. `with deadlines.of(seconds):` raises TimeoutError inside when it is over."""

    def __init__(self) -> None:
        self._running: set[Deadline] = set()
        self._looking = False

    def of(self, seconds: float) -> "Deadline":
        return Deadline(self, time.monotonic() + seconds)

    def add(self, one: "Deadline") -> None:
        self._running.add(one)
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(TICK, self._look)

    def remove(self, one: "Deadline") -> None:
        self._running.discard(one)

    def _look(self) -> None:
        now = time.monotonic()
        for one in [one for one in self._running if one.ends_at <= now]:
            one.cut()
        self._looking = bool(self._running)
        if self._looking:
            asyncio.get_running_loop().call_later(TICK, self._look)


class Deadline:
    """Until when the current task may take; `extend` gives it a new time."""

    __slots__ = ("_all", "_cut", "_task", "ends_at")

    def __init__(self, every: Deadlines, ends_at: float) -> None:
        self._all = every
        self._task: asyncio.Task[object] | None = None
        self._cut = False
        self.ends_at = ends_at

    def extend(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds

    def cut(self) -> None:
        self._all.remove(self)
        self._cut = True
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> "Deadline":
        self._task = asyncio.current_task()
        self._all.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._all.remove(self)
        # As asyncio.timeout does: a cancellation that somebody else asked for stays one.
        ours = self._cut and self._task is not None and self._task.uncancel() == 0
        if ours and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from problem
