"""Retention: everything past its age goes, in an order in which a run that is killed can be begun anew.

Bodies first, then the feed, then messages: of these only what no position of the feed names any more, and
only of days whose figures are sealed. Each step decides for itself what may go, whatever came before it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import text

from store import (
    aged,
    audit,
    holds,
    rates,
    retention_bodies,
    retention_events,
    retention_messages,
    retention_partitions,
    retention_rest,
    rollups,
    searches,
    sessions,
    sign_in_failures,
)
from store.database import Database, ReadTx, WriteTx
from store.retention_ages import Ages
from store.retention_sweeps import Sweep, Tell, Work
from store.rollup_days import bounds, day_of

SEALS = 10  # tries, each after the reports were brought up to date
SEAL_PAUSE = 0.5  # seconds
VACUUM = 200  # pages of the SQLite file that are given back in one transaction


@dataclass(slots=True)
class Outcome:
    """What went by kind, in order; and why something stays this time, in plain sentences."""

    gone: dict[str, int] = field(default_factory=dict)
    stays: list[str] = field(default_factory=list)

    def add(self, name: str, count: int) -> None:
        self.gone[name] = self.gone.get(name, 0) + count


def run(
    database: Database,
    ages: Ages,
    zone: ZoneInfo,
    clock: Callable[[], float],
    rest: Callable[[float], None],
    *,
    dry: bool = False,
    tell: Tell = lambda _what, _count: None,
    page: int | None = None,
) -> Outcome:
    """Once through everything. `zone`: of the reports' days. `rest`: sleeps for so many seconds."""
    work = Work(database, rest, dry, tell, **({} if page is None else {"page": page}))
    with database.read() as tx:
        zone = rollups.zone_in_force(tx, zone)
    now, outcome = clock(), Outcome()
    if ages.bodies is not None:
        _bodies(work, now - ages.bodies, outcome)
    if ages.events is not None:
        _events(work, now - ages.events, outcome)
    if ages.messages is not None:
        told_since = now - ages.events if dry and ages.events is not None else 0.0
        _messages(work, now - ages.messages, told_since, zone, clock, outcome)
    if ages.audit is not None:
        _swept(work, outcome, retention_rest.audit(now - ages.audit))
    if dry:
        return outcome
    _ended(work, now)
    _vacuum(work)
    told = ", ".join(f"{name} {count}" for name, count in outcome.gone.items() if count)
    work.write(lambda tx: _audited(tx, now, told or "nothing"))
    return outcome


def _bodies(work: Work, until: float, outcome: Outcome) -> None:
    if work.database.sqlite:
        _swept(work, outcome, retention_bodies.webhooks(until))
    else:
        count, left = retention_partitions.sweep(work, until)
        outcome.add("webhooks", count)
        if left:
            outcome.stays.append(
                f"{left} days of webhooks stay until the next run: others used the table all the time."
            )
    _swept(work, outcome, retention_bodies.answers(until), retention_bodies.quarantine(until))
    if not work.dry:
        work.write(lambda tx: retention_bodies.mark_answers(tx, until))


def _events(work: Work, until: float, outcome: Outcome) -> None:
    with work.database.read() as tx:
        behind = retention_events.behind(tx, until)
    if behind is not None:
        outcome.stays.append(behind)
    _swept(
        work,
        outcome,
        retention_events.feed(until),
        retention_events.account_events(until),
        retention_events.minutes(until),
    )


def _messages(
    work: Work, until: float, told: float, zone: ZoneInfo, clock: Callable[[], float], outcome: Outcome
) -> None:
    if not work.dry:
        work.write(_begun)
    with work.database.read() as tx:
        until = _processed(tx, until)
    day = day_of(until, zone)
    start = bounds(day, zone)[0]  # whole days of the reports
    sweeps = (retention_messages.ours(start, told), retention_messages.strangers(start, told))
    reason = None
    if not work.dry:
        rollups.catch_up(work.database, zone, clock)  # a message that is marked stays
    if not work.dry and any(work.any(one) for one in sweeps):
        reason = _sealed(work, day, zone, clock)
    if reason is None:
        _swept(work, outcome, *sweeps)
    else:
        outcome.stays.append(f"Messages stay until the next run. {reason}")
    _swept(
        work,
        outcome,
        retention_messages.inbound(until),
        retention_rest.problems(start),
        retention_rest.runs(start),
        retention_rest.names(),
    )


def _begun(tx: WriteTx) -> int:
    aged.begin(tx)
    return 0


def _processed(tx: ReadTx, until: float) -> float:
    """What waits since before then may speak of messages that old: they stay until it is processed."""
    oldest = tx.value(text("SELECT min(received_at) FROM webhook_backlog"))
    return until if oldest is None else min(until, oldest)


def _sealed(work: Work, day: str, zone: ZoneInfo, clock: Callable[[], float]) -> str | None:
    """Why the days before this one could not be sealed; None when they are."""
    reason = ""
    for _ in range(SEALS):
        try:
            work.gently(rollups.refreshing_before(work.database, day, zone, clock))
            work.write(partial(_seal, day))
        except rollups.NotRefreshed as problem:
            reason = str(problem)  # something of those days came in between
            work.rest(SEAL_PAUSE)
        else:
            return None
    return reason


def _seal(day: str, tx: WriteTx) -> int:
    rollups.seal(tx, day)
    return 0


def _swept(work: Work, outcome: Outcome, *sweeps: Sweep) -> None:
    for one in sweeps:
        outcome.add(one.name, work.sweep(one))


def _ended(work: Work, now: float) -> None:
    """What has run out by itself, and would otherwise go when the next of its kind comes."""
    for verb in (sessions.forget_ended, sign_in_failures.forget_old, searches.forget_old, holds.release_late):
        work.write(partial(_at, verb, now))
    after = ""

    def step(tx: WriteTx) -> int:
        nonlocal after
        after = rates.sweep(tx, after, now)
        return len(after)

    while work.write(step):
        pass


def _at(verb: Callable[[WriteTx, float], int], now: float, tx: WriteTx) -> int:
    return verb(tx, now)


def _vacuum(work: Work) -> None:
    """Give the pages that became free back to the file system, a bite at a time."""
    if not work.database.sqlite:
        return
    while work.write(_bite) > 0:
        pass


def _bite(tx: WriteTx) -> int:
    """How many pages are free still. Stepped page by page: the driver takes only the first step of a pragma
    that has no columns."""
    free = int(tx.value(text("PRAGMA freelist_count")))
    for _ in range(min(free, VACUUM)):
        tx.driver("PRAGMA incremental_vacuum(1)")
    left = int(tx.value(text("PRAGMA freelist_count")))
    return left if left < free else 0


def _audited(tx: WriteTx, now: float, told: str) -> int:
    audit.record(tx, at=now, who="command", action="retention", reason=told)
    return 0
