"""Many rows in one statement: unnest arrays on PostgreSQL, a prepared executemany on SQLite."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from store.database import WriteTx

TEXT, BIGINT, DOUBLE, BYTES, BOOLEAN = "text", "bigint", "double precision", "bytea", "boolean"
Column = tuple[str, str]  # name, PostgreSQL type


@dataclass(frozen=True)
class Bulk:
    """INSERT of many rows with one conflict clause; rows are tuples in the order of `columns`.

    Callers sort the rows by key: that is what keeps two writers from deadlocking.
    """

    table: str
    columns: tuple[Column, ...]
    conflict: str = ""
    _postgres: str = field(init=False)
    _sqlite: str = field(init=False)

    def __post_init__(self) -> None:
        names = ", ".join(name for name, _ in self.columns)
        arrays = ", ".join(f"%s::{kind}[]" for _, kind in self.columns)
        marks = ", ".join("?" for _ in self.columns)
        insert = f"INSERT INTO {self.table} ({names})"
        object.__setattr__(self, "_postgres", f"{insert} SELECT * FROM unnest({arrays}) {self.conflict}")
        object.__setattr__(self, "_sqlite", f"{insert} VALUES ({marks}) {self.conflict}")

    def run(self, tx: WriteTx, rows: Sequence[tuple[Any, ...]]) -> int:
        """How many rows were inserted or changed."""
        if not rows:
            return 0
        if tx.postgres:
            return int(
                tx.driver(self._postgres, tuple(list(column) for column in zip(*rows, strict=True))).rowcount
            )
        return int(tx.driver(self._sqlite, list(rows)).rowcount)
