"""What a worker does now and then beside sending: ends leases, sweeps rate cells, remembers its database."""

from collections.abc import Callable

import structlog

from sender.figures import SenderFigures
from sender.guard import Guard
from store import bulk_runs, claims, identity, rates, sends
from store.database import Database
from store.errors import DatabaseAway

LEASES, SWEEP, EXPIRED, REMEMBER, RUNS = 2.0, 10.0, 60.0, 1.0, 5.0  # seconds between two of each

log = structlog.get_logger("sender.upkeep")


class Upkeep:
    """Called from the thread that claims, so it never runs twice at once."""

    def __init__(
        self,
        database: Database,
        guard: Guard,
        figures: SenderFigures,
        clock: Callable[[], float],
        *,
        keep_payload: bool,
        name: str,
    ) -> None:
        """`name`: given to the database if it has none, 32 random hexadecimal digits."""
        self._name = name
        self._database, self._guard, self._figures, self._clock = database, guard, figures, clock
        self._keep_payload = keep_payload
        self._next = {self._leases: 0.0, self._sweep: 0.0, self._expired: 0.0, self._remember: 0.0}
        self._next[self._runs] = 0.0
        self._every = {
            self._leases: LEASES,
            self._sweep: SWEEP,
            self._expired: EXPIRED,
            self._remember: REMEMBER,
            self._runs: RUNS,
        }
        self._swept = ""

    def when_due(self) -> None:
        """Blocks; raises DatabaseAway."""
        now = self._clock()
        for chore, due in self._next.items():
            if now >= due:
                self._next[chore] = now + self._every[chore]
                chore()

    def last(self) -> None:
        """Before the end, if the database is there."""
        try:
            self._remember()
        except DatabaseAway:
            log.warning("database_away_at_the_end")

    def _leases(self) -> None:
        with self._database.write() as tx:
            now = rates.clock(tx, self._clock()) / rates.MICRO
            ended = sends.end_leases(tx, now)
        if ended:
            self._figures.leases_ended.inc(ended)
            log.warning("leases_ended", now_unknown=ended)

    def _sweep(self) -> None:
        with self._database.write() as tx:
            self._swept = rates.sweep(tx, self._swept, self._clock())

    def _expired(self) -> None:
        with self._database.write() as tx:
            expired = claims.refuse_expired(tx, self._clock(), keep_payload=self._keep_payload)
        self._figures.too_late.inc(expired)

    def _runs(self) -> None:
        with self._database.read() as reading:
            running = bulk_runs.in_state(reading, "running")
            cancelled = bulk_runs.left_behind(reading, self._clock())
        if running:
            with self._database.write() as tx:
                bulk_runs.finish(tx, self._clock())
        for run in cancelled:
            with self._database.write() as tx:
                bulk_runs.cancel_rows(tx, run, self._clock(), keep_payload=self._keep_payload)

    def _remember(self) -> None:
        """Only what is trusted; the name is given when the database has none yet."""
        with self._database.read() as tx:
            found = self._guard.found(tx)
            trusted = self._guard.trusts(tx, found)
        if not trusted:
            return
        if not found.named:
            with self._database.write() as tx:
                identity.give(tx, self._name)
                found = self._guard.found(tx)
        try:
            self._guard.remember(found)
        except OSError as problem:
            log.warning("state_not_remembered", error=type(problem).__name__)
