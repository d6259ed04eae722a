"""Delivery: where the messages of each group stand, each in exactly one of STANDING, so that they add up."""

from typing import Any

from reports import grouping
from reports.report import Asked, Column
from store import rollup_sums
from store.database import ReadTx
from store.status import STATUSES

# Where a message stands in the end, each excluding the others; together they are `total`.
STANDING = (
    "waiting",
    "sent_only",
    "delivered_only",
    "read_only",
    "played",
    "failed",
    "refused",
    "unknown",
    "cancelled",
)
_COUNTS = (*STATUSES, "implied", "conflicts", "strangers")

COLUMNS = (
    Column("total", "count", "taken in"),
    Column("accepted", "count", "accepted"),
    Column("sent", "count", "sent"),
    Column("delivered", "count", "delivered"),
    Column("delivered_implied", "count", "of them implied"),
    Column("read", "count", "read"),
    Column("played", "count", "played"),
    Column("failed", "count", "failed"),
    Column("refused", "count", "refused"),
    Column("unknown", "count", "unknown"),
    Column("cancelled", "count", "cancelled"),
    Column("waiting", "count", "still waiting"),
    Column("sent_only", "count", "sent, no more yet"),
    Column("delivered_only", "count", "delivered, not read"),
    Column("read_only", "count", "read, not played"),
    Column("conflicts", "count", "delivered and failed"),
    Column("strangers", "count", "not sent by us"),
    Column("delivered_rate", "share", "delivered of accepted"),
    Column("read_rate", "share", "read of delivered"),
    Column("failed_rate", "share", "failed of accepted"),
)


def columns(asked: Asked) -> tuple[Column, ...]:
    return (*grouping.columns(asked), *COLUMNS)


def rows(tx: ReadTx, asked: Asked) -> list[dict[str, Any]]:
    sums = [f"coalesce(sum({name}), 0) AS {name}" for name in _COUNTS]
    return [
        {**grouping.key_of(asked, row), **figures({name: int(getattr(row, name)) for name in _COUNTS})}
        for row in rollup_sums.buckets(tx, grouping.period(asked), asked.by, sums)
    ]


def figures(counts: dict[str, int]) -> dict[str, Any]:
    """The funnel from how many stand at each status."""
    read = counts["read"] + counts["played"]
    delivered = counts["delivered"] + read
    sent = counts["sent"] + delivered
    accepted = counts["accepted"] + sent + counts["failed"]
    return {
        "total": sum(counts[name] for name in STATUSES),
        "accepted": accepted,
        "sent": sent,
        "delivered": delivered,
        "delivered_implied": counts["implied"],
        "read": read,
        "played": counts["played"],
        "failed": counts["failed"],
        "refused": counts["refused"],
        "unknown": counts["unknown"],
        "cancelled": counts["cancelled"],
        "waiting": counts["queued"] + counts["sending"] + counts["accepted"],
        "sent_only": counts["sent"],
        "delivered_only": counts["delivered"],
        "read_only": counts["read"],
        "conflicts": counts["conflicts"],
        "strangers": counts["strangers"],
        "delivered_rate": grouping.share(delivered, accepted),
        "read_rate": grouping.share(read, delivered),
        "failed_rate": grouping.share(counts["failed"], accepted),
    }
