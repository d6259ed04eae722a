"""What reports read of the buckets: sums by group, the texts of a group, and how complete it all is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, text

from store.database import ReadTx
from store.lists import among, given
from store.rollup_figures import GROUP

_NAMES = {"number": "phone_number_id", **{name: name for name in GROUP}}


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `since` to `until`, both included; () of `numbers` is every number."""

    since: str
    until: str
    numbers: tuple[str, ...] = ()


def buckets(tx: ReadTx, period: Period, by: Sequence[str], wanted: Sequence[str]) -> Sequence[Row[Any]]:
    """Each group's `by_...`, and the sums that are `wanted`."""
    return _sums(tx, period, by, wanted, "report_buckets", "day")


def costs(tx: ReadTx, period: Period, by: Sequence[str], wanted: Sequence[str]) -> Sequence[Row[Any]]:
    """The same of costs, whose day is the one of the delivery."""
    return _sums(tx, period, by, wanted, "report_costs", "charged_on")


def errors(tx: ReadTx, period: Period, by: Sequence[str]) -> Sequence[Row[Any]]:
    """Of each bucket's groups the parts that are asked, and its `errors` last."""
    chosen = ", ".join([*_columns(by, "day"), "errors"])
    where = f"{_where(tx, period, 'day')} AND errors <> '{{}}'"
    return tx.all(text(f"SELECT {chosen} FROM report_buckets WHERE {where}"), _values(tx, period))


def steps(tx: ReadTx, period: Period, by: Sequence[str]) -> Sequence[Row[Any]]:
    """The same with histograms of steps as JSON: of buckets summed by one part, when no more are asked."""
    parts = [name for name in by if name in GROUP]
    where, chosen = _where(tx, period, "day"), _columns(by, "day")
    if len(parts) > 1:
        columns = ", ".join([*chosen, "coalesce(steps, latency)"])
        statement = (
            f"SELECT {columns} FROM report_buckets WHERE {where} AND (steps IS NOT NULL OR latency <> '{{}}')"
        )
        return tx.all(text(statement), _values(tx, period))
    summed = ["value" if name in parts else name for name in chosen]
    statement = (
        f"SELECT {', '.join([*summed, 'steps'])} FROM report_latency"
        f" JOIN report_days USING (day, phone_number_id, refreshes) WHERE part = :part AND {where} UNION ALL"
        f" SELECT {', '.join([*chosen, 'latency'])} FROM report_buckets WHERE {where} AND latency <> '{{}}'"
    )
    return tx.all(text(statement), {**_values(tx, period), "part": parts[0] if parts else ""})


def completeness(tx: ReadTx, period: Period, taken_in_since: str, now: float) -> dict[str, Any]:
    """What may still change the figures of a period, and how old they are.

    Costs stand on another day than the messages, so messages taken in earlier than its first day count.
    """
    earlier = replace(period, since=taken_in_since)
    where = _where(tx, earlier, "day")
    statement = (
        "SELECT m.*, r.*, d.*, (SELECT max(position) FROM feed) AS told,"
        " (SELECT position FROM followers WHERE name = 'rollups') AS followed,"
        " (SELECT count(*) FROM (SELECT 1 FROM webhook_backlog LIMIT 100000) AS found) AS backlog"
        " FROM (SELECT sum(queued + sending + accepted + sent) AS moving, sum(unknown) AS unclear,"
        " sum(CASE WHEN day >= :first THEN strangers ELSE 0 END) AS strangers"
        f" FROM report_buckets WHERE {where}) AS m,"
        f" (SELECT sum(late) AS late FROM report_days WHERE {where}) AS r,"
        " (SELECT count(*) AS dirty, min(since) AS since FROM dirty_buckets"
        f" WHERE waiting = 0 AND {where}) AS d"
    )
    row = tx.all(text(statement), {**_values(tx, earlier), "first": period.since})[0]
    known = tx.first(text("SELECT zone, sends_through FROM report_state"))
    return {
        "worked_out": known is not None,
        "still_moving": int(row.moving or 0),
        "unknown": int(row.unclear or 0),
        "unmatched": int(row.strangers or 0),
        "webhooks_waiting": int(row.backlog),
        "news_waiting": max(int(row.told or 0) - int(row.followed or 0), 0),
        "buckets_waiting": int(row.dirty),
        "oldest_change_waiting_s": max(0.0, now - row.since) if row.since is not None else 0.0,
        "late_for_sealed_days": int(row.late or 0),
        "sends_seen_until": known.sends_through if known else None,
        "zone": known.zone if known else None,
    }


def _sums(
    tx: ReadTx, period: Period, by: Sequence[str], wanted: Sequence[str], table: str, day: str
) -> Sequence[Row[Any]]:
    group = _columns(by, day)
    chosen = [*(f"{column} AS by_{name}" for column, name in zip(group, by, strict=True)), *wanted]
    statement = f"SELECT {', '.join(chosen)} FROM {table} WHERE {_where(tx, period, day)}"
    if group:
        statement += f" GROUP BY {', '.join(group)} ORDER BY {', '.join(group)}"
    return tx.all(text(statement), _values(tx, period))


def _columns(by: Sequence[str], day: str) -> list[str]:
    return [day if name == "day" else _NAMES[name] for name in by]


def _where(tx: ReadTx, period: Period, day: str) -> str:
    limited = f" AND phone_number_id {among(tx, 'numbers')}" if period.numbers else ""
    return f"{day} >= :since AND {day} <= :until{limited}"


def _values(tx: ReadTx, period: Period) -> dict[str, Any]:
    values: dict[str, Any] = {"since": period.since, "until": period.until}
    return {**values, "numbers": given(tx, period.numbers)} if period.numbers else values
