"""Two transactions of PostgreSQL, moved forward statement by statement, COMMIT being a statement, too.

Each runs in a thread that stops before every statement until it is told to go on. A transaction that waits
for a lock of the other one is seen in PostgreSQL's own list of who blocks whom, so nothing depends on time.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event, text

from store.database import Database, WriteTx

Work = Callable[[WriteTx], object]
PATIENCE = 30.0  # seconds; only a broken test waits as long
GLANCE = 0.002  # seconds between looks at who waits for a lock


class Party(threading.Thread):
    """One transaction. Its owner calls `step` and `finish`; `problem` is what it died of."""

    def __init__(self, database: Database, work: Work, watcher: Connection) -> None:
        super().__init__(daemon=True)
        self.steps = 0
        self.next = ""  # the statement that it stands before
        self.problem: BaseException | None = None
        self._database, self._work, self._watcher = database, work, watcher
        self._changed = threading.Condition()
        self._state = "running"  # running, at the gate, ended, abandoned
        self._pid = 0
        self.start()
        self._settle()

    @property
    def ended(self) -> bool:
        return self._state == "ended"

    @property
    def stands(self) -> bool:
        """At its gate: it neither works nor waits for a lock."""
        return self._state == "at the gate"

    def run(self) -> None:
        try:
            with self._database.write() as tx:
                connection = tx.connection
                session: Any = connection.connection.driver_connection
                self._pid = session.info.backend_pid
                event.listen(connection, "before_cursor_execute", self._gate)
                event.listen(connection, "commit", self._gate)
                self._work(tx)
        except BaseException as problem:
            self.problem = problem
        self._becomes("ended")

    def step(self) -> bool:
        """One more statement. False when there was none left, or when it waits for the other's lock."""
        if self._state != "at the gate":
            self._settle()
        if self._state != "at the gate":
            return False
        self.steps += 1
        self._becomes("running")
        return self._settle() and not self.ended

    def finish(self) -> bool:
        """To the end, COMMIT included; False when it waits for the other's lock before that."""
        while self.step():
            pass
        return self.ended

    def abandon(self) -> None:
        """Roll it back at its next gate, so that no lock and no session outlives the test."""
        if not self.ended:
            self._becomes("abandoned")

    def _gate(self, *told: Any) -> None:
        """`told`: what SQLAlchemy tells of a statement; of a COMMIT the connection alone."""
        with self._changed:
            self.next = str(told[2]) if len(told) > 2 else "COMMIT"
            if self._state == "abandoned":
                raise AssertionError("the transaction was abandoned by its test")
            self._state = "at the gate"
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._state != "at the gate", PATIENCE)
            assert self._state == "running", "the transaction was abandoned by its test"

    def _becomes(self, state: str) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _settle(self) -> bool:
        """Wait until it stands at the gate or has ended; False when it waits for a lock."""
        with self._changed:
            for _ in range(int(PATIENCE / GLANCE)):
                if self._changed.wait_for(lambda: self._state != "running", GLANCE):
                    return True
                if self._pid and self._is_blocked():
                    return False
        raise AssertionError("a transaction neither goes on nor waits for a lock")

    def _is_blocked(self) -> bool:
        blocked = text("SELECT cardinality(pg_blocking_pids(:pid)) > 0")
        return bool(self._watcher.execute(blocked, {"pid": self._pid}).scalar())


def both(database: Database, one: Work, other: Work, before_other: int, before_one: int) -> tuple[int, int]:
    """`before_other` statements of the one, `before_one` of the other, the rest of the one, the rest.

    How many statements each did in its first run: fewer than asked for when it ended or had to wait.
    """
    with database.hold() as watcher:
        parties: list[Party] = []
        try:
            parties.append(first := Party(database, one, watcher))
            done_first = sum(first.step() for _ in range(before_other))
            parties.append(second := Party(database, other, watcher))
            done_second = sum(second.step() for _ in range(before_one))
            deadline = time.monotonic() + PATIENCE
            while not (
                first.ended and second.ended
            ):  # each may have to wait for the other, or for a deadlock
                first.finish()
                second.finish()
                assert time.monotonic() < deadline, "two transactions wait for each other"
        finally:
            for party in parties:
                party.abandon()
            for party in parties:
                party.join(PATIENCE)
    for party in parties:
        if party.problem is not None:
            raise party.problem
    return done_first, done_second
