"""Answers: a report over the buckets, with how complete it is. Reads only what was worked out before."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from reports import cost, delivery, failures, grouping, latency
from reports.report import Asked, Column, Report
from store import rollup_sums, rollups
from store.database import ReadTx
from store.histogram import ERROR

_Columns = Callable[[Asked], tuple[Column, ...]]
_Rows = Callable[[ReadTx, Asked], list[dict[str, Any]]]
_KINDS: dict[str, tuple[_Columns, _Rows]] = {
    "delivery": (delivery.columns, delivery.rows),
    "failures": (failures.columns, failures.rows),
    "latency": (latency.columns, latency.rows),
    "cost": (cost.columns, cost.rows),
}


def answer(tx: ReadTx, asked: Asked, zone: ZoneInfo, now: float) -> Report:
    """Raises NotAsked. `zone` is the setting's; until the buckets are of it, the report tells their own."""
    asked.check()
    columns, rows = _KINDS[asked.kind]
    taken_in_since = cost.taken_in_since(asked) if asked.kind == "cost" else asked.since
    told = rollup_sums.completeness(tx, grouping.period(asked), taken_in_since.isoformat(), now)
    counted_in = told.pop("zone") or zone.key
    told["zone_changes"] = counted_in != rollups.zone_in_force(tx, zone).key
    if asked.kind == "latency":
        told["relative_error"] = ERROR
    if asked.kind == "cost":
        told |= cost.basis(tx)
    return Report(asked, counted_in, columns(asked), tuple(rows(tx, asked)), told)
