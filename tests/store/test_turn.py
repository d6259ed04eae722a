"""Whose turn it is to write on SQLite: the door first, nobody starves, no process loses a write."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from store_samples import NOW, rows

from store.database import Database
from store.turn import Turn
from store.webhooks import Incoming, keep

PATIENCE = 30.0  # seconds; only a broken test waits as long


class Queue:
    """Threads that wait for a turn in a known order, and the order in which they got it."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.order: list[str] = []
        self._threads: list[threading.Thread] = []

    def joins(self, name: str, *, urgent: bool = False, then: Callable[[], None] = lambda: None) -> None:
        """One more waits; it is in the queue when this returns."""
        waiting = self.waiting()
        thread = threading.Thread(target=self._wait, args=(name, urgent, then), daemon=True)
        self._threads.append(thread)
        thread.start()
        while self.waiting() == waiting:
            assert thread.is_alive(), "it did not wait"

    def waiting(self) -> int:
        return len(self.turn._urgent) + len(self.turn._others)

    def all_done(self) -> list[str]:
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "somebody never got a turn"
        return self.order

    def _wait(self, name: str, urgent: bool, then: Callable[[], None]) -> None:
        with self.turn.taken(urgent=urgent):
            self.order.append(name)
            then()


@contextmanager
def queue(*, urgent: bool = False) -> Iterator[Queue]:
    """While the turn is taken, by an urgent one or another; it is free when the block ends."""
    turn = Turn()
    with turn.taken(urgent=urgent):
        yield Queue(turn)


def test_a_free_turn_is_taken_at_once_and_again() -> None:
    turn = Turn()
    for urgent in (True, False, False, True, True):
        with turn.taken(urgent=urgent):
            pass


def test_the_urgent_one_goes_before_those_who_waited_longer() -> None:
    with queue() as waiting:
        waiting.joins("a")
        waiting.joins("b")
        waiting.joins("door", urgent=True)
    assert waiting.all_done() == ["door", "a", "b"]


def test_equals_go_in_the_order_in_which_they_came() -> None:
    with queue() as waiting:
        for name in "abcde":
            waiting.joins(name)
    assert waiting.all_done() == list("abcde")


def test_after_an_urgent_one_another_gets_its_turn() -> None:
    with queue(urgent=True) as waiting:
        for n in (1, 2, 3):
            waiting.joins(f"door {n}", urgent=True)
        for n in (1, 2):
            waiting.joins(f"other {n}")
    assert waiting.all_done() == ["other 1", "door 1", "other 2", "door 2", "door 3"]


def test_a_greedy_door_starves_nobody() -> None:
    """Every urgent one is followed by the next one at once; the others still take every second turn."""
    with queue() as waiting:
        left = iter(range(20))

        def again() -> None:
            n = next(left, None)
            if n is not None:
                waiting.joins(f"door {n}", urgent=True, then=again)

        waiting.joins("door", urgent=True, then=again)
        for name in "abc":
            waiting.joins(name)
    order = waiting.all_done()
    assert [order.index(name) for name in "abc"] == [1, 3, 5]
    assert len(order) == 24


def test_the_turn_is_handed_over_without_a_gap() -> None:
    """Who releases and takes again at once comes after the one that was waiting."""
    turn = Turn()
    waiting = Queue(turn)
    for n in range(50):
        with turn.taken(urgent=False):
            waiting.joins(f"waiting {n}")
        with turn.taken(urgent=True):
            waiting.order.append(f"again {n}")
    assert waiting.all_done() == [f"{who} {n}" for n in range(50) for who in ("waiting", "again")]


def test_the_turn_is_never_taken_by_two() -> None:
    turn = Turn()
    inside, most = 0, 0
    started = threading.Barrier(6)

    def write(urgent: bool) -> None:
        nonlocal inside, most
        started.wait(PATIENCE)
        for _ in range(200):
            with turn.taken(urgent=urgent):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=write, args=(n % 2 == 0,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (most, inside) == (1, 0)


def test_a_turn_that_ends_in_an_error_is_handed_over_all_the_same() -> None:
    turn = Turn()
    waiting = Queue(turn)

    def fail() -> None:
        with turn.taken(urgent=False):
            waiting.joins("next")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert waiting.all_done() == ["next"]


def test_the_door_keeps_before_a_processor_that_waited_longer(sqlite_database: Database) -> None:
    """The same through the store: what is urgent is the door's write."""
    done: list[str] = []

    def write(name: str, urgent: bool) -> None:
        with sqlite_database.write(urgent=urgent) as tx:
            done.append(name)
            keep(tx, [Incoming(name.encode(), NOW)])

    threads = [threading.Thread(target=write, args=(name, name == "door")) for name in ("a", "b", "door")]
    with sqlite_database.write():
        for n, thread in enumerate(threads, start=1):
            thread.start()
            turn = sqlite_database._turn
            while len(turn._urgent) + len(turn._others) < n:
                assert thread.is_alive()
    for thread in threads:
        thread.join(PATIENCE)
    assert done == ["door", "a", "b"]
    assert [row["body"] for row in rows(sqlite_database, "webhooks")] == [b"door", b"a", b"b"]


WRITES_50_TIMES = """
import sys
from sqlalchemy import text
from store.database import Database
from store.webhooks import Incoming, keep
database, who = Database(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for n in range(50):
    with database.write(urgent=n % 2 == 0) as tx:
        count = tx.value(text("SELECT arrival FROM rate_cells WHERE key = 'count'"))
        keep(tx, [Incoming(f"{who} {n}".encode(), 1_800_000_000.0 + n)])
        tx.run(text("UPDATE rate_cells SET arrival = :n WHERE key = 'count'"), {"n": count + 1})
database.close()
"""


def test_several_processes_that_write_to_one_file_lose_nothing(
    sqlite_database: Database, sqlite_url: str
) -> None:
    with sqlite_database.write() as tx:
        tx.run(text("INSERT INTO rate_cells (key, arrival) VALUES ('count', 0)"))
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", WRITES_50_TIMES, sqlite_url, str(who)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for who in range(4)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("now\n")
        program.stdin.flush()
    said = [program.communicate(timeout=90)[1] for program in programs]
    assert [program.returncode for program in programs] == [0, 0, 0, 0], said
    with sqlite_database.read() as tx:
        assert tx.value(text("SELECT arrival FROM rate_cells WHERE key = 'count'")) == 200
    webhooks = rows(sqlite_database, "webhooks")
    assert {row["body"].decode() for row in webhooks} == {f"{who} {n}" for who in range(4) for n in range(50)}
    for who in range(4):
        mine = [row["body"].decode() for row in webhooks if row["body"].startswith(b"%d " % who)]
        assert mine == [f"{who} {n}" for n in range(50)]
    assert [row["id"] for row in webhooks] == list(range(1, 201))
    assert [row["webhook_id"] for row in rows(sqlite_database, "webhook_backlog")] == list(range(1, 201))
