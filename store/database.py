"""One database, two kinds of sessions: whoever is handed a `ReadTx` cannot write.

SQLite: WAL, synchronous=FULL, every writing transaction BEGIN IMMEDIATE behind one fair turn in this
process; other processes wait for the lock with jitter for 30 s. PostgreSQL: psycopg, READ COMMITTED.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Row
from sqlalchemy.exc import DBAPIError

from store import engines
from store.errors import DatabaseAway
from store.turn import Turn


class ReadTx:
    """A transaction that reads. `clock` is not here on purpose: time is an argument of the verbs."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.postgres = connection.dialect.name == "postgresql"

    def all(self, statement: Executable, parameters: Any = None) -> Sequence[Row[Any]]:
        return self.connection.execute(statement, parameters).all()

    def first(self, statement: Executable, parameters: Any = None) -> Row[Any] | None:
        return self.connection.execute(statement, parameters).first()

    def value(self, statement: Executable, parameters: Any = None) -> Any:
        return self.connection.execute(statement, parameters).scalar()


class WriteTx(ReadTx):
    """A transaction that writes. Its tables are locked in one order: sends, messages, participants,
    status_updates, inbound_messages, the rest, feed; keys sorted inside each."""

    def run(self, statement: Executable, parameters: Any = None) -> int:
        """Execute and say how many rows it touched."""
        return self.connection.execute(statement, parameters).rowcount

    def driver(self, statement: str, parameters: Any = None) -> Any:
        """The hot paths' way past SQLAlchemy's compiler: one statement in the driver's own style."""
        return self.connection.exec_driver_sql(statement, parameters)


class Database:
    """The open database of this process; threads may share it."""

    def __init__(self, url: str) -> None:
        self.url = engines.normalised(url)
        self.sqlite = self.url.startswith("sqlite")
        self._write_engine: Engine = engines.for_writing(self.url)
        self._read_engine: Engine = engines.for_reading(self.url)
        self._turn = Turn()

    @contextmanager
    def write(self, *, urgent: bool = False, patience: float | None = None) -> Iterator[WriteTx]:
        """One transaction: commits at the end, rolls back on any exception.

        `urgent` is the door's: on SQLite it goes before whoever else waits for the turn. A database that is
        away is `DatabaseAway`; when COMMIT itself is cut off the outcome is not known and that is said, too.
        PostgreSQL: a wait for a lock of more than `patience` seconds is `TooSlow`, and so is one for a free
        connection, as in `read`. SQLite: the turn comes soon; a file locked for long is `DatabaseAway`.
        """
        turn: AbstractContextManager[None] = nullcontext()
        if self.sqlite:
            turn = self._turn.taken(urgent=urgent)
        if patience is None:
            with turn, self._transaction(self._write_engine, engines.POOL_WAITS) as connection:
                yield WriteTx(connection)
            return
        with engines.slowness_told(), turn, self._transaction(self._write_engine) as connection:
            engines.wait_for_locks(connection, patience)
            yield WriteTx(connection)

    @contextmanager
    def read(self, *, patience: float | None = None) -> Iterator[ReadTx]:
        """One transaction that reads. A statement that takes longer than `patience` seconds is stopped, and
        that is `TooSlow`; so is a wait for a free connection that takes longer than `engines.POOL_WAIT`."""
        if patience is None:
            with self._transaction(self._read_engine, engines.POOL_WAITS) as connection:
                yield ReadTx(connection)
            return
        with (
            engines.slowness_told(),
            self._transaction(self._read_engine) as connection,
            engines.patient(connection, patience),
        ):
            yield ReadTx(connection)

    def hold(self) -> Connection:
        """A PostgreSQL session of its own, outside of any transaction, for locks that last."""
        with self._away_told():
            # The level first: a detached connection has no pool's record to remember it by.
            found = engines.connected(self._write_engine, engines.POOL_WAITS)
            connection = found.execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()
            return connection

    def close(self) -> None:
        self._write_engine.dispose()
        self._read_engine.dispose()

    @contextmanager
    def _transaction(self, engine: Engine, waits: int = 1) -> Iterator[Connection]:
        with self._away_told(), engines.connected(engine, waits) as connection, connection.begin():
            yield connection

    @contextmanager
    def _away_told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as problem:
            if is_away(problem):
                raise DatabaseAway(engines.away_sentence(self.url, problem)) from problem
            raise


def is_away(problem: DBAPIError) -> bool:
    """Whether the database could not do the work at all (gone, full, read-only, locked for too long)."""
    if problem.connection_invalidated:
        return True
    if engines.unconnected(problem) or engines.sqlite_away(problem):
        return True
    return engines.sqlstate(problem) in engines.AWAY_STATES


def is_transient(problem: BaseException) -> bool:
    """Whether the same transaction may succeed when it is tried again at once."""
    return isinstance(problem, DBAPIError) and engines.sqlstate(problem) in engines.TRANSIENT_STATES
