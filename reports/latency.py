"""Latency: how long messages took between two steps, right when merged over days, quantiles within 2 %."""

from typing import Any

from pydantic_core import from_json

from reports import grouping
from reports.report import Asked, Column
from store import rollup_sums
from store.database import ReadTx
from store.histogram import Histogram, Merging

STEPS = {
    "sent_delivered": "sent to delivered",
    "delivered_read": "delivered to read",
    "accepted_sent": "accepted to sent (two clocks, ± 1 s)",
}
COLUMNS = (
    Column("step", "text", "step"),
    Column("messages", "count", "messages"),
    Column("p50", "seconds", "half within"),
    Column("p90", "seconds", "90 % within"),
    Column("p99", "seconds", "99 % within"),
    Column("within_minute", "share", "within 1 min"),
    Column("within_hour", "share", "within 1 h"),
    Column("within_day", "share", "within 24 h"),
)


def columns(asked: Asked) -> tuple[Column, ...]:
    return (*grouping.columns(asked), *COLUMNS)


def rows(tx: ReadTx, asked: Asked) -> list[dict[str, Any]]:
    found: dict[tuple[str, ...], dict[str, Merging]] = {}
    for row in rollup_sums.steps(tx, grouping.period(asked), asked.by):
        group = found.setdefault(tuple(row[:-1]), {})
        for step, plain in from_json(row[-1]).items():
            group.setdefault(step, Merging()).add(plain)
    return [
        {**grouping.key(asked, key), **figures(step, group[step].whole)}
        for key, group in sorted(found.items())
        for step in STEPS
        if step in group
    ]


def figures(step: str, one: Histogram) -> dict[str, Any]:
    minute, hour, day = (grouping.share(count, one.count) for count in one.within)
    return {
        "step": STEPS[step],
        "messages": one.count,
        "p50": one.quantile(0.5),
        "p90": one.quantile(0.9),
        "p99": one.quantile(0.99),
        "within_minute": minute,
        "within_hour": hour,
        "within_day": day,
    }
