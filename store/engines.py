"""How each database is opened, and how its errors are told apart."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from store.errors import BadDatabaseUrl, TooSlow
from store.sqlite_file import SqliteFile

SQLITE_WAIT = 30.0  # seconds that another process waits for the one writer
SQLITE_PAUSE = 0.004  # seconds, the longest of the jittered pauses between its tries
POOL_WAIT = 5.0  # seconds that a transaction waits for a free connection at a time
POOL_WAITS = 6  # times, of one that is not told how patient to be
SQLITE_STEPS = 10_000  # of SQLite's machine between two looks at the clock, well under a millisecond
QUERY_STOPPED = "57014"
LOCK_NOT_FREE = "55P03"
SQLITE_OLDEST = (3, 35)  # RETURNING
# A server that vanishes without a word (a lost host, a cut network) is given up in about ten seconds.
_POSTGRES_REACHED = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}

# Deadlock, serialisation, lock not available.
TRANSIENT_STATES = frozenset({"40P01", "40001", LOCK_NOT_FREE})
# Connection trouble, shutting down or starting, disk full, too many connections, read-only, I/O error.
AWAY_STATES = frozenset(
    {
        "08000",
        "08001",
        "08003",
        "08004",
        "08006",
        "57P01",
        "57P02",
        "57P03",
        "53100",
        "53300",
        "25006",
        "58030",
    }
)
_SQLITE_AWAY = (
    "locked",
    "busy",
    "full",
    "readonly",
    "read-only",
    "disk i/o",
    "unable to open",
    "no such file",
    "not a database",
    "image is malformed",
)


def normalised(url: str) -> str:
    """The address as SQLAlchemy wants it; one driver a database."""
    for plain, driver in (
        ("postgres://", "postgresql+psycopg://"),
        ("postgresql://", "postgresql+psycopg://"),
    ):
        if url.startswith(plain):
            url = driver + url.removeprefix(plain)
    if not url.startswith(("postgresql+psycopg://", "sqlite://")):
        raise BadDatabaseUrl(
            "WAMTRAIL_DATABASE_URL is neither sqlite:///FILE nor postgresql://USER@HOST/NAME; correct it."
        )
    _checked(url)
    return url


def _checked(url: str) -> None:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError quotes what it took for the port: part of a password
        raise BadDatabaseUrl(
            "WAMTRAIL_DATABASE_URL cannot be read as a database address: write %40, %2F or %3A for an @, / or"
            " : in the password, and the port as a number."
        ) from None
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadDatabaseUrl(
            "WAMTRAIL_DATABASE_URL names no file: write sqlite:///wamtrail.db, for instance."
        )
    if parsed.get_backend_name() == "postgresql" and parsed.query.keys() - _postgres_options():
        raise BadDatabaseUrl(
            "WAMTRAIL_DATABASE_URL has an option after its ? that PostgreSQL does not know; correct it."
        )


def _postgres_options() -> set[str]:
    from psycopg import pq  # only when it is used: an embedded installation does without it

    return {option.keyword.decode() for option in pq.Conninfo.get_defaults()}


def for_writing(url: str) -> Engine:
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=1,
            max_overflow=0,
            pool_timeout=60,
            connect_args={"timeout": 0},
        )
        SqliteFile(url).watch(engine)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        max_overflow=8,
        pool_timeout=POOL_WAIT,
        pool_pre_ping=False,
        connect_args=_POSTGRES_REACHED,
    )
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def for_reading(url: str) -> Engine:
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=4,
            max_overflow=4,
            pool_timeout=POOL_WAIT,
            connect_args={"timeout": 5},
        )
        SqliteFile(url).watch(engine)
        event.listen(engine, "connect", _prepare_sqlite_reader)
        event.listen(engine, "begin", _begin_deferred)
        return engine
    options = "-c default_transaction_read_only=on"
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=4,
        max_overflow=4,
        pool_timeout=POOL_WAIT,
        pool_pre_ping=True,
        connect_args={**_POSTGRES_REACHED, "options": options},
    )


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    """auto_vacuum has to come before the first table; the rest is asserted, because law 1 rests on it."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for setting in (
        "auto_vacuum=INCREMENTAL",
        "journal_mode=WAL",
        "synchronous=FULL",
        "wal_autocheckpoint=4000",
        "cache_size=-8192",
    ):
        _retried(partial(cursor.execute, f"PRAGMA {setting}"))  # another process may open it just now, too
    journal = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = cursor.execute("PRAGMA synchronous").fetchone()[0]
    cursor.close()
    if journal != "wal" or synchronous != 2:
        raise BadDatabaseUrl(
            "The SQLite file cannot be opened with WAL and synchronous=FULL; is it on a network disk?"
        )


