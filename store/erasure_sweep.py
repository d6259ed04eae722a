"""Every text of every table, looked through for an erased person: nothing is forgotten by being new.

The walk goes by the tables' own description. A table that appears later is swept without being named here;
only what belongs to the installation itself is left out.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import LargeBinary, Table, Text, text

from store import erasure_rows
from store.database import Database, ReadTx, WriteTx
from store.erasure_state import Words, written
from store.extras import event_digest, quarantine_digest
from store.records import AccountEvent, QuarantinedPart
from store.tables import metadata
from whatsapp.masking import calling_code, digits
from whatsapp.person import Person

PAGE = 1_000
AT_ONCE = 5
OURS = frozenset(  # who runs this installation, and what it is; bodies are walked by erasure_bodies
    {
        *("webhooks", "installation", "endpoints", "numbers", "users", "sessions", "api_tokens"),
        *("sign_in_failures", "accounts", "rate_cards", "followers", "feed", "processor_marks"),
    }
)
NOT_THEIRS = frozenset(  # our numbers and ids, and words that nobody typed
    {
        *("phone_number_id", "reported_number", "entry_id", "waba_id", "message_id", "bulk_run_id"),
        *("again_of", "retry_of", "claim_id", "rate_id", "day", "charged_on", "error_codes", "status"),
    }
)
LISTS = frozenset({"rate_cells", "suppressions", "known_as", "searches"})  # their rows go
MESSAGES = frozenset({"status_updates", "messages", "participants", "inbound_messages"})
UNDER_WAY = ("queued", "sending", "unknown")  # their payload leaves as it was given

Row = Mapping[str, Any]


def tables() -> list[Table]:
    """Those with texts in which a person can be."""
    return [one for one in metadata.sorted_tables if one.name not in OURS and columns(one)]


def columns(table: Table) -> list[str]:
    kinds = (Text, LargeBinary)
    return [
        one.name
        for one in table.columns
        if isinstance(one.type, kinds) and one.name not in NOT_THEIRS and "digest" not in one.name
    ]


def sweep(
    database: Database, table: Table, person: Person, words: Words, told: Callable[[int], None]
) -> Counter[str]:
    """Take the person out of this table; in how many rows they were, and in those of messages beside it."""
    done: Counter[str] = Counter()
    for page in pages(database, table):
        hits = [row for row in page if holds(table, row, person, words)]
        for some in (hits[at : at + AT_ONCE] for at in range(0, len(hits), AT_ONCE)):
            done += written(database, partial(_clean, table=table, hits=some, person=person, words=words))
        told(len(page))
    return done


def pages(database: Database, table: Table) -> Iterator[Sequence[Row]]:
    """All rows by key, in short transactions."""
    keys = [one.name for one in table.primary_key.columns]
    names = list(dict.fromkeys([*keys, *(one.name for one in table.columns)]))
    after: tuple[Any, ...] | None = None
    while True:
        where = f" WHERE ({', '.join(keys)}) > ({', '.join(f':{key}' for key in keys)})" if after else ""
        statement = f"SELECT {', '.join(names)} FROM {table.name}{where} ORDER BY {', '.join(keys)}"
        with database.read() as tx:
            values = {**dict(zip(keys, after or (), strict=bool(after))), "most": PAGE}
            rows = [dict(row._mapping) for row in tx.all(text(f"{statement} LIMIT :most"), values)]
        if rows:
            yield rows
            after = tuple(rows[-1][key] for key in keys)
        if len(rows) < PAGE:
            return


def holds(table: Table, row: Row, person: Person, words: Words) -> bool:
    """Whether they are in this row."""
    texts = [_as_text(row[name]) for name in columns(table) if row[name] is not None]
    whole = "\n".join(texts)
    if "\\" not in whole and person.text(whole) is whole and table.name != "bulk_problems":
        return False
    return bool(changes(table, row, person, words))


def changes(table: Table, row: Row, person: Person, words: Words) -> dict[str, Any]:
    """The columns that become something else, and what. Pure."""
    changed: dict[str, Any] = {}
    for name in columns(table):
        value = row[name]
        if value is None or (name == "payload" and row["state"] in UNDER_WAY):
            continue
        before = _as_text(value)
        after = words.part(person, before)
        if table.name == "bulk_problems" and name == "recipient_typed" and _typed(before, person):
            after = person.message(before)
        if after != before:
            changed[name] = after.encode("utf-8", "surrogateescape") if isinstance(value, bytes) else after
    return changed


def _typed(typed: str, person: Person) -> bool:
    """What could not be read as a number may be one without its country code."""
    number = digits(typed).lstrip("0")
    bare = {name for name in person.names if name.isdecimal()}
    return len(number) >= 7 and any(number in (name, name[len(calling_code(name)) :]) for name in bare)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return bytes(value).decode("utf-8", "surrogateescape")


def _clean(tx: WriteTx, table: Table, hits: Sequence[Row], person: Person, words: Words) -> Counter[str]:
    keys = [one.name for one in table.primary_key.columns]
    if table.name in MESSAGES:
        return erasure_rows.erase(tx, sorted({row["wamid"] for row in hits}), person, words)
    return Counter({table.name: sum(_clean_row(tx, table, keys, row, person, words) for row in hits)})


def _clean_row(
    tx: WriteTx, table: Table, keys: Sequence[str], seen: Row, person: Person, words: Words
) -> bool:
    place = " AND ".join(f"{key} = :key_{key}" for key in keys)
    at = {f"key_{key}": seen[key] for key in keys}
    lock = " FOR UPDATE" if tx.postgres else ""
    found = tx.first(text(f"SELECT * FROM {table.name} WHERE {place}{lock}"), at)
    changed = changes(table, dict(found._mapping), person, words) if found else {}
    if found is None or not changed:
        return False
    row = {**found._mapping, **changed}
    if table.name in ("account_events", "quarantine"):
        changed["digest"] = row["digest"] = _digest(table.name, row)
    if table.name in LISTS or (not changed.keys().isdisjoint(keys) and _there(tx, table, keys, row)):
        tx.run(text(f"DELETE FROM {table.name} WHERE {place}"), at)
        return True
    sets = ", ".join(f"{name} = :{name}" for name in changed)
    tx.run(text(f"UPDATE {table.name} SET {sets} WHERE {place}"), {**changed, **at})
    return True


def _digest(table: str, row: Row) -> bytes:
    """As the next replay will write it."""
    if table == "quarantine":
        return quarantine_digest(QuarantinedPart(row["pointer"], row["reason"], row["part"]))
    return event_digest(AccountEvent(row["entry_id"], row["field"], row["occurred_at"], row["value"]))


def _there(tx: ReadTx, table: Table, keys: Sequence[str], row: Row) -> bool:
    place = " AND ".join(f"{key} = :{key}" for key in keys)
    return tx.value(text(f"SELECT 1 FROM {table.name} WHERE {place}"), {k: row[k] for k in keys}) is not None
