"""Which database this is, and how far it came: to notice a restored backup, or a lossy failover.

What was sent after a backup is queued again in the backup. So a sender remembers both outside of the
database, and sends nothing from one that is another, or that is younger than the one it remembers.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from store.database import ReadTx, WriteTx

_NAME = "database_id"
_SERVER = (
    "(SELECT system_identifier FROM pg_control_system()) || '/'"
    " || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
)
_FACTS = (
    "SELECT (SELECT value FROM installation WHERE name = :name) AS name,"
    " (SELECT max(position) FROM feed) AS position"
)
_PLAIN, _SERVED = text(f"{_FACTS}, '' AS server"), text(f"{_FACTS}, {_SERVER} AS server")


@dataclass(frozen=True, slots=True)
class Identity:
    """`name`: the database's own; `server`: PostgreSQL's identifier and timeline; `position`: the feed's."""

    name: str
    server: str
    position: int

    @property
    def named(self) -> bool:
        return bool(self.name)


def give(tx: WriteTx, random_hex: str) -> None:
    """Give the database a name of its own, unless it has one."""
    statement = "INSERT INTO installation (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING"
    tx.run(text(statement), {"name": _NAME, "value": random_hex})


def identity(tx: ReadTx, *, server: bool) -> Identity:
    """`server`: whether the server tells who it is (`tells`)."""
    row = tx.first(_SERVED if server else _PLAIN, {"name": _NAME})
    assert row is not None
    return Identity(row.name or "", row.server, int(row.position or 0))


def queued(tx: ReadTx) -> bool:
    """Is there anything that could be sent again?"""
    return tx.value(text("SELECT 1 FROM sends WHERE state = 'queued' LIMIT 1")) is not None


def tells(tx: ReadTx) -> bool:
    """A hosted PostgreSQL may not tell who it is; then the database's own name and position have to do."""
    if not tx.postgres:
        return False
    try:
        with tx.connection.begin_nested():
            tx.value(text(f"SELECT {_SERVER}"))
    except DBAPIError as problem:
        if problem.connection_invalidated:
            raise
        return False
    return True
