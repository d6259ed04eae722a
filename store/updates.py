"""Status updates: each kept once, and what the copies of one have in common.

Copies of an update merge by rules that no order can change: the smallest (received_at, webhook_id), the
greatest of each value, the smallest of the errors. Who repeated whom is remembered for replay.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

from sqlalchemy import text

from store import charges_due, rollup_marks
from store.bulk import BIGINT, DOUBLE, TEXT, Bulk
from store.database import ReadTx, WriteTx
from store.lists import among, given
from store.records import StatusUpdate

KEY = ("wamid", "participant", "status", "occurred_at", "error_codes")
_GREATEST = ("phone_number_id", "recipient_id", "recipient_user_id", "pricing", "callback_data", "rest")
UPDATE_COLUMNS = tuple(field.name for field in fields(StatusUpdate))
_VALUES = attrgetter(*UPDATE_COLUMNS)
_KINDS = {"occurred_at": BIGINT}
_INSERT = Bulk(
    table="status_updates",
    columns=(
        *((name, _KINDS.get(name, TEXT)) for name in UPDATE_COLUMNS),
        ("received_at", DOUBLE),
        ("webhook_id", BIGINT),
        ("batch", BIGINT),
    ),
    conflict="ON CONFLICT (wamid, participant, status, occurred_at, error_codes) DO NOTHING",
)
_REPEAT = Bulk(
    table="webhook_repeats",
    columns=(("earlier_id", BIGINT), ("later_id", BIGINT)),
    conflict="ON CONFLICT DO NOTHING",
)

Key = tuple[str, str, str, int, str]


@dataclass(frozen=True, slots=True)
class Heard:
    """An update with the webhook it came in."""

    update: StatusUpdate
    received_at: float
    webhook_id: int

    @property
    def key(self) -> Key:
        update = self.update
        return update.wamid, update.participant, update.status, update.occurred_at, update.error_codes


def merge(a: Heard, b: Heard) -> Heard:
    """What two copies of one update say together; commutative, associative and idempotent."""
    first = min(a, b, key=lambda heard: (heard.received_at, heard.webhook_id))
    if a.update == b.update:
        return first
    values: dict[str, Any] = {}
    for name in _GREATEST:
        said = [value for h in (a, b) if (value := getattr(h.update, name)) is not None]
        values[name] = max(said, default=None)  # '' is a value, and not the same as nothing
    errors = [h.update.errors for h in (a, b) if h.update.errors is not None]
    return replace(first, update=replace(a.update, **values, errors=min(errors, default=None)))


def merged(heard: Iterable[Heard]) -> tuple[dict[Key, Heard], set[tuple[int, int]]]:
    """One entry a key, and the pairs (earlier, later) of webhooks that said the same."""
    by_key: dict[Key, Heard] = {}
    repeats: set[tuple[int, int]] = set()
    for one in heard:
        known = by_key.setdefault(one.key, one)
        if known is not one:
            by_key[one.key] = merge(known, one)
            _pair(repeats, known.webhook_id, one.webhook_id)
    return by_key, repeats


def insert(tx: WriteTx, by_key: Mapping[Key, Heard], batch: int) -> int:
    """Write what is new and merge what is known; how many were new."""
    rows = [_row(by_key[key], batch) for key in sorted(by_key)]
    new = _INSERT.run(tx, rows)
    if new < len(rows):
        _merge_known(tx, by_key, batch)
    return new


def remember_repeats(tx: WriteTx, repeats: Iterable[tuple[int, int]]) -> None:
    _REPEAT.run(tx, sorted(repeats))


def of_messages(tx: ReadTx, wamids: Sequence[str]) -> list[Heard]:
    statement = f"SELECT * FROM status_updates WHERE wamid {among(tx, 'wamids')}"
    return [heard(row) for row in tx.all(text(statement), {"wamids": given(tx, wamids)})]


def heard(row: Any) -> Heard:
    """A row of status_updates as the value it was made from."""
    update = StatusUpdate(**{name: getattr(row, name) for name in UPDATE_COLUMNS})
    return Heard(update, row.received_at, row.webhook_id)


def _row(one: Heard, batch: int) -> tuple[Any, ...]:
    return (*_VALUES(one.update), one.received_at, one.webhook_id, batch)


def _merge_known(tx: WriteTx, by_key: Mapping[Key, Heard], batch: int) -> None:
    """The rare way: updates that were there already, perhaps from another webhook or with other values."""
    lock = " ORDER BY wamid, participant, status, occurred_at, error_codes FOR UPDATE" if tx.postgres else ""
    statement = f"SELECT * FROM status_updates WHERE wamid {among(tx, 'wamids')} AND batch <> :batch{lock}"
    wamids = given(tx, sorted({key[0] for key in by_key}))
    repeats: set[tuple[int, int]] = set()
    told_more: set[str] = set()
    other: set[str] = set()
    for row in tx.all(text(statement), {"wamids": wamids, "batch": batch}):
        old = heard(row)
        new = by_key.get(old.key)
        if new is None:
            continue
        _pair(repeats, old.webhook_id, new.webhook_id)
        both = merge(old, new)
        if both != old:
            write(tx, both)
            other.add(old.update.wamid)
        if both.update != old.update:
            told_more.add(old.update.wamid)
    remember_repeats(tx, repeats)
    charges_due.mark(tx, told_more)  # the feed names new updates only
    rollup_marks.mark(tx, other)


_SET = ", ".join(f"{name} = :{name}" for name in (*_GREATEST, "errors", "received_at", "webhook_id"))
_WRITE = text(f"UPDATE status_updates SET {_SET} WHERE {' AND '.join(f'{name} = :{name}' for name in KEY)}")


def write(tx: WriteTx, one: Heard) -> None:
    """Overwrite the values of a known update."""
    values = {name: getattr(one.update, name) for name in UPDATE_COLUMNS}
    tx.run(_WRITE, {**values, "received_at": one.received_at, "webhook_id": one.webhook_id})


def _pair(repeats: set[tuple[int, int]], a: int, b: int) -> None:
    if a != b:
        repeats.add((min(a, b), max(a, b)))
