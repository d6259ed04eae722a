"""Keeps `strangers` and `known_as` in step with the feed, so that search needs no index on folded rows.

Each row is worked out anew for the messages that the feed names: a message that a send turns out to own is no
stranger any more. Runs beside the processor, never inside its transactions.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from store import followers
from store.database import Database, ReadTx, WriteTx
from store.lists import among, given
from store.strangers import address

NAME = "search"
BATCHES = 200  # of the feed in one transaction

_STRANGER = text(
    "INSERT INTO strangers (wamid, address, seen_at, phone_number_id, recipient, user_id)"
    " VALUES (:wamid, :address, :seen_at, :phone_number_id, :recipient, :user_id) ON CONFLICT (wamid)"
    " DO UPDATE SET seen_at = excluded.seen_at, phone_number_id = excluded.phone_number_id,"
    " recipient = excluded.recipient, user_id = excluded.user_id"
)
_KNOWN_AS = text(
    "INSERT INTO known_as (name, recipient) VALUES (:name, :recipient)"
    " ON CONFLICT (name, recipient) DO NOTHING"
)


def step(database: Database, batches: int = BATCHES) -> bool:
    """Take in the next news; whether there was any."""
    with database.read() as tx:  # mostly there is none, and looking must not take SQLite's turn to write
        known = followers.position(tx, NAME)
        if followers.news(tx, known, 1).position == known:
            return False
    with database.write() as tx:
        before = followers.position(tx, NAME)
        news = followers.news(tx, before, batches)
        if news.position == before:
            return False
        take_in(tx, news.wamids)
        followers.advance(tx, NAME, news.position)
    return True


def take_in(tx: WriteTx, wamids: Sequence[str]) -> None:
    """Say anew of each of these messages whether it is a stranger's, and what its recipient is called."""
    found = _looked_at(tx, wamids)
    unknown = [row for row in found if row.message_id is None]
    owned = [row.wamid for row in found if row.message_id is not None]
    statement = f"DELETE FROM strangers WHERE wamid {among(tx, 'wamids')}"
    gone = sorted({*owned, *(set(wamids) - {row.wamid for row in found})})
    tx.run(text(statement), {"wamids": given(tx, gone)})
    if unknown:
        tx.run(_STRANGER, [_stranger(row) for row in unknown])
    names = sorted({pair for row in found for pair in _names(row)})
    if names:
        tx.run(_KNOWN_AS, [{"name": name, "recipient": recipient} for name, recipient in names])


def _looked_at(tx: ReadTx, wamids: Sequence[str]) -> Sequence[Any]:
    statement = (
        "SELECT m.wamid, m.first_seen_at, coalesce(m.phone_number_id, m.reported_number) AS number,"
        " m.recipient_id, m.recipient_user_id, s.message_id, s.recipient FROM messages AS m"
        " LEFT JOIN sends AS s ON s.wamid = m.wamid"
        f" WHERE m.wamid {among(tx, 'wamids')} ORDER BY m.wamid"
    )
    return tx.all(text(statement), {"wamids": given(tx, sorted(set(wamids)))})


def _stranger(row: Any) -> dict[str, Any]:
    return {
        "wamid": row.wamid,
        "address": address(row.wamid),
        "seen_at": row.first_seen_at or 0.0,
        "phone_number_id": row.number,
        "recipient": row.recipient_id,
        "user_id": row.recipient_user_id,
    }


def _names(row: Any) -> set[tuple[str, str]]:
    if row.recipient is None:
        return set()
    return {(name, row.recipient) for name in (row.recipient_id, row.recipient_user_id) if name} - {
        (row.recipient, row.recipient)
    }
