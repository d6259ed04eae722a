"""Working one bucket out: read its rows in short transactions, then write it in one more.

When somebody else wrote it meanwhile, nothing is written. When it was marked again meanwhile, it stays dirty.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, TextClause, text

from store import rollup_dirty
from store.database import Database, ReadTx, WriteTx
from store.histogram import Histogram
from store.rollup_days import bounds
from store.rollup_figures import COST, COUNTS, GROUP, SUMS, Figures
from store.rollup_rows import PAGE, pages

_PLACE = ("day", "phone_number_id")
_FIGURES = (*_PLACE, *GROUP, *COUNTS, "errors", "latency", "steps")
_LATENCY = (*_PLACE, "part", "value", "refreshes", "steps")
_COSTS = (*_PLACE, *COST, *SUMS)
AGE = 50  # a bucket with unfinished messages is looked at again after this part of its age
CHOICE = 4  # buckets that a process chooses from
ROWS_A_SECOND = 2_000  # a bucket is begun anew when a second for so many of its rows has passed
SLICE = 0.1  # seconds of work at a time, and the page that goes on meanwhile
REST = 10.0  # times as long as a slice took, the process rests: refreshing takes a small part of the time


@dataclass(slots=True)
class Work:
    """A bucket that is being worked out, between two of its pages."""

    day: str
    number: str
    zone: ZoneInfo
    begun: float
    version: int
    refreshes: int
    rows: Iterator[Sequence[Row[Any]]]
    figures: Figures = field(default_factory=Figures)
    size: int = 0

    @property
    def place(self) -> dict[str, str]:
        return {"day": self.day, "number": self.number}


@dataclass(slots=True)
class Pace:
    """Of one process: whoever receives has the machine nearly for himself, however much is dirty.

    It rests by the time that its work took, so a busy machine is asked for less.
    """

    clock: Callable[[], float]  # seconds, ever growing
    chance: Random  # which of the buckets that are due: processes rarely choose the same
    rests_until: float = 0.0
    work: Work | None = None


def due(tx: ReadTx, now: float | None, most: int | None) -> list[tuple[str, str]]:
    """(day, number) of dirty buckets that may be worked out now, the oldest mark first; None: all of them."""
    statement = (
        "SELECT d.day, d.phone_number_id FROM dirty_buckets AS d LEFT JOIN report_days AS r"
        " ON r.day = d.day AND r.phone_number_id = d.phone_number_id"
    )
    if now is None or most is None:
        return [(row.day, row.phone_number_id) for row in tx.all(text(statement))]
    statement += " WHERE d.due_at <= :now AND coalesce(r.not_before, 0) <= :now ORDER BY d.due_at LIMIT :most"
    return [(row.day, row.phone_number_id) for row in tx.all(text(statement), {"now": now, "most": most})]


def refresh(
    database: Database, day: str, number: str, zone: ZoneInfo, now: float, every: float, page: int = PAGE
) -> bool:
    """Work it out in one go; whether it was dirty."""
    work = begin(database, day, number, zone, now, page)
    if work is None:
        return False
    while not go_on(database, work, now, every):
        pass
    return True


def paced(database: Database, zone: ZoneInfo, now: float, every: float, pace: Pace) -> bool:
    """A slice of work, unless it rests; whether there was any."""
    began = pace.clock()
    if began < pace.rests_until:
        return False
    worked = more = _paced_page(database, zone, now, every, pace)
    while more and pace.clock() - began < SLICE:
        more = _paced_page(database, zone, now, every, pace)
    ended = pace.clock()
    pace.rests_until = ended + (ended - began) * REST
    return worked


def _paced_page(database: Database, zone: ZoneInfo, now: float, every: float, pace: Pace) -> bool:
    if pace.work is None:
        with database.read() as tx:
            wanted = due(tx, now, CHOICE)
        if not wanted:
            return False
        pace.work = begin(database, *pace.chance.choice(wanted), zone, now)
    if pace.work is None or go_on(database, pace.work, now, every):
        pace.work = None
    return True


def begin(
    database: Database, day: str, number: str, zone: ZoneInfo, now: float, page: int = PAGE
) -> Work | None:
    """Nothing is read yet; None when it is not dirty any more."""
    place = {"day": day, "number": number}
    with database.read() as tx:
        version, refreshes = _version(tx, place), _refreshes(tx, place)
    if version is None:
        return None
    rows = pages(database, number, *bounds(day, zone), page)
    return Work(day, number, zone, now, version, refreshes, rows)


def go_on(database: Database, work: Work, now: float, every: float) -> bool:
    """Read its next page, or write its figures after the last; whether it has ended."""
    with database.read() as tx:
        if _refreshes(tx, work.place) != work.refreshes:
            return True
    rows = next(work.rows, None)
    if rows is None:
        with database.write() as tx:
            _ended(tx, work, now, every)
        return True
    work.figures.take_in(rows)
    work.size += len(rows)
    return False


def _ended(tx: WriteTx, work: Work, now: float, every: float) -> None:
    """Write what it came to, unless it is somebody else's by now, or sealed, or of another zone."""
    known = rollup_dirty.locked(tx)
    if known is None or known.zone != work.zone.key or work.day < known.sealed_before:
        return
    if _refreshes(tx, work.place) != work.refreshes:
        return
    _write(tx, work.day, work.number, work.figures, work.refreshes + 1)
    unfinished, zone = work.figures.unfinished, work.zone.key
    not_before = max(now + every, work.begun + work.size / ROWS_A_SECOND)
    values = {**work.place, "now": work.begun, "not_before": not_before, "zone": zone}
    tx.run(_DAY, {**values, "unfinished": unfinished})
    again = now + max(every, (now - bounds(work.day, work.zone)[1]) / AGE)
    tx.run(_WAIT if unfinished else _CLEAN, {**work.place, "version": work.version, "again": again})


