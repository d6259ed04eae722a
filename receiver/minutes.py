"""Counting by the minute in memory, written down now and then; a crash costs some seconds of counts."""

import asyncio
import contextlib
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable

import structlog

from store import minutes
from store.database import Database
from store.errors import StoreError
from store.minutes import BOUNDS, Seen

EVERY = 10.0  # seconds between writes
KEPT = 3  # minutes that are written again, since late counts may belong to them

log = structlog.get_logger("receiver.minutes")


class Minutes:
    """One process's counts. `process` tells its rows from those of other processes and earlier runs."""

    def __init__(self, database: Database, clock: Callable[[], float], process: str) -> None:
        self._database = database
        self._clock = clock
        self._process = process
        self._lock = threading.Lock()  # the processor counts in a thread of its own
        self._seen: dict[tuple[int, str, str], Seen] = {}
        self._dirty: set[tuple[int, str, str]] = set()

    def answered(self, endpoint: str, answer: str, seconds: float, size: int) -> None:
        """The door answered a POST: `answer` is the status, with a reason when it was refused."""
        with self._lock:
            one = self._one(endpoint, "")
            one.webhooks += 1
            one.bytes += size
            one.answers[answer] = one.answers.get(answer, 0) + 1
            one.buckets[bisect_left(BOUNDS, seconds)] += 1
            if answer == "200":
                one.last_good_at = self._clock()

    def heard_of(self, endpoint: str, numbers: Iterable[str], received_at: float) -> None:
        """The processor understood a webhook that speaks of these numbers."""
        with self._lock:
            for number in numbers:
                one = self._one(endpoint, number)
                one.webhooks += 1
                one.last_good_at = max(one.last_good_at or 0.0, received_at)

    async def run(self, stopping: asyncio.Event) -> None:
        """Write every few seconds, and once more at the end."""
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), EVERY)
            await asyncio.to_thread(self.write)

    def write(self) -> None:
        with self._lock:
            oldest = int(self._clock() // 60) - KEPT
            changed = [self._seen[key] for key in self._dirty]
            self._dirty.clear()
            self._seen = {key: one for key, one in self._seen.items() if key[0] >= oldest}
        if not changed:
            return
        try:
            with self._database.write() as tx:
                minutes.write(tx, self._process, changed)
        except StoreError as problem:
            log.warning("minutes_not_written", sentence=str(problem))

    def _one(self, endpoint: str, number: str) -> Seen:
        key = (int(self._clock() // 60), endpoint, number)
        self._dirty.add(key)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = Seen(*key)
        return found
