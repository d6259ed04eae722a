"""From kept webhooks to rows: claim a run, understand it, apply it, all in one transaction.

Any number of processors may run on one PostgreSQL. What breaks a run is tried alone, and goes to quarantine
when it breaks alone as well; after an unclean stop the oldest of the backlog are tried alone at first,
because one of them may be what killed the process.
"""

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from receiver.figures import ProcessorFigures
from receiver.minutes import Minutes
from receiver.payload import parse
from store import backlog, marks
from store.apply import Applied, Understood, apply
from store.backlog import Marker
from store.database import Database, ReadTx, WriteTx, is_transient
from store.errors import DatabaseAway
from store.records import Parsed, QuarantinedPart
from store.retention_ages import MessageAge
from store.webhooks import Kept, load

LOOK_LEAST = 64

log = structlog.get_logger("receiver.processor")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one run may hold, and how the idle processor waits."""

    most: int = 1000  # webhooks
    most_bytes: int = 4 * 1024 * 1024
    collect: float = 0.05  # seconds after a run that took all there was: few large runs cost less than many
    between: float = 0.0  # seconds after a full run, for whoever else waits to write
    idle_first: float = 0.005  # seconds; doubled while there is nothing to do
    idle_longest: float = 0.2
    whole_scan: float = 1.0  # seconds between looks at the whole backlog, not only above the low-water mark
    tries: int = 2  # times that a body may kill the process alone
    careful: int = 2  # runs' worth of webhooks that are tried alone after an unclean stop


SQLITE_BOUNDS = Bounds(
    most=500,
    most_bytes=384 * 1024,  # about 10 ms of the one writer
    between=0.006,  # longer than the pauses in which another process asks for its turn (store/engines.py)
)


class Processor:
    """`run` until stopped; `wake` when something was kept in this process."""

    def __init__(
        self,
        database: Database,
        figures: ProcessorFigures,
        clock: Callable[[], float],
        *,
        bounds: Bounds | None = None,
        keep_content: bool = False,
        age: MessageAge | None = None,
        minutes: Minutes | None = None,
    ) -> None:
        """`age`: of message rows; None is forever."""
        self._database = database
        self._figures = figures
        self._clock = clock
        self._bounds = bounds or (SQLITE_BOUNDS if database.sqlite else Bounds())
        self._keep_content = keep_content
        self._age = age
        self._minutes = minutes
        self._after = 0  # low-water mark while there is more to do, else 0
        self._look = LOOK_LEAST  # markers to lock at once: not many more than the bytes of a run allow
        self._scanned_at = 0.0
        self._awake = threading.Event()
        self._stopping = threading.Event()

    def wake(self) -> None:
        self._awake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._awake.set()

    def run(self) -> None:
        """Process until `stop`; a database that is away is waited for."""
        mark: marks.Mark | None = None
        pause = self._bounds.idle_first
        while not self._stopping.is_set():
            try:
                if mark is None:
                    mark = marks.begin(self._database, self._clock())
                    if mark.unclean:
                        self._carefully()
                busy = self.process() > 0
            except DatabaseAway as problem:
                self._figures.failures.labels("away").inc()
                log.warning("database_away", sentence=str(problem))
                busy, pause = False, 1.0
            except Exception as problem:  # a fault of ours must not take the door down with it
                self._figures.failures.labels("fault").inc()
                log.error("processor_fault", error=type(problem).__name__)
                busy, pause = False, 1.0
            if busy:
                pause = self._bounds.idle_first
                self._stopping.wait(self._bounds.between if self._after else self._bounds.collect)
            elif self._awake.wait(pause):
                self._awake.clear()
            else:
                pause = min(pause * 2, self._bounds.idle_longest)
        if mark is not None:
            with contextlib.suppress(DatabaseAway):  # the next start finds the mark and is careful, no more
                mark.end()

    def process(self) -> int:
        """One run; how many webhooks it took off the backlog."""
        try:
            return self._process(self._bounds.most)
        except DatabaseAway:
            raise
        except Exception as problem:
            kind = "again" if is_transient(problem) else "poison"
            self._figures.failures.labels(kind).inc()
            log.error("run_failed", kind=kind, error=type(problem).__name__)
            if kind == "again":
                return self.process()
            return self._one_by_one(self._bounds.most)

    def drain(self) -> int:
        """Process until nothing is left; how many webhooks that were."""
        total = 0
        while done := self.process():
            total += done
        return total

    def _process(self, most: int) -> int:
        started = time.monotonic()
        after, look = self._low_water(started), min(most, self._look)
        markers, applied = self._take(after, look)
        if applied is not None:
            self._count(applied, started, markers[0])
        full = len(markers) == look or sum(one.size for one in markers) > self._bounds.most_bytes // 2
        self._after = markers[-1].webhook_id if markers and full else 0
        self._look = max(LOOK_LEAST, 2 * len(markers))
        if after and not markers:
            return self._process(most)  # what became visible late lies below the mark
        return len(markers)

    def _take(self, after: int, look: int) -> tuple[list[Marker], Applied | None]:
        """Claim, understand and write one run, in one transaction.

        SQLite has one processor, so nobody else takes the run: it is read and understood before the turn to
        write is asked for, or the door would wait all the while.
        """
        bound = self._bounds.most_bytes
        if self._database.sqlite:
            with self._database.read() as reading:
                markers = backlog.claim(reading, after=after, most=look, most_bytes=bound)
                heard = self._hear(reading, markers)
            if not markers:
                return markers, None
            with self._database.write() as tx:
                return markers, self._write(tx, heard)
        with self._database.write() as tx:
            markers = backlog.claim(tx, after=after, most=look, most_bytes=bound)
            return markers, self._write(tx, self._hear(tx, markers)) if markers else None

    def _low_water(self, now: float) -> int:
        """Ids may become visible out of order, so the whole backlog is looked at every now and then."""
        if self._after == 0 or now - self._scanned_at > self._bounds.whole_scan:
            self._scanned_at = now
            return 0
        return self._after

    def _hear(self, tx: ReadTx, markers: Sequence[Marker]) -> list[Understood]:
        kept = load(tx, [(marker.webhook_id, marker.received_at) for marker in markers])
        heard = [understood(one) for one in kept]
        if self._minutes is not None:
            for one, said in zip(kept, heard, strict=True):
                self._minutes.heard_of(one.endpoint, numbers_of(said.parsed), one.received_at)
        return heard

    def _write(self, tx: WriteTx, heard: Sequence[Understood]) -> Applied:
        return apply(tx, heard, self._clock(), keep_content=self._keep_content, age=self._age)

    def _one_by_one(self, most: int) -> int:
        """Each of the oldest alone, counted before it is tried, so that a killer is known by its tries."""
        with self._database.write() as tx:
            markers = backlog.claim(tx, after=0, most=most, most_bytes=self._bounds.most_bytes)
        for marker in markers:
            if self._stopping.is_set():
                break
            self._alone(marker)
        return len(markers)

    def _alone(self, marker: Marker) -> None:
        with self._database.write() as tx:
            tries = backlog.count_try(tx, marker.webhook_id)
        if tries == 0:
            return  # another processor was faster
        started = time.monotonic()
        try:
            if tries > self._bounds.tries:
                raise _Killer
            with self._database.write() as tx:
                self._count(self._write(tx, self._hear(tx, [marker])), started, marker)
        except DatabaseAway:
            raise
        except Exception as problem:
            if is_transient(problem):
                return  # another writer's doing, not this body's: it waits for its next turn
            log.error("webhook_quarantined", webhook_id=marker.webhook_id, error=type(problem).__name__)
            with self._database.write() as tx:
                self._set_aside(tx, marker)

    def _set_aside(self, tx: WriteTx, marker: Marker) -> None:
        kept = load(tx, [(marker.webhook_id, marker.received_at)])
        whole = [set_aside(one, "Processing this body fails; its bytes are kept.") for one in kept]
        apply(tx, whole, self._clock())
        backlog.done(tx, [marker.webhook_id])
        self._figures.quarantined.inc()

    def _carefully(self) -> None:
        log.warning("unclean_stop_found")
        for _ in range(self._bounds.careful):
            self._one_by_one(self._bounds.most)

    def _count(self, applied: Applied, started: float, first: Marker) -> None:
        figures = self._figures
        figures.webhooks.inc(applied.webhooks)
        figures.updates.labels("new").inc(applied.new)
        figures.updates.labels("repeated").inc(applied.updates - applied.new)
        figures.settled.inc(applied.settled)
        figures.quarantined.inc(applied.quarantined)
        figures.too_old.labels("status").inc(applied.too_old.statuses)
        figures.too_old.labels("inbound").inc(applied.too_old.inbound)
        figures.lag_seconds.set(max(0.0, self._clock() - first.received_at))
        figures.run_seconds.observe(time.monotonic() - started)


class _Killer(Exception):
    """This body was tried alone before and took the process with it."""


def numbers_of(parsed: Parsed) -> set[str]:
    """Our sending numbers that a webhook speaks of."""
    named = {update.phone_number_id for update in parsed.updates}
    named |= {message.phone_number_id for message in parsed.inbound}
    return {number for number in named if number}


def understood(kept: Kept) -> Understood:
    """Parse one body; one that is unreadable as a whole stands in quarantine under its digest."""
    parsed = parse(kept.body, kept.received_at)
    if any(part.part == "" for part in parsed.quarantined):
        named = tuple(_named(part, kept.body) for part in parsed.quarantined)
        parsed = replace(parsed, quarantined=named)
    return Understood(kept.webhook_id, kept.received_at, parsed)


def set_aside(kept: Kept, reason: str) -> Understood:
    part = _named(QuarantinedPart("", reason, ""), kept.body)
    return Understood(kept.webhook_id, kept.received_at, Parsed(quarantined=(part,)))


def _named(part: QuarantinedPart, body: bytes) -> QuarantinedPart:
    return part if part.part else replace(part, part=f"sha256:{hashlib.sha256(body).hexdigest()}")
