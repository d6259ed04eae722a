"""`webhooks` on PostgreSQL lies in one partition a day, made ahead, with a default one under them."""

import threading
from collections.abc import Iterator

import pytest
from migrating import alembic
from sqlalchemy import text

from store import partitions
from store.database import Database
from store.webhooks import Incoming, keep

DAY = 86_400
TODAY = 20_500  # days since 1970
NOW = TODAY * DAY + 3_600.5


@pytest.fixture
def partitioned(postgresql_url: str) -> Iterator[Database]:
    database = Database(postgresql_url)
    yield database
    database.close()


def partitions_of(database: Database) -> list[str]:
    with database.read() as tx:
        found = tx.all(
            text(
                "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
                " WHERE inhparent = 'webhooks'::regclass"
            )
        )
    return sorted(row.name for row in found)


def lies_in(database: Database, received_at: float) -> str:
    with database.read() as tx:
        found = tx.value(
            text("SELECT tableoid::regclass::text FROM webhooks WHERE received_at = :at"), {"at": received_at}
        )
    return str(found)


def test_days_are_made_ahead_and_only_once(partitioned: Database) -> None:
    with partitioned.write() as tx:
        assert partitions.ensure_ahead(tx, NOW) == partitions.DAYS_AHEAD
    with partitioned.write() as tx:
        assert partitions.ensure_ahead(tx, NOW) == 0
    with partitioned.write() as tx:
        assert partitions.ensure_ahead(tx, NOW + DAY) == 1
    days = [partitions.partition_name(TODAY + n) for n in range(partitions.DAYS_AHEAD + 1)]
    assert partitions_of(partitioned) == sorted([*days, "webhooks_default"])


def test_a_webhook_lies_in_its_day_from_midnight_to_midnight_utc(partitioned: Database) -> None:
    first, last = float(TODAY * DAY), (TODAY + 1) * DAY - 0.001
    with partitioned.write() as tx:
        partitions.ensure_ahead(tx, NOW)
        keep(tx, [Incoming(b"{}", first), Incoming(b"{}", last), Incoming(b"{}", last + 0.001)])
    today, tomorrow = partitions.partition_name(TODAY), partitions.partition_name(TODAY + 1)
    assert today == "webhooks_20260216"
    assert [lies_in(partitioned, at) for at in (first, last, last + 0.001)] == [today, today, tomorrow]


def test_a_forgotten_day_falls_into_the_default_partition_and_stays_there(partitioned: Database) -> None:
    with partitioned.write() as tx:
        keep(tx, [Incoming(b"{}", NOW)])
    assert lies_in(partitioned, NOW) == "webhooks_default"
    with partitioned.write() as tx:
        assert partitions.ensure_ahead(tx, NOW) == partitions.DAYS_AHEAD - 1
    assert partitions.partition_name(TODAY) not in partitions_of(partitioned)
    with partitioned.write() as tx:
        keep(tx, [Incoming(b"{}", NOW + 1)])
    assert lies_in(partitioned, NOW + 1) == "webhooks_default"


def test_bodies_are_not_compressed_a_second_time_in_any_partition(partitioned: Database) -> None:
    with partitioned.write() as tx:
        partitions.ensure_ahead(tx, NOW)
    with partitioned.read() as tx:
        storages = tx.all(
            text(
                "SELECT DISTINCT attstorage::text AS kind"
                " FROM pg_attribute JOIN pg_inherits ON attrelid = inhrelid"
                " WHERE inhparent = 'webhooks'::regclass AND attname = 'body'"
            )
        )
    assert [row.kind for row in storages] == ["e"]


def test_partitions_are_no_difference_between_models_and_migrations(
    partitioned: Database, postgresql_url: str
) -> None:
    with partitioned.write() as tx:
        partitions.ensure_ahead(tx, NOW)
    alembic(postgresql_url, "check")


def test_several_makers_of_partitions_do_not_collide(partitioned: Database) -> None:
    made: list[int] = []
    together = threading.Barrier(4)

    def make() -> None:
        together.wait(10)
        with partitioned.write() as tx:
            made.append(partitions.ensure_ahead(tx, NOW))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 0, 0, partitions.DAYS_AHEAD]


def test_on_sqlite_there_is_nothing_to_make(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.write() as tx:
        assert partitions.ensure_ahead(tx, NOW) == 0
    database.close()
