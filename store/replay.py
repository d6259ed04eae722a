"""Replay: forget what a webhook contributed, hear it again, and recompute what it touched.

Webhooks that repeated each other are heard together, because a status update that several of them said
stands under one of them only. When nothing changed the same rows stand afterwards, with the same place in
the feed.
"""

from collections.abc import Callable, Sequence, Set
from typing import Any

from sqlalchemy import text

from store import (
    aged,
    charges_due,
    extras,
    feed,
    following,
    open_messages,
    rollup_marks,
    rollups,
    search_follow,
    senders_columns,
    settle,
    updates,
)
from store.apply import Understood, write_extras
from store.database import WriteTx
from store.fold import COLUMNS, PARTICIPANT_COLUMNS, Fold
from store.lists import among, given
from store.retention_ages import MessageAge
from store.updates import Heard, Key
from store.webhooks import Kept, load_by_id


def replay(
    tx: WriteTx,
    webhook_id: int,
    understand: Callable[[Kept], Understood],
    now: float,
    *,
    keep_content: bool = False,
    age: MessageAge | None = None,
) -> int:
    """Replay one kept webhook and those that repeat it; how many status updates changed, came or went.

    `age`: of message rows; what is older makes none, what has one keeps it.
    Raises LookupError when its body is not kept any more.
    """
    together = _together(tx, webhook_id)
    kept = load_by_id(tx, sorted(together))
    if webhook_id not in {one.webhook_id for one in kept}:
        raise LookupError(f"Webhook {webhook_id} is not kept (any more).")
    heard_again = [understand(one) for one in kept]
    ids = [one.webhook_id for one in kept]
    said = [
        Heard(update, one.received_at, one.webhook_id) for one in heard_again for update in one.parsed.updates
    ]
    new, repeats = updates.merged(said)
    settled = settle.settle(tx, settle.claims_of(new), now, keep_payload=keep_content)
    touched = sorted({key[0] for key in new} | set(_wamids_of(tx, ids)))
    _lock(tx, touched)
    bound = aged.oldest(now, age)
    gone = aged.without_row(tx, new, settled, bound)
    new = {key: one for key, one in new.items() if key[0] not in gone}
    batch = feed.next_batch(tx)
    changed = _replace_updates(tx, ids, new, batch)
    recompute(tx, touched)
    senders_columns.copy(tx, settled)
    updates.remember_repeats(tx, repeats)
    old = aged.old_inbound(tx, [one.parsed for one in heard_again], bound)
    _replace_extras(tx, ids, heard_again, now, keep_content=keep_content, without=old)
    aged.forget(tx, ids)
    aged.note(tx, said, gone, ((one.webhook_id, one.parsed) for one in heard_again), old)
    if changed:
        charges_due.mark(tx, touched)
        rollup_marks.mark(tx, touched)
        _tell_followers(tx, touched)
        feed.stamp(tx, batch, now)
    return changed


def _tell_followers(tx: WriteTx, wamids: Sequence[str]) -> None:
    """The feed does not name what was taken back, and one may be about to write what it saw before."""
    following.step_back(tx, (open_messages.NAME, search_follow.NAME, rollups.NAME))
    open_messages.look_again(tx, wamids)
    search_follow.look_again(tx, wamids)


def recompute(tx: WriteTx, wamids: Sequence[str]) -> None:
    """SET the folded columns of these messages from their remaining updates; what nobody speaks of goes."""
    messages: dict[str, Fold] = {wamid: Fold() for wamid in wamids}
    members: dict[tuple[str, str], Fold] = {}
    for one in updates.of_messages(tx, wamids):
        messages[one.update.wamid].absorb(one.update, one.received_at)
        if one.update.participant:
            key = (one.update.wamid, one.update.participant)
            members.setdefault(key, Fold()).absorb(one.update, one.received_at)
    for wamid, folded in messages.items():
        _set(tx, "messages", {"wamid": wamid}, COLUMNS, folded)
    tx.run(
        text(
            f"DELETE FROM messages WHERE wamid {among(tx, 'wamids')}"
            " AND first_seen_at IS NULL AND message_id IS NULL"
        ),
        {"wamids": given(tx, wamids)},
    )
    tx.run(text(f"DELETE FROM participants WHERE wamid {among(tx, 'wamids')}"), {"wamids": given(tx, wamids)})
    for (wamid, participant), folded in sorted(members.items()):
        _set(tx, "participants", {"wamid": wamid, "participant": participant}, PARTICIPANT_COLUMNS, folded)


