"""Account events as people look at them: newest first, page by page, one field or all."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from sqlalchemy import Row, bindparam, text

from store.database import ReadTx

MOST_FIELDS = 200  # Meta has about forty
LONGEST = 20_000  # characters of a value that a list reads
_HEAD = "digest, entry_id, field, kind, occurred_at, received_at, webhook_id, length(value) AS length"

_SHOWN = text(
    f"SELECT {_HEAD}, CASE WHEN length(value) <= :longest THEN value END AS value"
    " FROM account_events WHERE digest IN :digests"
).bindparams(bindparam("digests", expanding=True))


@dataclass(frozen=True, slots=True)
class Event:
    """`key`: its digest in hexadecimal. `value` None: too long for a list."""

    key: str
    entry_id: str
    field: str
    kind: str
    occurred_at: int | None
    received_at: float
    webhook_id: int
    length: int
    value: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: behind this time of arrival and key."""

    at: float
    key: str


def fields(tx: ReadTx) -> list[str]:
    """Every field that stands in the table: a jump along the index from one to the next."""
    found: list[str] = []
    while len(found) < MOST_FIELDS:
        after = tx.value(
            text("SELECT min(field) FROM account_events WHERE field > :after"),
            {"after": found[-1] if found else ""},
        )
        if after is None:
            break
        found.append(after)
    return found


def page(tx: ReadTx, chosen: Sequence[str], limit: int, after: Cursor | None = None) -> list[Event]:
    """Of these fields. Each reads the end of its part of the index; what is newest of all is read whole."""
    values: dict[str, Any] = {"limit": limit}
    if after is not None:
        values |= {"after_at": after.at, "after_key": bytes.fromhex(after.key)}
    statement = text(part(after))
    rows = (row for field in chosen for row in tx.all(statement, {**values, "field": field}))
    newest = nlargest(limit, ((row.received_at, bytes(row.digest)) for row in rows))
    if not newest:
        return []
    found = tx.all(_SHOWN, {"longest": LONGEST, "digests": [digest for _, digest in newest]})
    return sorted((_event(row) for row in found), key=lambda one: (one.received_at, one.key), reverse=True)


def part(after: Cursor | None) -> str:
    """The statement of one field's part; public, so that its plan can be tested.

    The bound on the time alone lets the index begin where the page does."""
    behind = (
        " AND received_at <= :after_at AND (received_at, digest) < (:after_at, :after_key)" if after else ""
    )
    return (
        f"SELECT received_at, digest FROM account_events WHERE field = :field{behind}"
        " ORDER BY received_at DESC, digest DESC LIMIT :limit"
    )


def one(tx: ReadTx, key: str) -> Event | None:
    """Whole; None when the key is no digest of any."""
    try:
        digest = bytes.fromhex(key)
    except ValueError:
        return None
    row = tx.first(
        text(f"SELECT {_HEAD}, value FROM account_events WHERE digest = :digest"), {"digest": digest}
    )
    return _event(row) if row else None


def _event(row: Row[Any]) -> Event:
    found = dict(row._mapping)
    return Event(key=bytes(found.pop("digest")).hex(), **found)
