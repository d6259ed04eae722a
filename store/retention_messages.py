"""Messages past their age: ours with all that hangs on them, strangers', and what people wrote.

One goes only when it is settled, when nothing is held for it, when no mark on it waits for the reports, and
when the feed names nothing of it any more: then every follower has seen it, and no reader of the feed can
miss it. Its day is sealed before (store/rollups.py).
"""

from collections.abc import Sequence
from math import ceil
from typing import Any

from sqlalchemy import text

from store import ledger, open_messages, search_follow
from store.database import ReadTx, WriteTx
from store.lists import among, given
from store.retention_sweeps import Looked, Sweep, along

FINAL = "('accepted', 'refused', 'cancelled')"
_NAMED = (
    "(SELECT 1 FROM status_updates AS u JOIN feed AS f ON f.batch = u.batch"
    " WHERE u.wamid = {0}.wamid AND f.stamped_at >= :told LIMIT 1)"
)
# Scalar subqueries, so that PostgreSQL asks them of the rows at hand and never joins whole tables for it.
_OURS = (
    f"(s.state IN {FINAL} AND s.queued_at < :until AND coalesce(s.settled_at, 0) < :until"
    " AND coalesce(s.accepted_at, 0) < :until"
    " AND (SELECT 1 FROM holds AS h WHERE h.message_id = s.message_id) IS NULL"
    " AND (SELECT 1 FROM charges_due AS d WHERE d.wamid = s.wamid) IS NULL"
    " AND (SELECT 1 FROM dirty_messages AS d WHERE d.wamid = s.wamid) IS NULL"
    " AND (SELECT 1 FROM attempt_outcomes AS o JOIN feed AS f ON f.batch = o.batch"
    " WHERE o.message_id = s.message_id AND f.stamped_at >= :told LIMIT 1) IS NULL"
    f" AND {_NAMED.format('s')} IS NULL)"
)
_STRANGERS = (
    "(coalesce(m.first_seen_at, 0) < :until AND m.message_id IS NULL"
    " AND (SELECT 1 FROM sends AS s WHERE s.wamid = m.wamid) IS NULL"
    " AND (SELECT 1 FROM dirty_messages AS d WHERE d.wamid = m.wamid) IS NULL"
    f" AND {_NAMED.format('m')} IS NULL)"
)


def ours(until: float, told: float = 0.0) -> Sweep:
    """Keys are message_ids; `until` is the start of a day, and the days before it are sealed. `told`: a dry
    run counts what the feed told of before then as if that had gone already."""

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        at, key = after or (-1.0, "")
        statement = (
            f"SELECT s.message_id, s.queued_at, {_OURS} AS goes FROM sends AS s WHERE s.queued_at >= :at"
            " AND s.queued_at < :until AND (s.queued_at > :at OR s.message_id > :key)"
            " ORDER BY s.queued_at, s.message_id LIMIT :most"
        )
        rows = tx.all(text(statement), {"at": at, "key": key, "until": until, "told": told, "most": most})
        more = (rows[-1].queued_at, rows[-1].message_id) if len(rows) == most else None
        return [row.message_id for row in rows if row.goes], more

    def remove(tx: WriteTx, ids: Sequence[str]) -> int:
        wamids = _locked(tx, sorted(ids))
        statement = f"SELECT s.message_id FROM sends AS s WHERE s.message_id {among(tx, 'ids')} AND {_OURS}"
        rows = tx.all(text(statement), {"ids": given(tx, sorted(wamids)), "until": until, "told": told})
        going = {row.message_id: wamids[row.message_id] for row in rows}
        delete(tx, sorted(going), sorted(wamid for wamid in going.values() if wamid is not None))
        return len(going)

    return Sweep("messages", look, remove)


def _locked(tx: WriteTx, ids: Sequence[str]) -> dict[str, str | None]:
    """message_id -> wamid of those that nobody else is writing to; looked at again once they are locked."""
    statement = f"SELECT message_id, wamid FROM sends WHERE message_id {among(tx, 'ids')} ORDER BY message_id"
    skip = " FOR UPDATE SKIP LOCKED" if tx.postgres else ""
    rows = tx.all(text(statement + skip), {"ids": given(tx, ids)})
    found: dict[str, str | None] = {row.message_id: row.wamid for row in rows}
    busy = _busy(tx, sorted(wamid for wamid in found.values() if wamid is not None))
    return {message_id: wamid for message_id, wamid in found.items() if wamid not in busy}


