"""What webhooks say besides statuses: inbound messages, account events, quarantine. Each kept once."""

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import text

from store.bulk import BIGINT, BYTES, DOUBLE, TEXT, Bulk
from store.database import WriteTx
from store.lists import among, given
from store.records import AccountEvent, InboundMessage, QuarantinedPart

_EARLIER = "(excluded.received_at, excluded.webhook_id) < ({table}.received_at, {table}.webhook_id)"


def _first_wins(table: str, key: str, more: str = "") -> str:
    earlier = _EARLIER.format(table=table)
    return (
        f"ON CONFLICT ({key}) DO UPDATE SET received_at = excluded.received_at,"
        f" webhook_id = excluded.webhook_id{more} WHERE {earlier}"
    )


_INBOUND_VALUES = (
    "type",
    "phone_number_id",
    "sender_id",
    "sender_user_id",
    "group_id",
    "replies_to",
    "content",
)
_INBOUND = Bulk(
    table="inbound_messages",
    columns=(
        ("wamid", TEXT),
        ("occurred_at", BIGINT),
        *((name, TEXT) for name in _INBOUND_VALUES),
        ("received_at", DOUBLE),
        ("webhook_id", BIGINT),
    ),
    conflict=_first_wins(
        "inbound_messages",
        "wamid",
        "".join(f", {name} = excluded.{name}" for name in ("occurred_at", *_INBOUND_VALUES)),
    ),
)
_EVENTS = Bulk(
    table="account_events",
    columns=(
        ("digest", BYTES),
        ("entry_id", TEXT),
        ("field", TEXT),
        ("kind", TEXT),
        ("occurred_at", BIGINT),
        ("value", TEXT),
        ("received_at", DOUBLE),
        ("webhook_id", BIGINT),
    ),
    conflict=_first_wins("account_events", "digest"),
)
_QUARANTINE = Bulk(
    table="quarantine",
    columns=(
        ("digest", BYTES),
        ("pointer", TEXT),
        ("reason", TEXT),
        ("part", TEXT),
        ("received_at", DOUBLE),
        ("webhook_id", BIGINT),
    ),
    conflict=_first_wins("quarantine", "digest", ", pointer = excluded.pointer"),
)

Sourced = tuple[float, int]  # received_at, webhook_id


def write_inbound(tx: WriteTx, items: Iterable[tuple[InboundMessage, Sourced]], *, keep_content: bool) -> int:
    """Copies of one inbound message differ in nothing that Meta documents; the first that arrived is kept."""
    return _write(
        tx,
        _INBOUND,
        [
            (
                one.wamid,
                one.occurred_at,
                one.kind,
                one.phone_number_id,
                one.sender_id,
                one.sender_user_id,
                one.group_id,
                one.replies_to,
                one.content if keep_content else None,
                *source,
            )
            for one, source in items
        ],
    )


def write_events(tx: WriteTx, items: Iterable[tuple[AccountEvent, Sourced]]) -> int:
    return _write(
        tx,
        _EVENTS,
        [
            (event_digest(one), one.entry_id, one.field, one.kind, one.occurred_at, one.value, *source)
            for one, source in items
        ],
    )


def write_quarantine(tx: WriteTx, items: Iterable[tuple[QuarantinedPart, Sourced]]) -> int:
    return _write(
        tx,
        _QUARANTINE,
        [(quarantine_digest(one), one.pointer, one.reason, one.part, *source) for one, source in items],
    )


def event_digest(one: AccountEvent) -> bytes:
    when = "" if one.occurred_at is None else str(one.occurred_at)
    return _digest(one.entry_id, when, one.field, one.value)


def quarantine_digest(one: QuarantinedPart) -> bytes:
    return _digest(one.part, one.reason)


def close_quarantine(tx: WriteTx, digests: Sequence[bytes], now: float) -> None:
    for digest in digests:
        tx.run(
            text("UPDATE quarantine SET closed_at = :now WHERE digest = :digest AND closed_at IS NULL"),
            {"now": now, "digest": digest},
        )


def delete_of(tx: WriteTx, table: str, webhook_ids: Sequence[int]) -> None:
    tx.run(text(f"DELETE FROM {table} WHERE webhook_id {among(tx, 'ids')}"), {"ids": given(tx, webhook_ids)})


def _write(tx: WriteTx, bulk: Bulk, rows: list[tuple[object, ...]]) -> int:
    """One row a key, the earliest (received_at, webhook_id), keys sorted."""
    by_key: dict[object, tuple[object, ...]] = {}
    for row in rows:
        known = by_key.get(row[0])
        if known is None or row[-2:] < known[-2:]:
            by_key[row[0]] = row
    return bulk.run(tx, [by_key[key] for key in sorted(by_key)])  # type: ignore[type-var]


def _digest(*parts: str) -> bytes:
    sha = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        sha.update(len(encoded).to_bytes(8, "big") + encoded)
    return sha.digest()
