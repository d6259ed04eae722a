"""Making a database wait, fail or vanish from outside, as other programs and operators do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from store.database import Database


def sqlite_path(url: str) -> Path:
    return Path(make_url(url).database or "")


def plain(url: str) -> str:
    """The URL as psycopg takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


@contextmanager
def held(database: Database) -> Iterator[None]:
    """Nothing can be kept meanwhile; commits wait."""
    if database.sqlite:
        with closing(sqlite3.connect(sqlite_path(database.url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    with closing(psycopg.connect(plain(database.url))) as other_session:
        other_session.execute("LOCK TABLE webhook_backlog IN EXCLUSIVE MODE")
        yield
        other_session.rollback()


def refuse_bodies_of(database: Database, size: int) -> None:
    """From now on the database itself refuses to keep bodies of this many bytes."""
    with database.write() as tx:
        if database.sqlite:
            tx.driver(
                "CREATE TRIGGER refuse BEFORE INSERT ON webhook_backlog"
                f" WHEN NEW.size = {size} BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        else:
            tx.driver(f"ALTER TABLE webhook_backlog ADD CONSTRAINT refuse CHECK (size <> {size})")


def end_sessions(url: str) -> None:
    """End every other session of this PostgreSQL database, as a restart would."""
    with closing(psycopg.connect(plain(url), autocommit=True)) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def set_read_only(url: str, *, read_only: bool) -> None:
    """Make a PostgreSQL database read-only, or writable again, for all sessions from now on."""
    name = make_url(url).database
    value = "on" if read_only else "off"
    with closing(psycopg.connect(plain(url), autocommit=True)) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
    end_sessions(url)
