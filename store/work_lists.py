"""The work lists: messages that need a person, newest first, page by page, and how many there are.

A list for all numbers reads one index from its end; one for some numbers reads each number's part of it
and merges them, so that somebody else's millions of rows cost nothing. Counting stops above `MOST`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from sqlalchemy import text

from store import status, strangers
from store.database import ReadTx
from store.lists import among, given

MOST = 1000  # counted exactly up to here
Numbers = tuple[str, ...]  # () is all


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: behind this time and key."""

    at: float
    key: str


@dataclass(frozen=True, slots=True)
class Count:
    exact: int  # at most MOST
    more: bool

    def __str__(self) -> str:
        return f"{self.exact}+" if self.more else str(self.exact)

    def __bool__(self) -> bool:
        return self.exact > 0


_SHOWN = f"""SELECT o.since AS at, o.wamid AS key, o.wamid, m.wamid AS message_wamid,
 coalesce(s.message_id, m.message_id) AS message_id, s.state, s.settled_by,
 coalesce(s.reference, m.reference) AS reference, o.phone_number_id,
 coalesce(s.recipient, m.recipient, m.recipient_id) AS recipient, m.recipient_user_id,
 coalesce(s.type, m.type) AS type, coalesce(s.template, m.template) AS template,
 m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at, m.error AS message_error,
 {status.STATUS_SQL} AS status"""
_JOINS = "JOIN messages AS m ON m.wamid = o.wamid LEFT JOIN sends AS s ON s.wamid = o.wamid"


def open_page(
    tx: ReadTx,
    kind: str,
    numbers: Numbers,
    until: float,
    limit: int,
    after: Cursor | None = None,
    *,
    nameless: bool = True,
) -> list[Mapping[str, Any]]:
    """Marked messages of a kind, open since before `until` (exclusive). `nameless`: also without a number."""
    values = {"kind": kind, "until": until, "limit": limit, **_behind(after)}
    marks = nlargest(
        limit,
        (row for one in _parts(numbers) for row in tx.all(*_open_part(one, values, after, nameless))),
        key=lambda row: (row.since, row.wamid),
    )
    if not marks:
        return []
    statement = (
        f"{_SHOWN} FROM open_messages AS o {_JOINS} WHERE o.kind = :kind AND o.wamid {among(tx, 'wamids')}"
        " ORDER BY o.since DESC, o.wamid DESC"
    )
    wamids = given(tx, [row.wamid for row in marks])
    return [dict(row._mapping) for row in tx.all(text(statement), {"kind": kind, "wamids": wamids})]


def open_count(
    tx: ReadTx, kind: str, numbers: Numbers, until: float, most: int = MOST, *, nameless: bool = True
) -> Count:
    def part(number: str | None) -> str:
        mine = _of(number, nameless)
        return f"open_messages WHERE kind = :kind AND since < :until{mine}"

    return _count(tx, numbers, part, {"kind": kind, "until": until}, most)


def unknown_page(
    tx: ReadTx, numbers: Numbers, limit: int, after: Cursor | None = None
) -> list[Mapping[str, Any]]:
    """Sends of which nobody knows whether they left, newest first."""
    mine = _unknown_of(tx, numbers)
    behind = " AND (queued_at, message_id) < (:after_at, :after_key)" if after else ""
    statement = (
        "SELECT queued_at AS at, message_id AS key, message_id, phone_number_id, recipient, type, template,"
        " reference, error AS send_error, attempts, 'unknown' AS status FROM sends"
        f" WHERE state = 'unknown'{mine}{behind} ORDER BY queued_at DESC, message_id DESC LIMIT :limit"
    )
    values = {"limit": limit, **_behind(after), **_of_numbers(tx, numbers)}
    return [dict(row._mapping) for row in tx.all(text(statement), values)]


def unknown_count(tx: ReadTx, numbers: Numbers, most: int = MOST) -> Count:
    mine = _unknown_of(tx, numbers)
    return _capped(tx, f"sends WHERE state = 'unknown'{mine}", _of_numbers(tx, numbers), most)


