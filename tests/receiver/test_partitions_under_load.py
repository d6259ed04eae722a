"""New partitions are made while webhooks come in, and neither side trips over the other."""

import asyncio
import threading
import time
from pathlib import Path

import pytest
from kept_rows import count
from receiver_process import ReceiverProcess
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from store import partitions
from store.database import Database
from store.webhooks import Incoming, keep


def days_with_partitions(database: Database) -> int:
    with database.read() as tx:
        return partitions.days_ahead(tx, time.time())


def without_partitions(database: Database) -> None:
    """As on a day for which nobody made any."""
    with database.read() as tx:
        children = "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
        names = tx.all(text(f"{children} WHERE inhparent = 'webhooks'::regclass"))
    with database.write() as tx:
        for row in names:
            if row.name != "webhooks_default":
                tx.driver(f"DROP TABLE {row.name}")


def test_webhooks_that_come_in_meanwhile_break_nothing(postgresql_database: Database) -> None:
    without_partitions(postgresql_database)
    stop, kept = threading.Event(), []

    def keeping() -> None:
        while not stop.is_set():
            with postgresql_database.write() as tx:
                keep(tx, [Incoming(b"{}", time.time() + day * partitions.DAY) for day in (0, 3)])
            kept.append(2)

    thread = threading.Thread(target=keeping)
    thread.start()
    while not kept:
        time.sleep(0.001)
    for _ in range(5):
        with postgresql_database.write() as tx:
            partitions.ensure_ahead(tx, time.time())
    stop.set()
    thread.join()
    assert count(postgresql_database, "webhooks") == sum(kept)
    assert (
        days_with_partitions(postgresql_database) >= partitions.DAYS_AHEAD - 2
    )  # two live in the default one


def test_a_long_reader_holds_up_the_partitions_but_not_the_door_for_long(
    postgresql_database: Database,
) -> None:
    without_partitions(postgresql_database)
    with postgresql_database.read() as reader:
        reader.all(text("SELECT id FROM webhooks LIMIT 1"))
        started = time.monotonic()
        with pytest.raises(OperationalError), postgresql_database.write() as tx:
            partitions.ensure_ahead(tx, time.time())
        assert time.monotonic() - started < 5
        with postgresql_database.write() as tx:
            keep(tx, [Incoming(b"{}", time.time())])
    assert count(postgresql_database, "webhooks") == 1


async def test_a_receiver_has_its_partitions_before_its_first_webhook_and_survives_without(
    postgresql_database: Database, postgresql_url: str, tmp_path: Path
) -> None:
    without_partitions(postgresql_database)
    with ReceiverProcess(postgresql_url, tmp_path) as receiver:
        with postgresql_database.read() as reader:
            reader.all(text("SELECT id FROM webhooks LIMIT 1"))  # nobody can make one now
            await asyncio.to_thread(receiver.start)
            assert "partitions_not_made" in receiver.log
        assert receiver.terminate()[0] == 0
        await asyncio.to_thread(receiver.start)
        assert days_with_partitions(postgresql_database) == partitions.DAYS_AHEAD
