"""Going through a table in key pages and taking away what is past its age, in short transactions.

A look reads one page and says what would go; `remove` decides again, in the transaction that deletes. So a
sweep may be killed at any instant and begun anew, and a dry run is the looks alone.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store.database import Database, ReadTx, WriteTx, is_transient

PAGE = 2_000  # rows of one look
SLICE = 500  # rows of one transaction
SLICE_SQLITE = 50  # its writer's turn is the door's as well
REST = 3.0  # times as long as each step took, so that whoever receives has the machine nearly for himself
MOST_REST = 0.2  # seconds; what a step took may be waiting for others
LEAST_REST = 0.006  # seconds; longer than the pauses in which another process asks for SQLite's turn
TRIES = 20  # of a transaction that another one stopped

_ENDED = object()
Tell = Callable[[str, int], None]  # what, and how many of it so far
Looked = tuple[list[Any], Any]  # keys that would go, and where to go on: None at the end


@dataclass(frozen=True, slots=True)
class Sweep:
    """`look(tx, after, most)`: None begins. `remove(tx, keys)`: how many went; others had their reason."""

    name: str
    look: Callable[[ReadTx, Any, int], Looked]
    remove: Callable[[WriteTx, Sequence[Any]], int]


@dataclass(frozen=True, slots=True)
class Work:
    """One run of retention. `dry`: nothing is written. `rest`: sleeps, so that others get their turn."""

    database: Database
    rest: Callable[[float], None]
    dry: bool = False
    tell: Tell = lambda _what, _count: None
    page: int = PAGE

    def write(self, step: Callable[[WriteTx], int]) -> int:
        """One transaction, tried again when another one stopped it, and a rest."""
        for last in (*[False] * (TRIES - 1), True):
            try:
                with self.database.write() as tx:
                    started = time.monotonic()
                    done = step(tx)
            except Exception as problem:
                if last or not is_transient(problem):
                    raise
                self.rest(0.1)
                continue
            self._rested(started)
            return done
        raise AssertionError  # the last try returned or raised

    def sweep(self, one: Sweep) -> int:
        """How many went, or would go."""
        size = SLICE_SQLITE if self.database.sqlite else SLICE
        total, after = 0, None
        while True:
            keys, after = self._looked(one, after)
            if self.dry:
                total += len(keys)
            else:
                for start in range(0, len(keys), size):
                    slice_ = keys[start : start + size]
                    total += self.write(lambda tx, some=slice_: one.remove(tx, some))  # type: ignore[misc]
                    self.tell(one.name, total)
            self.tell(one.name, total)
            if after is None:
                return total

    def any(self, one: Sweep) -> bool:
        """Whether anything of it would go."""
        after = None
        while True:
            keys, after = self._looked(one, after)
            if keys:
                return True
            if after is None:
                return False

    def gently(self, steps: Iterator[None]) -> None:
        """All of these steps, a rest after each."""
        more = True
        while more:
            started = time.monotonic()
            more = next(steps, _ENDED) is not _ENDED
            self._rested(started)

    def _looked(self, one: Sweep, after: Any) -> Looked:
        started = time.monotonic()
        with self.database.read() as tx:
            found = one.look(tx, after, self.page)
        self._rested(started)
        return found

    def _rested(self, started: float) -> None:
        self.rest(min(max(LEAST_REST, (time.monotonic() - started) * REST), MOST_REST))


def along(
    tx: ReadTx, table: str, group: str, at: str, key: str, until: float, after: Any, most: int, first: Any
) -> tuple[Sequence[Any], Any]:
    """Rows (key) with `at` before `until`, by jumping from value to value of an index (group, at); what comes
    after (group, at, key). Rows without a group come first. `first`: smaller than every key."""
    where, last_at, last_key = after or (None, -1, first)
    while True:
        mine = f"{group} IS NULL" if where is None else f"{group} = :group"
        statement = (
            f"SELECT {key} AS key, {at} AS at FROM {table} WHERE {mine} AND {at} >= :at AND {at} < :until"
            f" AND ({at} > :at OR {key} > :key) ORDER BY {at}, {key} LIMIT :most"
        )
        values = {"at": last_at, "key": last_key, "until": until, "most": most}
        rows = tx.all(text(statement), values if where is None else {**values, "group": where})
        if rows:
            return rows, (where, rows[-1].at, rows[-1].key)
        following = f"SELECT min({group}) FROM {table}"
        if where is None:
            where = tx.value(text(following))
        else:
            where = tx.value(text(f"{following} WHERE {group} > :group"), {"group": where})
        last_at, last_key = -1, first
        if where is None:
            return [], None
