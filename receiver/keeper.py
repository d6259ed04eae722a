"""Group commit: concurrent webhooks share one transaction, and each is answered only after its COMMIT.

One thread commits. An idle keeper commits at once; while it is busy everything that arrives forms the next
group. A group that fails is tried again when that can help, and otherwise split, so that only the body that
cannot be stored is refused. A waiter that goes away harms nobody.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from receiver.admission import Overloaded
from receiver.figures import DoorFigures
from store.database import Database, is_transient
from store.errors import DatabaseAway
from store.webhooks import Incoming, keep

GROUP_REQUESTS = 512
GROUP_BYTES = 16 * 1024 * 1024
PROBE_SECONDS = 1.0  # how often a database that is away is asked again
AGAIN_SECONDS = (0.0, 0.01, 0.05, 0.2)  # pauses before a failed group is written again

log = structlog.get_logger("receiver.keeper")


class NotKept(Exception):
    """This body could not be made durable; Meta will post it again."""


@dataclass(slots=True)
class _Waiting:
    incoming: Incoming
    future: asyncio.Future[None]
    since: float  # monotonic


class Keeper:
    """`keep` returns once the body is durable. Start and stop belong to the app's lifespan."""

    def __init__(
        self,
        database: Database,
        figures: DoorFigures,
        *,
        queue_age: float,
        kept: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._figures = figures
        self._queue_age = queue_age
        self._kept = kept  # wakes the processor
        self._arrived: list[_Waiting] = []  # on the event loop, in this turn of it
        self._waiting: deque[_Waiting] = deque()  # for the committing thread
        self._awake = threading.Event()
        self._stopping = False
        self._away_until = 0.0
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Commit what waits, then end."""
        self._hand_over()
        self._stopping = True  # after the hand-over: a committing thread that sees it sees all that waits
        self._awake.set()
        await asyncio.to_thread(self._thread.join)

    def admit(self) -> None:
        """Raises Overloaded while the database is away or the queue is too old to be worth joining."""
        now = time.monotonic()
        if now < self._away_until:
            raise Overloaded
        try:
            oldest = self._waiting[0].since
        except IndexError:  # empty, or emptied by the committing thread just now
            return
        if now - oldest > self._queue_age:
            raise Overloaded

    async def keep(self, incoming: Incoming) -> None:
        """Raises NotKept when the body could not be stored."""
        if self._stopping or self._loop is None:
            raise NotKept
        future: asyncio.Future[None] = self._loop.create_future()
        self._arrived.append(_Waiting(incoming, future, time.monotonic()))
        if len(self._arrived) == 1:
            self._loop.call_soon(self._hand_over)  # once for all that this turn of the loop brings
        await future

    def _hand_over(self) -> None:
        self._waiting.extend(self._arrived)
        self._arrived.clear()
        self._awake.set()

    def _run(self) -> None:
        while True:
            group = self._next_group()
            if group:
                failed = self._commit(group)
                self._answer(group, failed)
                self._kept()
            elif self._stopping and not self._waiting:
                return
            else:
                # Cleared before the last look, so that what comes after that look sets it again.
                self._awake.clear()
                if not self._waiting and not self._stopping:
                    self._awake.wait()

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._waiting and len(group) < GROUP_REQUESTS:
            size += len(self._waiting[0].incoming.body)
            if group and size > GROUP_BYTES:
                break
            group.append(self._waiting.popleft())
        return group

    def _commit(self, group: list[_Waiting]) -> set[int]:
        """The places in `group` that could not be stored."""
        try:
            self._write_again([one.incoming for one in group])
            self._away_until = 0.0
            return set()
        except DatabaseAway:
            self._figures.commit_failures.labels("away").inc()
            self._away_until = time.monotonic() + PROBE_SECONDS
            log.warning("database_away", refused=len(group))
            return set(range(len(group)))
        except Exception as problem:
            self._figures.commit_failures.labels("split").inc()
            log.error("group_failed", error=type(problem).__name__, size=len(group))
            if len(group) == 1:
                return {0}
        return {place for place, one in enumerate(group) if self._commit([one])}

    def _write_again(self, incoming: list[Incoming]) -> None:
        """Write the group; again when that may help. A COMMIT whose outcome is unknown is written again, too:
        a second copy of a webhook is harmless, a lost one is not."""
        for number, pause in enumerate(AGAIN_SECONDS):
            time.sleep(pause)
            try:
                self._write(incoming)
                return
            except Exception as problem:
                last = number == len(AGAIN_SECONDS) - 1
                if last or not (is_transient(problem) or isinstance(problem, DatabaseAway)):
                    raise
                self._figures.commit_failures.labels("again").inc()

    def _write(self, incoming: list[Incoming]) -> None:
        started = time.monotonic()
        with self._database.write(urgent=True) as tx:
            keep(tx, incoming)
        self._figures.commit_seconds.observe(time.monotonic() - started)
        self._figures.group_size.observe(len(incoming))

    def _answer(self, group: list[_Waiting], failed: set[int]) -> None:
        def resolve() -> None:
            for place, one in enumerate(group):
                if one.future.done():  # its client went away
                    continue
                if place in failed:
                    one.future.set_exception(NotKept())
                else:
                    one.future.set_result(None)

        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(resolve)
