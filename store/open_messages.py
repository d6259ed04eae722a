"""Keeps `open_messages` in step with the feed: which messages wait, contradict themselves, or are nobody's.

Worked out anew from the folded rows of the messages that the feed names, so that order, repeats and a late
start do not matter. Runs beside the processor, never inside its transactions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store import following, status
from store.bulk import DOUBLE, TEXT, Bulk
from store.database import Database, ReadTx, WriteTx
from store.lists import among, given, pairs
from store.tables.work import KINDS

NAME = "work"
Key = tuple[str, str]  # kind, wamid

_WRITE = Bulk(
    table="open_messages",
    columns=(("kind", TEXT), ("wamid", TEXT), ("since", DOUBLE), ("phone_number_id", TEXT)),
    conflict="ON CONFLICT (kind, wamid) DO UPDATE SET since = excluded.since,"
    " phone_number_id = excluded.phone_number_id",
)
_TIMES = "sent_at, delivered_at, read_at, played_at, failed_at"


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between the table and the messages; rows are (kind, wamid, since, phone_number_id)."""

    put: tuple[tuple[str, str, float, str], ...]
    gone: tuple[Key, ...]


def step(database: Database, batches: int | None = None) -> bool:
    """Take in the next news; whether there was any."""
    return following.step(database, NAME, look, write, batches)


def look(tx: ReadTx, wamids: Sequence[str]) -> Changes:
    """Compare what is marked of these messages with how they stand."""
    wanted = given(tx, sorted(set(wamids)))
    statement = (
        "SELECT m.wamid, m.first_seen_at, coalesce(s.message_id, m.message_id) AS message_id,"
        " coalesce(s.accepted_at, m.accepted_at) AS accepted_at,"
        " coalesce(s.phone_number_id, m.phone_number_id, m.reported_number) AS number,"
        " m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at"
        f" FROM messages AS m LEFT JOIN sends AS s ON s.wamid = m.wamid WHERE m.wamid {among(tx, 'wamids')}"
    )
    found = [dict(row._mapping) for row in tx.all(text(statement), {"wamids": wanted})]
    members = _members(tx, [row["wamid"] for row in found if status.conflict(row)])
    new = {key: row for one in found for key, row in open_rows(one, members.get(one["wamid"], ())).items()}
    old = _marked(tx, wanted)
    put = tuple(new[key] for key in sorted(new) if old.get(key) != new[key])
    return Changes(put, tuple(sorted(old.keys() - new.keys())))


def write(tx: WriteTx, changes: Changes) -> None:
    if changes.gone:
        statement = (
            "DELETE FROM open_messages WHERE (kind, wamid) IN"
            f" (SELECT pair.a, pair.b FROM {pairs(tx, 'kinds', 'wamids')})"
        )
        kinds, wamids = zip(*changes.gone, strict=True)
        tx.run(text(statement), {"kinds": given(tx, kinds), "wamids": given(tx, wamids)})
    _WRITE.run(tx, changes.put)


def look_again(tx: WriteTx, wamids: Sequence[str]) -> None:
    """Both at once, for whoever changes messages without news of them in the feed (a replay, retention)."""
    write(tx, look(tx, wamids))


def forget(tx: WriteTx, wamids: Sequence[str]) -> None:
    """These messages are deleted."""
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    statement = f"DELETE FROM open_messages WHERE kind IN ({kinds}) AND wamid {among(tx, 'wamids')}"
    tx.run(text(statement), {"wamids": given(tx, sorted(set(wamids)))})


def open_rows(
    message: Mapping[str, Any], members: Sequence[Mapping[str, Any]]
) -> dict[Key, tuple[str, str, float, str]]:
    """Why this message is open, at most one row a kind. Pure."""
    wamid, number = message["wamid"], message["number"] or ""
    since: dict[str, float] = {}
    if message["message_id"] is None:
        since["unmatched"] = message["first_seen_at"] or 0.0
    elif message["failed_at"] is None and not status.reached(message):
        since["waiting"] = message["accepted_at"] or message["first_seen_at"] or 0.0
    contradicted = [one for one in (members or (message,)) if status.conflict(one)]
    if contradicted:
        since["conflict"] = min(float(_contradicted_at(one)) for one in contradicted)
    return {(kind, wamid): (kind, wamid, float(at), number) for kind, at in since.items()}


def _contradicted_at(one: Mapping[str, Any]) -> int:
    """When the second of the two was said to have happened."""
    times = [one[name] for name in ("delivered_at", "read_at", "played_at") if one[name] is not None]
    return int(max(min(times), one["failed_at"]))


def _members(tx: ReadTx, wamids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    if wamids:
        statement = f"SELECT wamid, {_TIMES} FROM participants WHERE wamid {among(tx, 'wamids')}"
        for row in tx.all(text(statement), {"wamids": given(tx, sorted(wamids))}):
            found.setdefault(row.wamid, []).append(dict(row._mapping))
    return found


def _marked(tx: ReadTx, wanted: Any) -> dict[Key, tuple[str, str, float, str]]:
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    statement = (
        "SELECT kind, wamid, since, phone_number_id FROM open_messages"
        f" WHERE kind IN ({kinds}) AND wamid {among(tx, 'wamids')}"
    )
    return {(row.kind, row.wamid): tuple(row) for row in tx.all(text(statement), {"wamids": wanted})}
