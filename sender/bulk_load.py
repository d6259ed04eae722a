"""Takes a list in, chunk by chunk: read, checked, written with how far it is read, so that a load that is
killed goes on at the row where it was.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sender import bulk_list
from sender.bulk_again import Again
from sender.bulk_check import Checked, Checker, Terms, wrong_columns
from sender.bulk_lines import BadList, Fault, Row, chunks
from store import bulk_intake
from store.bulk_intake import Problem
from store.bulk_runs import Run
from store.database import Database, ReadTx, is_transient

FIRST, CHUNK = 50, 500  # rows
TRIES = 8


class Load:
    """One run's list. `random(n)`: n random bytes; `clock`: Unix seconds. Blocks; keep it in a thread."""

    def __init__(
        self,
        database: Database,
        run: Run,
        terms: Terms,
        *,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
        again: Again | None = None,
    ) -> None:
        self._database, self._run, self._terms, self._clock = database, run, terms, clock
        self._checker = Checker(terms, random)
        self._again = again

    def take_in(self, stopping: Callable[[], bool]) -> None:
        """To the list's end, or until `stopping()`. Raises BadList, OSError, NotReading, DatabaseAway."""
        with bulk_list.opened(Path(self._run.path), self._terms.template, self._terms.language) as listed:
            rows = itertools.dropwhile(lambda row: row.line <= self._run.read_to, listed.rows)
            for chunk in chunks(rows, FIRST, CHUNK):
                if stopping():
                    return
                self._chunk(chunk)
        with self._database.write() as tx:
            bulk_intake.taken_in(tx, self._run, self._clock())

    def _chunk(self, chunk: Sequence[Row | Fault]) -> None:
        now, line = self._clock(), chunk[-1].line
        with self._database.read() as tx:
            wanted = self._again.wanted(tx, chunk) if self._again else chunk
            checked = self._checker.check(tx, wanted, now)
        problems = [_problem(one) for one in checked.faults]
        valid, invalid = self._write(line, checked, problems)
        run = self._run
        self._run = replace(run, read_to=line, valid=run.valid + valid, invalid=run.invalid + invalid)

    def _write(self, line: int, checked: Checked, problems: Sequence[Problem]) -> tuple[int, int]:
        for tries in range(TRIES):
            try:
                with self._database.write() as tx:
                    bulk_intake.take_in(tx, self._run, line, checked.sends, problems, self._clock())
                break
            except Exception as problem:
                if tries == TRIES - 1 or not is_transient(problem):
                    raise
        return len(checked.sends), len(problems)


def fits(tx: ReadTx, path: Path, terms: Terms) -> None:
    """Whether the list can be used as a whole, as far as its first line tells. Raises BadList, OSError."""
    with bulk_list.opened(path, terms.template, terms.language) as listed:
        wrong = wrong_columns(tx, terms, listed.columns, named=listed.named) if listed.is_csv else None
    if wrong is not None:
        raise BadList(wrong)


def dry_run(
    database: Database, path: Path, terms: Terms, clock: Callable[[], float], random: Callable[[int], bytes]
) -> Iterator[Checked]:
    """Everything that `Load` does, but writing. Raises BadList, OSError, DatabaseAway."""
    checker = Checker(terms, random)
    with bulk_list.opened(path, terms.template, terms.language) as listed:
        for chunk in chunks(listed.rows, FIRST, CHUNK):
            with database.read() as tx:
                checked = checker.check(tx, chunk, clock())
            yield checked


def _problem(fault: Fault) -> Problem:
    return Problem(fault.line, fault.reason, fault.to, fault.reference, fault.kind)
