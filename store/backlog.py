"""What is kept but not processed yet: claimed in runs, and done in the transaction of its effects.

A claim is a row lock of that transaction, so a processor that dies gives its run back by dying.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from store.database import ReadTx, WriteTx
from store.lists import among, given


@dataclass(frozen=True, slots=True)
class Marker:
    webhook_id: int
    received_at: float
    size: int
    tries: int


_CLAIM = "SELECT webhook_id, received_at, size, tries FROM webhook_backlog WHERE webhook_id > :after"
_CLAIM_SQLITE = text(f"{_CLAIM} ORDER BY webhook_id LIMIT :most")
_CLAIM_POSTGRES = text(f"{_CLAIM} ORDER BY webhook_id LIMIT :most FOR UPDATE SKIP LOCKED")


def claim(tx: ReadTx, *, after: int, most: int, most_bytes: int) -> list[Marker]:
    """The oldest unclaimed markers above `after`: at most `most` and `most_bytes`, at least one.

    On PostgreSQL it takes a transaction that writes, whose locks are the claim. `after` spares an index walk
    over what was done while an old snapshot keeps it from being cleaned up.
    """
    rows = tx.all(_CLAIM_POSTGRES if tx.postgres else _CLAIM_SQLITE, {"after": after, "most": most})
    claimed: list[Marker] = []
    held = 0
    for row in rows:
        held += row.size
        if claimed and held > most_bytes:
            break
        claimed.append(Marker(row.webhook_id, row.received_at, row.size, row.tries))
    return claimed


def done(tx: WriteTx, webhook_ids: Sequence[int]) -> None:
    statement = f"DELETE FROM webhook_backlog WHERE webhook_id {among(tx, 'ids')}"
    tx.run(text(statement), {"ids": given(tx, webhook_ids)})


def put_back(tx: WriteTx, markers: Iterable[tuple[int, float, int]]) -> None:
    """Mark (webhook_id, received_at, size) as to be processed; what waits already stays as it is."""
    statement = text(
        "INSERT INTO webhook_backlog (webhook_id, received_at, size, tries) VALUES (:id, :at, :size, 0)"
        " ON CONFLICT (webhook_id) DO NOTHING"
    )
    for webhook_id, received_at, size in markers:
        tx.run(statement, {"id": webhook_id, "at": received_at, "size": size})


def count_try(tx: WriteTx, webhook_id: int) -> int:
    """Remember, before a suspicious body is tried alone, that it was tried; which try this is."""
    statement = "UPDATE webhook_backlog SET tries = tries + 1 WHERE webhook_id = :id RETURNING tries"
    return int(tx.value(text(statement), {"id": webhook_id}) or 0)


@dataclass(frozen=True, slots=True)
class Depth:
    waiting: int
    oldest_received_at: float | None


def depth(tx: ReadTx, most: int = 100_000) -> Depth:
    """How much waits (counted up to `most`) and since when."""
    waiting = tx.value(
        text("SELECT count(*) FROM (SELECT 1 FROM webhook_backlog LIMIT :most) AS waiting"), {"most": most}
    )
    oldest = tx.value(text("SELECT received_at FROM webhook_backlog ORDER BY webhook_id LIMIT 1"))
    return Depth(int(waiting or 0), oldest)
