"""Which database this is, and how far it came: to notice a restored backup, or a lossy failover.

What was sent after a backup is queued again in the backup. So a sender remembers both outside of the
database, and sends nothing from one that is another, or that is younger than the one it remembers.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from store.database import ReadTx, WriteTx

_NAME = "database_id"
_SERVER = text(
    "SELECT (SELECT system_identifier FROM pg_control_system()) || '/'"
    " || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """`name`: the database's own; on PostgreSQL with its server's and the timeline. `position`: the feed's."""

    name: str
    position: int


def give(tx: WriteTx, random_hex: str) -> None:
    """Give the database a name of its own, unless it has one."""
    statement = "INSERT INTO installation (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING"
    tx.run(text(statement), {"name": _NAME, "value": random_hex})


def identity(tx: ReadTx) -> Identity:
    own = tx.value(text("SELECT value FROM installation WHERE name = :name"), {"name": _NAME}) or ""
    position = tx.value(text("SELECT max(position) FROM feed")) or 0
    return Identity(f"{own}/{_server(tx)}" if tx.postgres else own, int(position))


def queued(tx: ReadTx) -> bool:
    """Is there anything that could be sent again?"""
    return tx.value(text("SELECT 1 FROM sends WHERE state = 'queued' LIMIT 1")) is not None


def _server(tx: ReadTx) -> str:
    """A hosted PostgreSQL may not tell; then its own name and position have to do."""
    try:
        with tx.connection.begin_nested():
            return str(tx.value(_SERVER))
    except DBAPIError as problem:
        if problem.connection_invalidated:
            raise
        return ""