_DAY = text(
    "INSERT INTO report_days (day, phone_number_id, zone, refreshed_at, not_before, refreshes,"
    " unfinished, late) VALUES (:day, :number, :zone, :now, :not_before, 1, :unfinished, 0)"
    " ON CONFLICT (day, phone_number_id) DO UPDATE SET zone = excluded.zone,"
    " refreshed_at = excluded.refreshed_at, not_before = excluded.not_before,"
    " refreshes = report_days.refreshes + 1, unfinished = excluded.unfinished"
)
_AT = "WHERE day = :day AND phone_number_id = :number"
_CLEAN = text(f"DELETE FROM dirty_buckets {_AT} AND version = :version")
_WAIT = text(
    f"UPDATE dirty_buckets SET waiting = 1, since = :again, due_at = :again {_AT} AND version = :version"
)


def _write(tx: WriteTx, day: str, number: str, figures: Figures, refreshes: int) -> None:
    for table in ("report_buckets", "report_costs", "report_latency"):
        tx.run(text(f"DELETE FROM {table} {_AT}"), {"day": day, "number": number})
    head = {"day": day, "phone_number_id": number}
    groups = [
        {
            **head,
            **dict(zip(GROUP, key, strict=True)),
            **group.counts,
            "errors": json.dumps(group.errors, sort_keys=True),
            "latency": "{}",
            "steps": _steps(group.latency) if group.latency else None,
        }
        for key, group in sorted(figures.groups.items())
    ]
    costs = [
        {**head, **dict(zip(COST, key, strict=True)), **dict(zip(SUMS, sums, strict=True))}
        for key, sums in sorted(figures.costs.items())
    ]
    latency = [
        {**head, "part": part, "value": value, "refreshes": refreshes, "steps": _steps(steps)}
        for (part, value), steps in sorted(figures.latency().items())
    ]
    for table, names, rows in (
        ("report_buckets", _FIGURES, groups),
        ("report_costs", _COSTS, costs),
        ("report_latency", _LATENCY, latency),
    ):
        if rows:
            tx.run(_insert(table, names), rows)


def _steps(latency: dict[str, Histogram]) -> str:
    return json.dumps({name: one.packed() for name, one in sorted(latency.items())})


def _insert(table: str, names: tuple[str, ...]) -> TextClause:
    marks = ", ".join(f":{name}" for name in names)
    return text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})")


def _version(tx: ReadTx, place: dict[str, str]) -> int | None:
    found = tx.value(text(f"SELECT version FROM dirty_buckets {_AT}"), place)
    return None if found is None else int(found)


def _refreshes(tx: ReadTx, place: dict[str, str]) -> int:
    return int(tx.value(text(f"SELECT refreshes FROM report_days {_AT}"), place) or 0)
