"""What the receiver saw, minute by minute: one row a process and endpoint, and one a number heard of."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from store.bulk import BIGINT, DOUBLE, TEXT, Bulk
from store.database import ReadTx, WriteTx

BOUNDS = (0.005, 0.025, 0.1, 0.25, 1.0)  # seconds; the last bucket holds what took longer
_COLUMNS = (
    ("minute", BIGINT),
    ("process", TEXT),
    ("endpoint", TEXT),
    ("phone_number_id", TEXT),
    ("webhooks", BIGINT),
    ("bytes", BIGINT),
    ("answers", TEXT),
    ("buckets", TEXT),
    ("last_good_at", DOUBLE),
)
_WRITE = Bulk(
    table="receiver_minutes",
    columns=_COLUMNS,
    conflict=(
        "ON CONFLICT (minute, process, endpoint, phone_number_id) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name, _ in _COLUMNS[4:])
    ),
)


@dataclass(slots=True)
class Seen:
    """Counts of one minute; `phone_number_id` is '' for what the door saw."""

    minute: int  # Unix seconds / 60
    endpoint: str
    phone_number_id: str = ""
    webhooks: int = 0
    bytes: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    last_good_at: float | None = None


def write(tx: WriteTx, process: str, seen: Iterable[Seen]) -> None:
    """Overwrite this process's rows of these minutes, so that a running minute may be written again."""
    rows = [
        (
            *(one.minute, process, one.endpoint, one.phone_number_id, one.webhooks, one.bytes),
            *(json.dumps(one.answers, sort_keys=True), json.dumps(one.buckets), one.last_good_at),
        )
        for one in seen
    ]
    _WRITE.run(tx, sorted(rows))


def last_good(tx: ReadTx) -> Mapping[tuple[str, str], float]:
    """(endpoint, phone_number_id or '') -> when the last good webhook of it arrived."""
    statement = (
        "SELECT endpoint, phone_number_id, max(last_good_at) AS at FROM receiver_minutes"
        " WHERE last_good_at IS NOT NULL GROUP BY endpoint, phone_number_id"
    )
    return {(row.endpoint, row.phone_number_id): row.at for row in tx.all(text(statement))}


def between(tx: ReadTx, first: int, last: int) -> Sequence[Seen]:
    """The rows of these minutes, all processes summed up by endpoint and number."""
    statement = (
        "SELECT * FROM receiver_minutes WHERE minute BETWEEN :first AND :last ORDER BY minute, endpoint"
    )
    summed: dict[tuple[int, str, str], Seen] = {}
    for row in tx.all(text(statement), {"first": first, "last": last}):
        key = (row.minute, row.endpoint, row.phone_number_id)
        one = summed.setdefault(key, Seen(*key))
        one.webhooks += row.webhooks
        one.bytes += row.bytes
        for answer, count in json.loads(row.answers).items():
            one.answers[answer] = one.answers.get(answer, 0) + count
        one.buckets = [a + b for a, b in zip(one.buckets, json.loads(row.buckets), strict=True)]
        if row.last_good_at is not None:
            one.last_good_at = max(one.last_good_at or 0.0, row.last_good_at)
    return list(summed.values())
