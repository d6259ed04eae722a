"""Slots are times of the database's clock; a process acts by its own. The difference is measured."""

from collections.abc import Callable

from store import rates
from store.database import Database
from store.rates import MICRO

SAMPLES = 5
EVERY = 30.0  # seconds


class DatabaseClock:
    """On SQLite there is one machine and nothing to measure."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._ahead = 0.0  # seconds by which the database's clock is ahead
        self._due = 0.0

    def measure(self) -> None:
        """Ask, when it is time to. Blocks; raises DatabaseAway."""
        if self._database.sqlite or self._clock() < self._due:
            return
        shortest = float("inf")
        with self._database.read() as tx:
            for _ in range(SAMPLES):
                before = self._clock()
                there = rates.clock(tx, before) / MICRO
                after = self._clock()
                if after - before < shortest:  # the quickest answer is the least wrong one
                    shortest, self._ahead = after - before, there - (before + after) / 2
        self._due = self._clock() + EVERY

    def here(self, moment: float) -> float:
        """A time of the database's clock as one of ours."""
        return moment - self._ahead