def quarantine_page(tx: ReadTx, limit: int, after: Cursor | None = None) -> list[Mapping[str, Any]]:
    """What could not be understood and is still open; it belongs to no number. The key is hexadecimal."""
    behind = " AND (received_at, digest) < (:after_at, :after_key)" if after else ""
    statement = (
        "SELECT received_at AS at, digest, pointer, reason, webhook_id, length(part) AS length"
        f" FROM quarantine WHERE closed_at IS NULL{behind}"
        " ORDER BY received_at DESC, digest DESC LIMIT :limit"
    )
    values: dict[str, Any] = {"limit": limit}
    if after:
        values |= {"after_at": after.at, "after_key": bytes.fromhex(after.key)}
    found = tx.all(text(statement), values)
    return [{**row._mapping, "key": bytes(row.digest).hex()} for row in found]


def quarantine_count(tx: ReadTx, most: int = MOST) -> Count:
    return _capped(tx, "quarantine WHERE closed_at IS NULL", {}, most)


def quarantined(tx: ReadTx, key: str) -> Mapping[str, Any] | None:
    """One part whole; None when the key is no digest of any."""
    try:
        digest = bytes.fromhex(key)
    except ValueError:
        return None
    row = tx.first(text("SELECT * FROM quarantine WHERE digest = :digest"), {"digest": digest})
    return row and {**row._mapping, "key": key}


def suppressed_count(tx: ReadTx, most: int = MOST) -> Count:
    """The list itself is `suppressions.listed`; an opt-out counts for all numbers."""
    return _capped(tx, "suppressions WHERE stopped", {}, most)


def wamid_at(tx: ReadTx, address: str) -> str | None:
    """The wamid behind the address of a message's page."""
    if address.startswith("w-"):
        return strangers.find(tx, address)
    found = tx.value(text("SELECT wamid FROM messages WHERE message_id = :id"), {"id": address})
    return None if found is None else str(found)


def queued_count(tx: ReadTx, numbers: Numbers, most: int = MOST) -> Count:
    """The outbox: what waits to be sent."""

    def part(number: str | None) -> str:
        return f"sends WHERE state = 'queued'{'' if number is None else ' AND phone_number_id = :number'}"

    return _count(tx, numbers, part, {}, most)


def open_part(number: str | None, after: Cursor | None, nameless: bool = True) -> str:
    """The statement of one part of a list; public, so that its plan can be tested."""
    mine = _of(number, nameless)
    behind = " AND (since, wamid) < (:after_at, :after_key)" if after else ""
    return (
        f"SELECT since, wamid FROM open_messages WHERE kind = :kind{mine} AND since < :until{behind}"
        " ORDER BY since DESC, wamid DESC LIMIT :limit"
    )


def _open_part(
    number: str | None, values: Mapping[str, Any], after: Cursor | None, nameless: bool
) -> tuple[Any, Any]:
    named = {} if number is None else {"number": number}
    return text(open_part(number, after, nameless)), {**values, **named}


def _of(number: str | None, nameless: bool) -> str:
    if number is not None:
        return " AND phone_number_id = :number"
    return "" if nameless else " AND phone_number_id <> ''"


def _parts(numbers: Numbers) -> Sequence[str | None]:
    return sorted(set(numbers)) if numbers else (None,)


def _count(tx: ReadTx, numbers: Numbers, part: Any, values: Mapping[str, Any], most: int) -> Count:
    total = 0
    for number in _parts(numbers):
        named = {} if number is None else {"number": number}
        total += _first(tx, part(number), {**values, **named}, most + 1)
    return Count(min(total, most), total > most)


def _capped(tx: ReadTx, rows: str, values: Mapping[str, Any], most: int) -> Count:
    found = _first(tx, rows, values, most + 1)
    return Count(min(found, most), found > most)


def _first(tx: ReadTx, rows: str, values: Mapping[str, Any], most: int) -> int:
    """How many of these rows there are, counted up to `most`."""
    statement = f"SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT :most) AS counted"
    return int(tx.value(text(statement), {**values, "most": most}) or 0)


def _behind(after: Cursor | None) -> dict[str, Any]:
    return {"after_at": after.at, "after_key": after.key} if after else {}


def _unknown_of(tx: ReadTx, numbers: Numbers) -> str:
    """The few unknown sends are looked through. The + keeps SQLite, which keeps no statistics, from taking
    the index over all sends of a number instead."""
    return f" AND {'' if tx.postgres else '+'}phone_number_id {among(tx, 'numbers')}" if numbers else ""


def _of_numbers(tx: ReadTx, numbers: Numbers) -> dict[str, Any]:
    return {"numbers": given(tx, numbers)} if numbers else {}
