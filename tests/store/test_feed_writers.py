"""The feed under writers that end in any order: what is committed is seen at once, once, and nothing else.

On PostgreSQL four transactions are moved statement by statement, and a reader polls after each move, while
strangers hold transactions open that are older than all of them.
"""

import random
from collections.abc import Iterator
from itertools import permutations

import psycopg
import pytest
from databases import Databases
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, text
from stepping import Party
from store_samples import CLAIM, NOW, cut_off, ended, status_update, submitted, webhook

from store import events
from store.apply import apply
from store.database import Database, WriteTx
from store.events import After
from store.outcomes import Ended, record_outcomes

WRITERS = 4
Row = tuple[str | int, ...]


class Reader:
    """Polls with a cursor, two rows at a time, so that it often stands inside a batch."""

    def __init__(self, database: Database) -> None:
        self.seen: list[Row] = []
        self._database = database
        self._after: After | None = None

    def poll(self) -> set[Row]:
        """Everything there is now; all that was ever seen."""
        more = True
        while more:
            with self._database.read() as tx:
                page = events.page(tx, self._after, 2)
            self._after, more = page.after, page.more
            self.seen += [one["key"] for one in page.updates_and_attempts]
        assert len(self.seen) == len(set(self.seen)), "a row came twice"
        return set(self.seen)


class Writer(Party):
    """One transaction that tells of three messages, or of how three POSTs ended; `rows` are its news."""

    def __init__(self, database: Database, n: int, watcher: Connection, *, attempts: bool = False) -> None:
        if attempts:
            ids = [submitted(database, n * 10 + k) for k in range(3)]
            self.rows: set[Row] = {(one, 1) for one in ids}
        else:
            self.rows = {(name, "", "sent", 1_800_000_000, "") for name in names(n)}

        def work(tx: WriteTx) -> None:
            if attempts:
                record_outcomes(
                    tx, [Ended(m, 1, CLAIM, ended("accepted", wamid=f"w{m}")) for m, _ in sorted(self.rows)]
                )
            else:
                apply(tx, [webhook(n, *(status_update(name) for name in names(n)))], NOW)

        super().__init__(database, work, watcher)

    def writes(self) -> None:
        """Up to the feed's lock: it has its batch and its rows, and no position."""
        while "pg_advisory_xact_lock" not in self.next:
            assert self.step()

    def roll_back(self) -> None:
        self.abandon()
        self.join()


def names(n: int) -> list[str]:
    return [f"w{n:04d}-{k}" for k in range(3)]


@pytest.fixture
def strangers(postgres: Databases, reused_url: str) -> Iterator[list[psycopg.Connection]]:
    """Open transactions that have written: one beside us in our database, one elsewhere in the cluster."""
    elsewhere = postgres.create_database()
    opened = [psycopg.connect(url) for url in (elsewhere, reused_url)]
    for one in opened:
        one.execute("CREATE TABLE strangers_own (n integer)")
        one.execute("INSERT INTO strangers_own VALUES (1)")
    yield opened
    for one in opened:
        assert one.info.transaction_status == TransactionStatus.INTRANS, "it was to be open all the while"
        one.close()
    postgres.drop_database(elsewhere)


def test_in_every_order_of_ends_a_committed_row_is_seen_while_older_ones_are_open(
    postgresql_database: Database, strangers: list[psycopg.Connection]
) -> None:
    database, reader = postgresql_database, Reader(postgresql_database)
    wanted: set[Row] = set()
    with database.hold() as watcher:
        for turn, order in enumerate(permutations(range(WRITERS))):
            writers = [
                Writer(database, turn * WRITERS + n + 1, watcher, attempts=n == turn % WRITERS)
                for n in range(WRITERS)
            ]
            for writer in writers:  # so their batches are numbered in this order
                writer.writes()
            assert reader.poll() == wanted
            for place, n in enumerate(order):
                if place == turn % (WRITERS + 1):
                    writers[n].roll_back()
                else:
                    assert writers[n].finish()
                    assert writers[n].problem is None
                    wanted |= writers[n].rows
                assert reader.poll() == wanted
    assert len(wanted) > 200


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_interleaving_only_what_is_committed_is_seen_and_all_of_it(
    postgresql_database: Database, strangers: list[psycopg.Connection], seed: int
) -> None:
    """One statement at a time of a writer drawn by lot, with some rolled back in the middle of theirs."""
    database, reader, chance = postgresql_database, Reader(postgresql_database), random.Random(seed)
    with database.hold() as watcher:
        writers = [Writer(database, n + 1, watcher, attempts=n == seed % WRITERS) for n in range(WRITERS)]
        running, committed = list(writers), set[Row]()
        while running:
            writer = chance.choice(running)
            if chance.random() < 0.03 and writer.stands:
                writer.roll_back()
            else:
                writer.step()
            for one in [one for one in running if one.ended]:
                running.remove(one)
                committed |= set() if one.problem else one.rows
            assert reader.poll() == committed
    assert all(one.problem is None or "abandoned" in str(one.problem) for one in writers)


def test_who_waits_for_its_position_is_let_on_by_a_rollback_as_by_a_commit(
    postgresql_database: Database, strangers: list[psycopg.Connection]
) -> None:
    database, reader = postgresql_database, Reader(postgresql_database)
    with database.hold() as watcher:
        first, second, third = (Writer(database, n, watcher) for n in (1, 2, 3))
        for writer in (first, second, third):
            writer.writes()
        while first.next != "COMMIT":
            first.step()
        assert not second.step(), "two positions were given at a time"
        assert reader.poll() == set()
        first.roll_back()
        assert second.finish()
        assert reader.poll() == second.rows
        assert third.finish()
        assert reader.poll() == second.rows | third.rows


def test_a_reader_polls_in_between_whatever_its_single_writer_does(sqlite_database: Database) -> None:
    """SQLite: readers keep their snapshots, rolled back positions are given again, nobody waits."""
    database, reader = sqlite_database, Reader(sqlite_database)
    wanted: set[Row] = set()
    with database.read() as stranger:
        stranger.value(text("SELECT count(*) FROM feed"))
        for n in range(1, 13):
            told = webhook(n, *(status_update(name) for name in names(n)))
            if n % 3 == 0:
                cut_off(database, lambda tx, told=told: (apply(tx, [told], NOW), reader.poll()))
            else:
                with database.write() as tx:
                    apply(tx, [told], NOW)
                    assert reader.poll() == wanted
                wanted |= {(name, "", "sent", 1_800_000_000, "") for name in names(n)}
            assert reader.poll() == wanted
        assert stranger.value(text("SELECT count(*) FROM feed")) == 0
    assert len(wanted) == 24


def test_positions_go_on_after_those_that_were_pruned(database: Database) -> None:
    reader = Reader(database)
    for n in range(1, 4):
        with database.write() as tx:
            apply(tx, [webhook(n, status_update(f"w{n}"))], NOW)
        reader.poll()
        with database.write() as tx:  # all that there is
            last = tx.value(text("SELECT max(position) FROM feed"))
            tx.run(text("DELETE FROM feed"))
            events.mark_pruned(tx, last)
        reader.poll()
    assert [key[0] for key in reader.seen] == ["w1", "w2", "w3"]
