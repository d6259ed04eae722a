"""Keeping what Meta posts, byte for byte, and finding it again."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from store.bulk import BIGINT, BOOLEAN, BYTES, DOUBLE, TEXT, Bulk, arrays, placeholder
from store.database import ReadTx, WriteTx
from store.lists import among, given

WORTH_COMPRESSING = 1024  # bytes; below it zlib costs more time than the bytes it saves are worth
_COLUMNS = (
    ("received_at", DOUBLE),
    ("endpoint", TEXT),
    ("secret", TEXT),
    ("digest", BYTES),
    ("size", BIGINT),
    ("compressed", BOOLEAN),
    ("body", BYTES),
)
_KEEP_SQLITE = Bulk(table="webhooks", columns=_COLUMNS)
_KEEP_POSTGRES = (
    f"WITH kept AS (INSERT INTO webhooks ({', '.join(name for name, _ in _COLUMNS)})"
    f" SELECT * FROM unnest({', '.join(placeholder(kind) for _, kind in _COLUMNS)})"
    " RETURNING id, received_at, size)"
    " INSERT INTO webhook_backlog (webhook_id, received_at, size) SELECT id, received_at, size FROM kept"
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """An authentic POST as the door hands it over."""

    body: bytes
    received_at: float
    endpoint: str = ""
    secret: str = "current"  # noqa: S105  the name of the one that matched, never its value


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept webhook, its body unpacked."""

    webhook_id: int
    received_at: float
    endpoint: str
    body: bytes


def keep(tx: WriteTx, incoming: Sequence[Incoming]) -> None:
    """Store each body with its backlog marker. Durable, and answerable with 200, once `tx` has committed."""
    if not incoming:
        return
    rows = [_row(one) for one in incoming]
    if tx.postgres:
        tx.driver(_KEEP_POSTGRES, arrays(_COLUMNS, rows))
        return
    before = tx.value(text("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'webhooks'), 0)"))
    _KEEP_SQLITE.run(tx, rows)
    tx.driver(
        "INSERT INTO webhook_backlog (webhook_id, received_at, size, tries)"
        " SELECT id, received_at, size, 0 FROM webhooks WHERE id > ?",
        (before,),
    )


def _row(one: Incoming) -> tuple[float, str, str, bytes, int, bool, bytes]:
    body, compressed = one.body, False
    if len(body) >= WORTH_COMPRESSING:
        packed = zlib.compress(body, 1)
        if len(packed) < len(body):
            body, compressed = packed, True
    digest = hashlib.sha256(one.body).digest()
    return one.received_at, one.endpoint, one.secret, digest, len(one.body), compressed, body


def load(tx: ReadTx, markers: Sequence[tuple[int, float]]) -> list[Kept]:
    """The bodies of (webhook_id, received_at) pairs; the times let PostgreSQL open only their partitions."""
    if not markers:
        return []
    times = [received_at for _, received_at in markers]
    statement = (
        "SELECT id, received_at, endpoint, compressed, body FROM webhooks"
        f" WHERE id {among(tx, 'ids')} AND received_at BETWEEN :first AND :last ORDER BY id"
    )
    ids = given(tx, [webhook_id for webhook_id, _ in markers])
    return _kept(tx.all(text(statement), {"ids": ids, "first": min(times), "last": max(times)}))


def load_by_id(tx: ReadTx, webhook_ids: Sequence[int]) -> list[Kept]:
    """The same when the times are not known; looks into every partition."""
    statement = (
        f"SELECT id, received_at, endpoint, compressed, body FROM webhooks WHERE id {among(tx, 'ids')}"
    )
    return _kept(tx.all(text(f"{statement} ORDER BY id"), {"ids": given(tx, webhook_ids)}))


def _kept(rows: Sequence[Row[Any]]) -> list[Kept]:
    return [
        Kept(
            row.id,
            row.received_at,
            row.endpoint,
            zlib.decompress(row.body) if row.compressed else bytes(row.body),
        )
        for row in rows
    ]