def _prepare_sqlite_reader(connection: DBAPIConnection, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    _retried(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"))


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _retried(step: Any) -> None:
    """SQLite's own waiting sleeps ever longer and so starves; short jittered pauses are fair."""
    deadline = time.monotonic() + SQLITE_WAIT
    while True:
        try:
            step()
            return
        except (sqlite3.OperationalError, DBAPIError) as problem:
            original = getattr(problem, "orig", problem)
            if "locked" not in str(original) or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0.001, SQLITE_PAUSE))  # noqa: S311  no secret is made of it


def _prepare_postgres(connection: Any, _record: Any) -> None:
    """A commit that is not on disk must not be answered 200, whatever the server's default."""
    with connection.cursor() as cursor:
        if cursor.execute("SHOW synchronous_commit").fetchone()[0] == "off":
            cursor.execute("SET synchronous_commit TO on")
    connection.commit()


def connected(engine: Engine, waits: int) -> Connection:
    """A connection of the pool; each of the waits lasts as long as the pool's timeout."""
    for left in reversed(range(waits)):
        try:
            return engine.connect()
        except NoConnectionFree:
            if not left:
                raise
    raise AssertionError("no wait was allowed")


@contextmanager
def patient(connection: Connection, seconds: float) -> Iterator[None]:
    """Statements of this transaction are stopped by the database when they take longer."""
    if connection.dialect.name == "postgresql":
        limit = {"limit": f"{max(1, int(seconds * 1000))}ms"}
        connection.execute(text("SELECT set_config('statement_timeout', :limit, true)"), limit)
        yield
        return
    deadline = time.monotonic() + seconds
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_progress_handler(lambda: time.monotonic() > deadline, SQLITE_STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def wait_for_locks(connection: Connection, seconds: float) -> None:
    """PostgreSQL: the longest wait of this transaction for a lock. Not its statements' time: that would end
    the wait of COMMIT for a synchronous standby, too, and the commit would pass for a safe one."""
    if connection.dialect.name == "postgresql":
        limit = {"limit": f"{max(1, int(seconds * 1000))}ms"}
        connection.execute(text("SELECT set_config('lock_timeout', :limit, true)"), limit)


@contextmanager
def slowness_told() -> Iterator[None]:
    """What `patient` stopped, or a wait for a lock or a free connection that took too long, is `TooSlow`."""
    try:
        yield
    except NoConnectionFree:
        raise TooSlow("All connections to the database are busy; try again in a moment.") from None
    except DBAPIError as problem:
        if sqlstate(problem) in (QUERY_STOPPED, LOCK_NOT_FREE) or "interrupted" in str(problem.orig):
            raise TooSlow("The database took too long to answer; ask for less, or try again.") from None
        raise


def sqlstate(problem: DBAPIError) -> str | None:
    return getattr(problem.orig, "sqlstate", None)


def unconnected(problem: DBAPIError) -> bool:
    """No server was reached, or it let nobody in: of a connection that never was, psycopg has no SQLSTATE."""
    return (
        isinstance(problem, OperationalError)
        and not isinstance(problem.orig, sqlite3.Error)
        and sqlstate(problem) is None
    )


def sqlite_away(problem: DBAPIError) -> bool:
    return isinstance(problem.orig, sqlite3.Error) and any(
        word in str(problem.orig).lower() for word in _SQLITE_AWAY
    )


def away_sentence(url: str, problem: DBAPIError) -> str:
    """What is away and what to look at; never the address, which may hold a password."""
    if url.startswith("sqlite"):
        name = make_url(url).database
        return f"The SQLite file {name} cannot be used ({problem.orig}); check disk space and rights."
    state = sqlstate(problem)
    said = f" (SQLSTATE {state})" if state else ""
    return f"PostgreSQL cannot be used{said}: check that it runs and that WAMTRAIL_DATABASE_URL is right."
