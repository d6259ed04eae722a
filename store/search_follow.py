"""Keeps `strangers` and `known_as` in step with the feed, so that search needs no index on folded rows.

Each row is worked out anew for the messages that the feed names: a message that a send turns out to own is no
stranger any more. Runs beside the processor, never inside its transactions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store import following
from store.database import Database, ReadTx, WriteTx
from store.lists import among, given
from store.strangers import address

NAME = "search"

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


@dataclass(frozen=True, slots=True)
class Changes:
    """`none`: wamids of no stranger's message; `names`: pairs of what Meta calls somebody and what we do."""

    strangers: tuple[dict[str, Any], ...]
    none: tuple[str, ...]
    names: tuple[tuple[str, str], ...]


def step(database: Database, batches: int | None = None) -> bool:
    """Take in the next news; whether there was any."""
    return following.step(database, NAME, look, write, batches)


def look(tx: ReadTx, wamids: Sequence[str]) -> Changes:
    """Which of these messages are strangers', which are none, and what their recipients are called."""
    found = _looked_at(tx, wamids)
    strangers = tuple(_stranger(row) for row in found if row.message_id is None)
    none = set(wamids) - {one["wamid"] for one in strangers}
    names = {pair for row in found for pair in _names(row)}
    return Changes(strangers, tuple(sorted(none)), tuple(sorted(names)))


def write(tx: WriteTx, changes: Changes) -> None:
    if changes.none:
        statement = f"DELETE FROM strangers WHERE wamid {among(tx, 'wamids')}"
        tx.run(text(statement), {"wamids": given(tx, changes.none)})
    if changes.strangers:
        tx.run(_STRANGER, list(changes.strangers))
    if changes.names:
        tx.run(_KNOWN_AS, [{"name": name, "recipient": recipient} for name, recipient in changes.names])


def look_again(tx: WriteTx, wamids: Sequence[str]) -> None:
    """Both at once, for whoever changes messages without news of them in the feed."""
    write(tx, look(tx, wamids))


def forget(tx: WriteTx, wamids: Sequence[str]) -> None:
    """These messages are deleted."""
    tx.run(
        text(f"DELETE FROM strangers WHERE wamid {among(tx, 'wamids')}"),
        {"wamids": given(tx, sorted(set(wamids)))},
    )


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