def _set(tx: WriteTx, table: str, key: dict[str, str], columns: tuple[str, ...], folded: Fold) -> None:
    names = (*key, *columns)
    tx.run(
        text(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
            f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET"
            f" {', '.join(f'{name} = excluded.{name}' for name in columns)}"
        ),
        {**key, **dict(zip(columns, folded.row(columns), strict=True))},
    )


def _together(tx: WriteTx, webhook_id: int) -> set[int]:
    """The webhook and all that are tied to it by having said the same."""
    found, fresh = {webhook_id}, {webhook_id}
    while fresh:
        statement = (
            f"SELECT earlier_id, later_id FROM webhook_repeats WHERE earlier_id {among(tx, 'ids')}"
            f" OR later_id {among(tx, 'ids')}"
        )
        rows = tx.all(text(statement), {"ids": given(tx, sorted(fresh))})
        fresh = {one for row in rows for one in (row.earlier_id, row.later_id)} - found
        found |= fresh
    return found


def _wamids_of(tx: WriteTx, ids: Sequence[int]) -> list[str]:
    statement = f"SELECT DISTINCT wamid FROM status_updates WHERE webhook_id {among(tx, 'ids')}"
    return [row.wamid for row in tx.all(text(statement), {"ids": given(tx, ids)})]


def _lock(tx: WriteTx, wamids: Sequence[str]) -> None:
    """Hold the messages, so that no processor folds into them meanwhile."""
    if tx.postgres:
        statement = "SELECT 1 FROM messages WHERE wamid = ANY(:wamids) ORDER BY wamid FOR UPDATE"
        tx.all(text(statement), {"wamids": list(wamids)})


def _replace_updates(tx: WriteTx, ids: Sequence[int], new: dict[Key, Heard], batch: int) -> int:
    """Write only what differs, as news in the feed; the rest keeps its place there. How many differ."""
    statement = f"SELECT * FROM status_updates WHERE webhook_id {among(tx, 'ids')}"
    old = {one.key: one for one in map(updates.heard, tx.all(text(statement), {"ids": given(tx, ids)}))}
    same = {key for key in old.keys() & new.keys() if old[key] == new[key]}
    others = _of_others(tx, new.keys() - old.keys())
    same |= {key for key, known in others.items() if updates.merge(known, new[key]) == known}
    for key in sorted(old.keys() - same):
        _delete(tx, key)
    added = {key: heard for key, heard in new.items() if key not in same}
    if added:
        updates.insert(tx, added, batch)
    return len((old.keys() | new.keys()) - same)


def _of_others(tx: WriteTx, keys: Set[Key]) -> dict[Key, Heard]:
    """Those that stand under a webhook that is not heard again, because its body is gone."""
    found = updates.of_messages(tx, sorted({key[0] for key in keys}))
    return {one.key: one for one in found if one.key in keys}


def _delete(tx: WriteTx, key: Key) -> None:
    values: dict[str, Any] = dict(zip(updates.KEY, key, strict=True))
    tx.run(
        text(f"DELETE FROM status_updates WHERE {' AND '.join(f'{name} = :{name}' for name in values)}"),
        values,
    )


def _replace_extras(
    tx: WriteTx,
    ids: Sequence[int],
    heard_again: Sequence[Understood],
    now: float,
    *,
    keep_content: bool,
    without: set[str],
) -> None:
    """Inbound messages and account events anew; quarantine that is understood now is closed, not deleted."""
    for table in ("inbound_messages", "account_events"):
        extras.delete_of(tx, table, ids)
    write_extras(tx, heard_again, keep_content=keep_content, without=without)
    still = {extras.quarantine_digest(part) for one in heard_again for part in one.parsed.quarantined}
    statement = f"SELECT digest FROM quarantine WHERE closed_at IS NULL AND webhook_id {among(tx, 'ids')}"
    rows = tx.all(text(statement), {"ids": given(tx, ids)})
    extras.close_quarantine(tx, [bytes(row.digest) for row in rows if bytes(row.digest) not in still], now)
