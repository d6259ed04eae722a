"""One person's messages under other ids, without them: every table of a message in one transaction.

The rows stay, so that figures stay: times, words, codes and prices are nobody's. A message whose new id is
there already (a status that came while the erasure ran) is merged into it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import TextClause, text

from store import ledger, replay, senders_columns, strangers, updates
from store.database import WriteTx
from store.erasure_state import Words
from store.fold import COLUMNS, PARTICIPANT_COLUMNS, fold
from store.lists import among, given
from store.records import StatusUpdate
from store.tables.work import KINDS
from store.updates import Heard
from whatsapp.person import Person

AT_ONCE = 5  # messages in one transaction, which SQLite's door waits for
_BESIDE = ("sent_twice", "open_messages", "report_strangers", "dirty_messages", "charges", "charges_due")
_OTHER_KEY = {"sent_twice": "message_id", "open_messages": "kind"}
_UPDATE_NAMES = (*(one.name for one in fields(StatusUpdate)), "received_at", "webhook_id", "batch")
_INSERT_UPDATE = text(
    f"INSERT INTO status_updates ({', '.join(_UPDATE_NAMES)})"
    f" VALUES ({', '.join(f':{name}' for name in _UPDATE_NAMES)})"
)
_DELETE_UPDATE = text(
    f"DELETE FROM status_updates WHERE {' AND '.join(f'{name} = :{name}' for name in updates.KEY)}"
)


def erase(tx: WriteTx, wamids: Sequence[str], person: Person, words: Words) -> Counter[str]:
    """Rename these messages of theirs, or take them out as a member; everything that names the wamid.
    How many rows of which table are others now."""
    done: Counter[str] = Counter()
    new = {wamid: renamed(person, wamid) for wamid in wamids}
    _lock(tx, new)
    before = _folded(tx, wamids)
    _sends(tx, new)
    told = tx.all(
        text(f"SELECT * FROM status_updates WHERE wamid {among(tx, 'wamids')}"),
        {"wamids": given(tx, sorted(wamids))},
    )
    crowded = _messages(tx, new, person, words, done)
    _updates(tx, told, new, person, words, done)
    # Where all updates are kept the fold says best which of two values counts that are alike now.
    replay.recompute(tx, sorted({new[wamid] for wamid in wamids if wamid in before or wamid in crowded}))
    _inbound(tx, new, person, words, done)
    _beside(tx, new, person, done)
    return done


def renamed(person: Person, wamid: str) -> str:
    return person.message(wamid) if person.wrote_or_got(wamid) else wamid


def erased_update(update: StatusUpdate, person: Person, words: Words) -> StatusUpdate:
    """The update without them, just as the rewritten body says it. Pure."""
    theirs = person.wrote_or_got(update.wamid)
    ends = {update.recipient_id, update.recipient_user_id, update.participant}
    about = theirs or not person.names.isdisjoint(ends)
    part = words.about if about else words.part
    data = words.data if theirs else person.text
    rest = update.rest and part(person, update.rest)
    return replace(
        update,
        wamid=renamed(person, update.wamid),
        participant=person.text(update.participant),
        recipient_id=_text(person, update.recipient_id),
        recipient_user_id=_text(person, update.recipient_user_id),
        errors=update.errors and words.part(person, update.errors),
        pricing=update.pricing and words.part(person, update.pricing),
        callback_data=None if update.callback_data is None else data(update.callback_data),
        rest=None if rest == "{}" else rest,
    )


def _text(person: Person, value: str | None) -> str | None:
    return None if value is None else person.text(value)


def _lock(tx: WriteTx, new: dict[str, str]) -> None:
    if tx.postgres:
        wanted = {"wamids": sorted({*new, *new.values()})}
        for table, key in (("sends", "message_id"), ("messages", "wamid")):
            tx.all(
                text(f"SELECT 1 FROM {table} WHERE wamid = ANY(:wamids) ORDER BY {key} FOR UPDATE"), wanted
            )


def _folded(tx: WriteTx, wamids: Sequence[str]) -> set[str]:
    """Those whose folded columns are what their updates say: of others, some updates are gone by age."""
    said: dict[str, list[Heard]] = {}
    for one in updates.of_messages(tx, wamids):
        said.setdefault(one.update.wamid, []).append(one)
    statement = f"SELECT wamid, {', '.join(COLUMNS)} FROM messages WHERE wamid {among(tx, 'wamids')}"
    return {
        row.wamid
        for row in tx.all(text(statement), {"wamids": given(tx, sorted(wamids))})
        if tuple(row[1:]) == fold((one.update, one.received_at) for one in said.get(row.wamid, ())).row()
    }


def _sends(tx: WriteTx, new: dict[str, str]) -> None:
    for old in _in(tx, "sends", new):
        tx.run(text("UPDATE sends SET wamid = :new WHERE wamid = :old"), {"new": new[old], "old": old})


def _messages(tx: WriteTx, new: dict[str, str], person: Person, words: Words, done: Counter[str]) -> set[str]:
    """Rename the rows; those whose new id was there already, and which therefore are gone."""
    crowded: set[str] = set()
    statement = f"SELECT * FROM messages WHERE wamid {among(tx, 'wamids')} ORDER BY wamid"
    for row in tx.all(text(statement), {"wamids": given(tx, sorted(new))}):
        old = row.wamid
        if new[old] != old and _there(tx, "messages", new[old]):
            tx.run(text("DELETE FROM messages WHERE wamid = :old"), {"old": old})
            if row.message_id is not None:
                senders_columns.copy(tx, [row.message_id])
            crowded.add(old)
            done["messages"] += 1
            continue
        data = words.data if new[old] != old else person.text
        values = {
            "wamid": new[old],
            "callback_data": None if row.callback_data is None else data(row.callback_data),
            **{name: _text(person, getattr(row, name)) for name in _MESSAGE_TEXTS},
            **{name: (value := getattr(row, name)) and words.part(person, value) for name in _MESSAGE_PARTS},
        }
        done["messages"] += _changed(tx, _MESSAGE, old, row, values)
    _participants(tx, new, person, words, done)
    return crowded


_MESSAGE_TEXTS = ("reference", "recipient", "recipient_id", "recipient_user_id", "type", "template")
_MESSAGE_PARTS = ("pricing", "error")
_MESSAGE_SETS = ", ".join(f"{name} = :{name}" for name in (*_MESSAGE_TEXTS, *_MESSAGE_PARTS))
_MESSAGE = text(
    f"UPDATE messages SET wamid = :wamid, callback_data = :callback_data, {_MESSAGE_SETS} WHERE wamid = :old"
)


def _changed(tx: WriteTx, statement: TextClause, old: str, row: Any, values: dict[str, Any]) -> int:
    """Write the values of a row whose key is the wamid `old`, when they are others than it has."""
    if all(getattr(row, name) == value for name, value in values.items()):
        return 0
    return tx.run(statement, {**values, "old": old})


def _participants(tx: WriteTx, new: dict[str, str], person: Person, words: Words, done: Counter[str]) -> None:
    statement = f"SELECT * FROM participants WHERE wamid {among(tx, 'wamids')} ORDER BY wamid, participant"
    for row in tx.all(text(statement), {"wamids": given(tx, sorted(new))}):
        values = {**row._mapping, "wamid": new[row.wamid], "participant": person.text(row.participant)}
        values["error"] = row.error and words.part(person, row.error)
        if values == dict(row._mapping):
            continue
        tx.run(
            text("DELETE FROM participants WHERE wamid = :wamid AND participant = :participant"),
            {"wamid": row.wamid, "participant": row.participant},
        )
        names = ("wamid", "participant", *PARTICIPANT_COLUMNS)
        tx.run(
            text(
                f"INSERT INTO participants ({', '.join(names)})"
                f" VALUES ({', '.join(f':{name}' for name in names)}) ON CONFLICT DO NOTHING"
            ),
            values,
        )
        done["participants"] += 1


def _updates(
    tx: WriteTx,
    told: Sequence[Any],
    new: dict[str, str],
    person: Person,
    words: Words,
    done: Counter[str],
) -> None:
    """Each under its new key, in the batch of the feed where it stood."""
    there = {one.key: one for one in updates.of_messages(tx, sorted(set(new.values()) - set(new)))}
    for row in sorted(told, key=lambda row: updates.heard(row).key):
        old = updates.heard(row)
        erased = replace(old, update=erased_update(old.update, person, words))
        if erased == old:
            continue
        tx.run(_DELETE_UPDATE, dict(zip(updates.KEY, old.key, strict=True)))
        done["status_updates"] += 1
        known = there.get(erased.key)
        if known is not None:
            updates.write(tx, updates.merge(known, erased))
            continue
        values = {one.name: getattr(erased.update, one.name) for one in fields(StatusUpdate)}
        rest = {"received_at": row.received_at, "webhook_id": row.webhook_id, "batch": row.batch}
        tx.run(_INSERT_UPDATE, {**values, **rest})
        there[erased.key] = erased


def _inbound(tx: WriteTx, new: dict[str, str], person: Person, words: Words, done: Counter[str]) -> None:
    """Theirs, and answers to messages of theirs, also to those that are known by nothing else."""
    statement = f"SELECT * FROM inbound_messages WHERE wamid {among(tx, 'wamids')} ORDER BY wamid"
    for row in tx.all(text(statement), {"wamids": given(tx, sorted(new))}):
        if new[row.wamid] != row.wamid and _there(tx, "inbound_messages", new[row.wamid]):
            tx.run(text("DELETE FROM inbound_messages WHERE wamid = :old"), {"old": row.wamid})
            done["inbound_messages"] += 1
            continue
        values = {
            "wamid": new[row.wamid],
            **{name: _text(person, getattr(row, name)) for name in _INBOUND_TEXTS},
            "content": row.content and words.part(person, row.content),
        }
        done["inbound_messages"] += _changed(tx, _INBOUND, row.wamid, row, values)
    renamed_ones = [{"old": old, "new": new[old]} for old in sorted(new) if new[old] != old]
    if renamed_ones:
        tx.run(text("UPDATE inbound_messages SET replies_to = :new WHERE replies_to = :old"), renamed_ones)


_INBOUND_TEXTS = ("sender_id", "sender_user_id", "type", "group_id", "replies_to")
_INBOUND_SETS = ", ".join(f"{name} = :{name}" for name in (*_INBOUND_TEXTS, "content"))
_INBOUND = text(f"UPDATE inbound_messages SET wamid = :wamid, {_INBOUND_SETS} WHERE wamid = :old")


def _beside(tx: WriteTx, new: dict[str, str], person: Person, done: Counter[str]) -> None:
    """Every other table that names a message, when its id is another now."""
    renamed_ones = [old for old in new if new[old] != old]
    if not renamed_ones:
        return
    ledger.locked(tx)  # whoever works charges out has done it, and does it anew after us
    for table in _BESIDE:
        other = _OTHER_KEY.get(table)
        same = f" AND other.{other} = {table}.{other}" if other else ""
        move = text(
            f"UPDATE {table} SET wamid = :new WHERE {by_key(table)}wamid = :old AND NOT EXISTS"
            f" (SELECT 1 FROM {table} AS other WHERE other.wamid = :new{same})"
        )
        gone = text(f"DELETE FROM {table} WHERE {by_key(table)}wamid = :old")
        for old in _in(tx, table, renamed_ones):
            done[table] += tx.run(move, {"old": old, "new": new[old]}) + tx.run(gone, {"old": old})
    for old in _in(tx, "strangers", renamed_ones):
        _stranger(tx, old, new[old], person)
        done["strangers"] += 1


def by_key(table: str) -> str:
    """What has to be said before the wamid, so that the key of the table serves."""
    return f"kind IN {KINDS} AND " if table == "open_messages" else ""


def _in(tx: WriteTx, table: str, wamids: Iterable[str]) -> list[str]:
    """Those of them that the table names."""
    named = f"{by_key(table)}wamid {among(tx, 'wamids')}"
    statement = f"SELECT DISTINCT wamid FROM {table} WHERE {named} ORDER BY wamid"
    return [row.wamid for row in tx.all(text(statement), {"wamids": given(tx, sorted(wamids))})]


def _stranger(tx: WriteTx, old: str, new: str, person: Person) -> None:
    """Under the address of the new id."""
    row = tx.first(text("SELECT * FROM strangers WHERE wamid = :old"), {"old": old})
    if row is not None and not _there(tx, "strangers", new):
        names = {name: _text(person, getattr(row, name)) for name in ("recipient", "user_id")}
        tx.run(
            text(
                "UPDATE strangers SET wamid = :new, address = :address, recipient = :recipient,"
                " user_id = :user_id WHERE wamid = :old"
            ),
            {"old": old, "new": new, "address": strangers.address(new), **names},
        )
    tx.run(text("DELETE FROM strangers WHERE wamid = :old"), {"old": old})


def _there(tx: WriteTx, table: str, wamid: str) -> bool:
    return tx.value(text(f"SELECT 1 FROM {table} WHERE wamid = :wamid"), {"wamid": wamid}) is not None
