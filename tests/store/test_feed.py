"""The feed: positions become visible in the order of the commits, so a reader's cursor misses nothing."""

import threading

from sqlalchemy import text
from store_samples import NOW, cut_off, status_update, webhook

from store.apply import apply
from store.database import Database


def read_feed(database: Database, after: int = 0) -> list[tuple[int, str]]:
    """What a reader with a cursor sees: (position, wamid)."""
    with database.read() as tx:
        found = tx.all(
            text(
                "SELECT f.position, u.wamid FROM feed AS f JOIN status_updates AS u ON u.batch = f.batch"
                " WHERE f.position > :after ORDER BY f.position, u.wamid"
            ),
            {"after": after},
        )
    return [(row.position, row.wamid) for row in found]


def test_positions_follow_the_order_of_the_commits(database: Database) -> None:
    for n in range(1, 4):
        with database.write() as tx:
            apply(tx, [webhook(n, status_update(f"w{n}"))], NOW)
    found = read_feed(database)
    assert [wamid for _, wamid in found] == ["w1", "w2", "w3"]
    assert sorted({position for position, _ in found}) == [position for position, _ in found]
    assert read_feed(database, after=found[1][0]) == found[2:]


def test_a_reader_with_a_cursor_misses_nothing_that_commits_late(postgresql_database: Database) -> None:
    """The batch that was asked for first commits last: it must not get a position behind the reader."""
    database = postgresql_database
    with database.write() as early:
        early.value(text("SELECT nextval('feed_batches')"))
        with database.write() as tx:
            apply(tx, [webhook(2, status_update("w2"))], NOW)
        cursor = read_feed(database)[-1][0]
        apply(early, [webhook(1, status_update("w1"))], NOW)
        assert read_feed(database, after=cursor) == []
    assert [wamid for _, wamid in read_feed(database, after=cursor)] == ["w1"]


def test_nobody_gets_a_position_while_an_earlier_one_is_not_visible(postgresql_database: Database) -> None:
    database = postgresql_database
    done = threading.Event()

    def second() -> None:
        with database.write() as tx:
            apply(tx, [webhook(2, status_update("w2"))], NOW)
        done.set()

    thread = threading.Thread(target=second)
    with database.write() as first:
        apply(first, [webhook(1, status_update("w1"))], NOW)
        thread.start()
        waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not first.value(waits):
            assert not done.is_set(), "it got a position before the first was visible"
    thread.join()
    assert [wamid for _, wamid in read_feed(database)] == ["w1", "w2"]


def test_a_transaction_that_was_rolled_back_leaves_no_batch(database: Database) -> None:
    cut_off(database, lambda tx: apply(tx, [webhook(1, status_update("w1"))], NOW))
    with database.write() as tx:
        apply(tx, [webhook(2, status_update("w2"))], NOW)
    assert [wamid for _, wamid in read_feed(database)] == ["w2"]
