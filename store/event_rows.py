"""The rows of the feed's batches: status updates, then how attempts ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store.database import ReadTx
from store.lists import among, given

Key = tuple[str | int, ...]
# What tells rows apart inside a batch. The two differ in length, so a key tells which of them it is.
UPDATE_KEY = ("wamid", "participant", "status", "occurred_at", "error_codes")
ATTEMPT_KEY = ("message_id", "number")


@dataclass(frozen=True, slots=True)
class _Source:
    """A table that holds rows of batches. `number`: the sending number that a row belongs to."""

    kind: str
    alias: str
    key: tuple[str, ...]
    number: str
    select: str

    @property
    def columns(self) -> list[str]:
        return [f"{self.alias}.{name}" for name in self.key]


_UPDATES = _Source(
    "status",
    "u",
    UPDATE_KEY,
    "coalesce(s.phone_number_id, u.phone_number_id)",
    "SELECT f.position, u.*, s.message_id, s.reference, coalesce(s.phone_number_id, u.phone_number_id)"
    " AS sent_from, coalesce(s.queued_at, m.first_seen_at) AS queued_at"
    " FROM feed AS f JOIN status_updates AS u ON u.batch = f.batch"
    " LEFT JOIN sends AS s ON s.wamid = u.wamid LEFT JOIN messages AS m ON m.wamid = u.wamid",
)
_ATTEMPTS = _Source(
    "attempt",
    "o",
    ATTEMPT_KEY,
    "s.phone_number_id",
    "SELECT f.position, o.message_id, o.number, o.ended_at, o.outcome, o.http_status, o.error, f.stamped_at,"
    " s.wamid, s.reference, s.phone_number_id AS sent_from, s.queued_at FROM feed AS f"
    " JOIN attempt_outcomes AS o ON o.batch = f.batch LEFT JOIN sends AS s ON s.message_id = o.message_id",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows at these positions, at most so many. `numbers`: whose alone, () is all; `nameless`: of none, too.

    Of the position `begun` only what comes after `key`; without a key all.
    """

    positions: Sequence[int]
    most: int
    begun: int
    key: Key | None
    numbers: Sequence[str]
    nameless: bool


def rows(tx: ReadTx, wanted: Wanted) -> list[dict[str, Any]]:
    """In the order of the feed, each with its `kind` and `key`."""
    found = [*_rows(tx, wanted, _UPDATES), *_rows(tx, wanted, _ATTEMPTS)]
    return sorted(found, key=lambda one: one["position"])[: wanted.most]  # stable: updates before attempts


def _rows(tx: ReadTx, wanted: Wanted, source: _Source) -> list[dict[str, Any]]:
    columns = ", ".join(source.columns)
    past, after = _past(source, wanted)
    mine = "" if wanted.nameless else f" AND {source.number} IS NOT NULL"
    if wanted.numbers:
        mine = f" AND {source.number} {among(tx, 'numbers')}"
    statement = (
        f"{source.select} WHERE f.position {among(tx, 'positions')}{past}{mine}"
        f" ORDER BY f.position, {columns} LIMIT :most"
    )
    lists = {"positions": given(tx, wanted.positions), "numbers": given(tx, wanted.numbers)}
    found = [dict(row._mapping) for row in tx.all(text(statement), {**lists, **after, "most": wanted.most})]
    return [{**one, "kind": source.kind, "key": tuple(one[name] for name in source.key)} for one in found]


def _past(source: _Source, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """The condition, and its values, that keeps out what was read of the begun batch before."""
    if wanted.key is None:
        return "", {}
    if len(wanted.key) == len(source.key):
        values = ", ".join(f":{name}" for name in source.key)
        further = f"({', '.join(source.columns)}) > ({values})"
        known = dict(zip(source.key, wanted.key, strict=True))
        return f" AND (f.position > :begun OR {further})", {"begun": wanted.begun, **known}
    if source is _UPDATES:  # the cursor stands among the attempts
        return " AND f.position > :begun", {"begun": wanted.begun}
    return "", {}
