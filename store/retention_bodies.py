"""Bodies past their age: webhooks as they came, the wrapper's answers, closed quarantine.

A webhook that waits for its processing, or of which something is in open quarantine, stays whatever its age.
On PostgreSQL whole days go by dropping their partition (store/retention_partitions.py).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from store import aged
from store.database import ReadTx, WriteTx
from store.lists import among, given
from store.retention_messages import FINAL
from store.retention_sweeps import Looked, Sweep

_DONE = (
    "((SELECT 1 FROM webhook_backlog AS b WHERE b.webhook_id = w.id) IS NULL"
    " AND (SELECT 1 FROM quarantine AS q WHERE q.webhook_id = w.id AND q.closed_at IS NULL LIMIT 1) IS NULL)"
)
_ANSWERS_TO = "answers_gone_before"
_NO_ID = 1 << 62
_LONGEST_WAY = 70 * 86_400.0  # seconds from a message's id to its last attempt, with room to spare


def webhooks(until: float, table: str = "webhooks", since: float = 0.0) -> Sweep:
    """Keys are ids. Nothing sorts webhooks by time, so all ids are walked, young ones as well."""

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        statement = (
            f"SELECT w.id, (w.received_at >= :since AND w.received_at < :until AND {_DONE}) AS goes"
            f" FROM {table} AS w WHERE w.id > :after ORDER BY w.id LIMIT :most"
        )
        rows = tx.all(text(statement), {"since": since, "until": until, "after": after or 0, "most": most})
        return [row.id for row in rows if row.goes], rows[-1].id if len(rows) == most else None

    def remove(tx: WriteTx, ids: Sequence[int]) -> int:
        statement = (
            f"DELETE FROM {table} AS w WHERE w.id {among(tx, 'ids')} AND w.received_at >= :since"
            f" AND w.received_at < :until AND {_DONE} RETURNING id"
        )
        values = {"ids": given(tx, sorted(ids)), "since": since, "until": until}
        gone = sorted(row.id for row in tx.all(text(statement), values))
        forget(tx, gone)
        return len(gone)

    return Sweep("webhooks", look, remove)


def forget(tx: WriteTx, webhook_ids: Sequence[int]) -> None:
    """What hangs on webhooks that are gone: whom they repeated, and what of them was too old."""
    for column in ("earlier_id", "later_id"):
        statement = f"DELETE FROM webhook_repeats WHERE {column} {among(tx, 'ids')}"
        tx.run(text(statement), {"ids": given(tx, list(webhook_ids))})
    aged.forget(tx, webhook_ids)


def left_behind(until: float, table: str, column: str) -> Sweep:
    """What still hangs on webhooks that went with their partition; keys are webhook ids."""

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        young = text("SELECT id FROM webhooks WHERE received_at >= :until ORDER BY id LIMIT 1")
        values = {"after": after or 0, "most": most, "young": tx.value(young, {"until": until}) or _NO_ID}
        statement = (
            f"SELECT DISTINCT {column} AS id FROM {table} WHERE {column} > :after AND {column} < :young"
            " ORDER BY 1 LIMIT :most"
        )
        ids = [row.id for row in tx.all(text(statement), values)]
        return _gone(tx, ids), ids[-1] if len(ids) == most else None

    def remove(tx: WriteTx, ids: Sequence[int]) -> int:
        gone = _gone(tx, ids)
        forget(tx, gone)
        return len(gone)

    return Sweep("marks of webhooks", look, remove)


def _gone(tx: ReadTx, ids: Sequence[int]) -> list[int]:
    if not ids:
        return []
    statement = f"SELECT id FROM webhooks WHERE id {among(tx, 'ids')}"
    there = {row.id for row in tx.all(text(statement), {"ids": given(tx, sorted(ids))})}
    return [one for one in ids if one not in there]


def answers(until: float) -> Sweep:
    """Keys are message_ids; only the bytes go, how the attempt ended stays. Ids sort by time, and what was
    looked through by an earlier run is not read again."""
    settled = f"(SELECT 1 FROM sends AS s WHERE s.message_id = o.message_id AND s.state IN {FINAL})"
    goes = f"(o.answer IS NOT NULL AND o.ended_at < :until AND {settled} IS NOT NULL)"

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        message_id, number = after or (aged.id_at(answers_gone(tx) - _LONGEST_WAY), 0)
        statement = (
            f"SELECT o.message_id, o.number, {goes} AS goes FROM attempt_outcomes AS o"
            " WHERE (o.message_id, o.number) > (:id, :number) AND o.message_id < :last"
            " ORDER BY o.message_id, o.number LIMIT :most"
        )
        values = {"id": message_id, "number": number, "last": aged.id_at(until), "until": until}
        rows = tx.all(text(statement), {**values, "most": most})
        more = (rows[-1].message_id, rows[-1].number) if len(rows) == most else None
        return [(row.message_id, row.number) for row in rows if row.goes], more

    def remove(tx: WriteTx, keys: Sequence[tuple[str, int]]) -> int:
        statement = text(
            f"UPDATE attempt_outcomes AS o SET answer = NULL WHERE o.message_id {among(tx, 'ids')} AND {goes}"
        )
        ids = sorted({message_id for message_id, _ in keys})
        return tx.run(statement, {"ids": given(tx, ids), "until": until})

    return Sweep("answers", look, remove)


def answers_gone(tx: ReadTx) -> float:
    """Up to here an earlier run has looked through the attempts."""
    return float(
        tx.value(text("SELECT value FROM installation WHERE name = :name"), {"name": _ANSWERS_TO}) or 0
    )


def mark_answers(tx: WriteTx, until: float) -> int:
    """No further than the oldest send that is unknown: its answers go once it is settled."""
    oldest = tx.value(text("SELECT min(queued_at) FROM sends WHERE state = 'unknown'"))
    until = until if oldest is None else min(until, oldest)
    statement = (
        "INSERT INTO installation (name, value) VALUES (:name, :value)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    )
    return tx.run(text(statement), {"name": _ANSWERS_TO, "value": repr(until)})


def quarantine(until: float) -> Sweep:
    """What was understood since; keys are digests."""

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        statement = (
            "SELECT digest, (closed_at IS NOT NULL AND received_at < :until) AS goes FROM quarantine"
            " WHERE digest > :after ORDER BY digest LIMIT :most"
        )
        rows = tx.all(text(statement), {"until": until, "after": after or b"", "most": most})
        last = bytes(rows[-1].digest) if len(rows) == most else None
        return [bytes(row.digest) for row in rows if row.goes], last

    def remove(tx: WriteTx, digests: Sequence[bytes]) -> int:
        statement = text(
            "DELETE FROM quarantine WHERE digest = :digest AND closed_at IS NOT NULL AND received_at < :until"
        )
        return sum(tx.run(statement, {"digest": digest, "until": until}) for digest in sorted(digests))

    return Sweep("closed quarantine", look, remove)