def _busy(tx: WriteTx, wamids: Sequence[str]) -> set[str]:
    """Locks their rows of `messages`; those that another transaction holds."""
    if not tx.postgres or not wamids:
        return set()
    statement = f"SELECT wamid FROM messages WHERE wamid {among(tx, 'wamids')} ORDER BY wamid"
    values = {"wamids": given(tx, wamids)}
    mine = {row.wamid for row in tx.all(text(f"{statement} FOR UPDATE SKIP LOCKED"), values)}
    return {row.wamid for row in tx.all(text(statement), values)} - mine


def strangers(until: float, told: float = 0.0) -> Sweep:
    """Keys are wamids of messages that we did not send."""

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        at, key = after or (-1.0, "")
        statement = (
            f"SELECT t.wamid, t.seen_at, (m.wamid IS NULL OR {_STRANGERS}) AS goes FROM"
            " (SELECT wamid, seen_at FROM strangers WHERE seen_at >= :at AND seen_at < :until"
            " AND (seen_at > :at OR wamid > :key) ORDER BY seen_at, wamid LIMIT :most) AS t"
            " LEFT JOIN messages AS m ON m.wamid = t.wamid ORDER BY t.seen_at, t.wamid"
        )
        rows = tx.all(text(statement), {"at": at, "key": key, "until": until, "told": told, "most": most})
        more = (rows[-1].seen_at, rows[-1].wamid) if len(rows) == most else None
        return [row.wamid for row in rows if row.goes], more

    def remove(tx: WriteTx, wamids: Sequence[str]) -> int:
        free = sorted(set(wamids) - _busy(tx, sorted(wamids)))
        values = {"wamids": given(tx, free), "until": until, "told": told}
        statement = (
            f"SELECT m.wamid FROM messages AS m WHERE m.wamid {among(tx, 'wamids')} AND NOT {_STRANGERS}"
        )
        stay = {row.wamid for row in tx.all(text(statement), values)}
        still = f"SELECT wamid FROM strangers WHERE wamid {among(tx, 'wamids')}"  # not gone by another run
        there = {row.wamid for row in tx.all(text(still), {"wamids": given(tx, free)})}
        going = [wamid for wamid in free if wamid in there - stay]
        delete(tx, [], going)
        return len(going)

    return Sweep("strangers' messages", look, remove)


def inbound(until: float) -> Sweep:
    """Keys are wamids; the age is that of Meta's time, as the processor asks for it (store/aged.py)."""
    whole = ceil(until)  # Meta's times are whole, and an index on them serves whole numbers only

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        rows, more = along(
            tx, "inbound_messages", "phone_number_id", "occurred_at", "wamid", whole, after, most, ""
        )
        return [row.key for row in rows], more

    def remove(tx: WriteTx, wamids: Sequence[str]) -> int:
        statement = f"DELETE FROM inbound_messages WHERE wamid {among(tx, 'wamids')} AND occurred_at < :until"
        return tx.run(text(statement), {"wamids": given(tx, sorted(wamids)), "until": whole})

    return Sweep("inbound messages", look, remove)


def delete(tx: WriteTx, message_ids: Sequence[str], wamids: Sequence[str]) -> None:
    """Everything about these messages, in the lock order, their rows locked. Figures and balance stay."""
    _delete(tx, "sends", "message_id", message_ids)
    for table in ("messages", "participants", "status_updates"):
        _delete(tx, table, "wamid", wamids)
    for table in ("send_attempts", "attempt_outcomes", "sent_twice"):
        _delete(tx, table, "message_id", message_ids)
    _let_charges_go(tx, wamids)
    for table in ("charges_due", "report_strangers"):
        _delete(tx, table, "wamid", wamids)
    open_messages.forget(tx, wamids)
    search_follow.forget(tx, wamids)


def _let_charges_go(tx: WriteTx, wamids: Sequence[str]) -> None:
    """Their rows; the sum stays charged. Looks first, so that without charges no account is locked."""
    statement = f"SELECT 1 FROM charges WHERE wamid {among(tx, 'wamids')} LIMIT 1"
    values = {"wamids": given(tx, wamids)}
    if tx.value(text(statement), values) is None:
        return
    ledger.locked(tx)
    total = f"SELECT coalesce(sum(amount_micro), 0) FROM charges WHERE wamid {among(tx, 'wamids')}"
    ledger.let_go(tx, int(tx.value(text(total), values)))
    _delete(tx, "charges", "wamid", wamids)


def _delete(tx: WriteTx, table: str, column: str, keys: Sequence[str]) -> None:
    if keys:
        statement = f"DELETE FROM {table} WHERE {column} {among(tx, 'keys')}"
        tx.run(text(statement), {"keys": given(tx, keys)})
