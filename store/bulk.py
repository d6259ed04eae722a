"""Many rows in one statement: unnest arrays on PostgreSQL, rows of VALUES on SQLite.

Both are ways past a loop of the driver that costs more than the database's work: psycopg quotes each element
of a list on its own, and sqlite3 gives up the interpreter's lock at each row of an executemany and waits to
get it back from the event loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from store.database import WriteTx

TEXT, BIGINT, DOUBLE, BYTES, BOOLEAN = "text", "bigint", "double precision", "bytea", "boolean"
Column = tuple[str, str]  # name, PostgreSQL type
ROWS = (256, 64, 16, 4, 1)  # rows of a statement on SQLite: few statements, so that all stay prepared
MOST_PARAMETERS = 32_000  # SQLite's own limit is 32,766


@dataclass(frozen=True)
class Bulk:
    """INSERT of many rows with one conflict clause; rows are tuples in the order of `columns`.

    Callers sort the rows by key: that is what keeps two writers from deadlocking.
    """

    table: str
    columns: tuple[Column, ...]
    conflict: str = ""
    _postgres: str = field(init=False)
    _sqlite: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        names = ", ".join(name for name, _ in self.columns)
        arrays = ", ".join(placeholder(kind) for _, kind in self.columns)
        marks = f"({', '.join('?' for _ in self.columns)})"
        insert = f"INSERT INTO {self.table} ({names})"
        object.__setattr__(self, "_postgres", f"{insert} SELECT * FROM unnest({arrays}) {self.conflict}")
        values = {
            count: f"{insert} VALUES {', '.join([marks] * count)} {self.conflict}"
            for count in ROWS
            if count * len(self.columns) <= MOST_PARAMETERS
        }
        object.__setattr__(self, "_sqlite", values)

    def run(self, tx: WriteTx, rows: Sequence[tuple[Any, ...]]) -> int:
        """How many rows were inserted or changed."""
        if not rows:
            return 0
        if tx.postgres:
            return int(tx.driver(self._postgres, arrays(self.columns, rows)).rowcount)
        return _in_slices(tx, self._sqlite, rows)


@dataclass(frozen=True)
class BulkUpdate:
    """UPDATE of many rows, each with values of its own; the first of `columns` is the key.

    `sets` calls the values `new.name`. Callers hold the locks of the rows: they are touched in any order.
    """

    table: str
    columns: tuple[Column, ...]
    sets: str
    _postgres: str = field(init=False)
    _sqlite: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        key = self.columns[0][0]
        names = ", ".join(name for name, _ in self.columns)
        values = ", ".join(placeholder(kind) for _, kind in self.columns)
        marks = f"({', '.join('?' for _ in self.columns)})"
        update = f"UPDATE {self.table} SET {self.sets} FROM"
        where = f"WHERE {self.table}.{key} = new.{key}"
        object.__setattr__(self, "_postgres", f"{update} unnest({values}) AS new({names}) {where}")
        statements = {
            count: f"WITH new({names}) AS (VALUES {', '.join([marks] * count)}) {update} new {where}"
            for count in ROWS
            if count * len(self.columns) <= MOST_PARAMETERS
        }
        object.__setattr__(self, "_sqlite", statements)

    def run(self, tx: WriteTx, rows: Sequence[tuple[Any, ...]]) -> int:
        """How many rows were changed."""
        if not rows:
            return 0
        if tx.postgres:
            return int(tx.driver(self._postgres, arrays(self.columns, rows)).rowcount)
        return _in_slices(tx, self._sqlite, rows)


def _in_slices(tx: WriteTx, statements: dict[int, str], rows: Sequence[tuple[Any, ...]]) -> int:
    changed = start = 0
    for count, statement in statements.items():
        while len(rows) - start >= count:
            some = rows[start : start + count]
            changed += tx.driver(statement, tuple([value for row in some for value in row])).rowcount
            start += count
    return changed


def placeholder(kind: str) -> str:
    """Where one of `arrays` stands in a statement."""
    return f"{'%b' if kind == BYTES else '%s'}::{kind}[]"


def arrays(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """One parameter a column: bytes as a list for the driver, all else as the text of a PostgreSQL array."""
    return tuple(
        [_WRITE[kind](values) for (_, kind), values in zip(columns, zip(*rows, strict=True), strict=True)]
    )


def _texts(values: Sequence[str | None]) -> str:
    """Strings hold no NUL, so NUL can mark what is not theirs while all are quoted in one go."""
    joined = "\0,".join(["\0-" if value is None else value for value in values])
    quoted = joined.replace("\\", "\\\\").replace('"', '\\"').replace("\0,", '","')
    return f'{{"{quoted}"}}'.replace('"\0-"', "NULL")


def _numbers(values: Sequence[float | None]) -> str:
    return "{" + ",".join(["NULL" if value is None else repr(value) for value in values]) + "}"


def _truths(values: Sequence[bool | None]) -> str:
    return "{" + ",".join(["NULL" if value is None else "t" if value else "f" for value in values]) + "}"


_WRITE: dict[str, Callable[[Sequence[Any]], Any]] = {
    TEXT: _texts,
    BIGINT: _numbers,
    DOUBLE: _numbers,
    BOOLEAN: _truths,
    BYTES: list,
}
