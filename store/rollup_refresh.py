"""Working one bucket out: read its rows in short transactions, then write it in one more.

When somebody else wrote it meanwhile, nothing is written. When it was marked again meanwhile, it stays dirty.
"""

import json
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, text

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
ROWS_A_SECOND = 2_000  # a bucket rests a second for so many rows: refreshing takes a small part of the time
EACH = 200  # a bucket costs as much as so many rows, however few are in it


@dataclass(slots=True)
class Pace:
    """Of one process: whoever receives has the machine nearly for himself, however much is dirty."""

    until: float = 0.0  # nothing is worked out before

    def took(self, rows: int, now: float) -> None:
        self.until = max(self.until, now) + (rows + EACH) / ROWS_A_SECOND


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
    database: Database,
    day: str,
    number: str,
    zone: ZoneInfo,
    now: float,
    every: float,
    page: int = PAGE,
    pace: Pace | None = None,
) -> bool:
    """Work it out; whether its figures are new now."""
    place = {"day": day, "number": number}
    with database.read() as tx:
        version, refreshes = _version(tx, place), _refreshes(tx, place)
    if version is None:
        return False
    start, end = bounds(day, zone)
    figures, size = Figures(), 0
    for rows in pages(database, number, start, end, page):
        figures.take_in(rows)
        size += len(rows)
    if pace is not None:
        pace.took(size, now)
    with database.write() as tx:
        known = rollup_dirty.locked(tx)
        sealed = known is None or known.zone != zone.key or day < known.sealed_before
        if sealed or _refreshes(tx, place) != refreshes:
            return False
        _write(tx, day, number, figures, refreshes + 1)
        values = {**place, "now": now, "not_before": now + max(every, size / ROWS_A_SECOND), "zone": zone.key}
        tx.run(_DAY, {**values, "unfinished": figures.unfinished})
        again = now + max(every, (now - end) / AGE)
        tx.run(_WAIT if figures.unfinished else _CLEAN, {**place, "version": version, "again": again})
    return True


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
