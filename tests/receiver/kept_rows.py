"""Reading back what the receiver kept and made of it."""

from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import text

from receiver.figures import ProcessorFigures
from receiver.processor import Bounds, Processor
from store.database import Database
from store.webhooks import Incoming, keep, load_by_id

NOW = 1_795_305_600.0  # 2026-11-22
TABLES = {
    "messages": "wamid",
    "participants": "wamid, participant",
    "status_updates": "wamid, participant, status, occurred_at, error_codes",
    "inbound_messages": "wamid",
    "account_events": "digest",
    "quarantine": "digest",
}
OUTCOMES = ("status_updates", "inbound_messages", "account_events", "quarantine")


def kept_bodies(database: Database) -> list[bytes]:
    """Every kept body, unpacked, oldest first."""
    with database.read() as tx:
        ids = [row.id for row in tx.all(text("SELECT id FROM webhooks ORDER BY id"))]
        return [one.body for one in load_by_id(tx, ids)]


def count(database: Database, table: str) -> int:
    with database.read() as tx:
        return int(tx.value(text(f"SELECT count(*) FROM {table}")))


def rows(database: Database, table: str, *, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    with database.read() as tx:
        found = tx.all(text(f"SELECT * FROM {table} ORDER BY {TABLES.get(table, '1')}"))
    return [
        {
            name: bytes(value) if isinstance(value, memoryview) else value
            for name, value in row._mapping.items()
            if name not in without
        }
        for row in found
    ]


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows that processing makes, without what depends on the order of work."""
    return {table: rows(database, table, without=("batch", "closed_at")) for table in TABLES}


def keep_all(database: Database, *bodies: bytes, at: float = NOW) -> None:
    """As the door keeps them, a second apart."""
    with database.write() as tx:
        keep(tx, [Incoming(body, at + number) for number, body in enumerate(bodies)])


def processor(database: Database, bounds: Bounds | None = None) -> Processor:
    return Processor(database, ProcessorFigures(CollectorRegistry()), lambda: NOW + 10_000, bounds=bounds)
