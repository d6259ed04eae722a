"""What became of the newest messages of a day: a bounded sample, so that it costs the same at any size."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from sqlalchemy import text

from store import status
from store.database import ReadTx

SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class Newest:
    """Of the newest `accepted` messages; shares of them, and seconds from sent to delivered."""

    accepted: int
    delivered: float
    read: float
    failed: float
    median: int | None
    p95: int | None


def statement(number: str | None) -> str:
    """Public, so that its plan can be tested."""
    mine = "" if number is None else " AND s.phone_number_id = :number"
    return (
        "SELECT s.queued_at, s.message_id, m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at"
        f" FROM (SELECT s.queued_at, s.message_id, s.wamid FROM sends AS s WHERE s.queued_at >= :since{mine}"
        " ORDER BY s.queued_at DESC, s.message_id DESC LIMIT :most) AS s"
        " JOIN messages AS m ON m.wamid = s.wamid"
    )


def newest(tx: ReadTx, numbers: tuple[str, ...], since: float) -> Newest | None:
    """Of those taken in since then; None when there is none."""
    found: list[Any] = []
    parts: Sequence[str | None] = sorted(set(numbers)) if numbers else (None,)
    for number in parts:
        named = {} if number is None else {"number": number}
        found += tx.all(text(statement(number)), {"since": since, "most": SAMPLE, **named})
    rows = [row._mapping for row in nlargest(SAMPLE, found, key=lambda row: (row.queued_at, row.message_id))]
    return _of(rows) if rows else None


def _of(rows: Sequence[Any]) -> Newest:
    took = sorted(
        max(row["delivered_at"] - row["sent_at"], 0)
        for row in rows
        if row["delivered_at"] is not None and row["sent_at"] is not None
    )
    return Newest(
        len(rows),
        sum(status.reached(row) for row in rows) / len(rows),
        sum(row["read_at"] is not None or row["played_at"] is not None for row in rows) / len(rows),
        sum(status.status({**row, "wamid": ""}) == "failed" for row in rows) / len(rows),
        took[len(took) // 2] if took else None,
        took[min(int(len(took) * 0.95), len(took) - 1)] if took else None,
    )
