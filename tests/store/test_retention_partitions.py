"""PostgreSQL: days of webhooks go by dropping their partition, unless something of them is needed."""

from collections.abc import Iterator

import pytest
from retention_samples import LATER, cleaned, counts, heard, kept, told
from sqlalchemy import text
from store_samples import NOW, rows

from store import backlog, partitions, retention_partitions
from store.database import Database
from store.records import QuarantinedPart
from store.retention_ages import DAY

PART = QuarantinedPart("/entry/0", "Nobody understands this.", "{}")
FIRST = int(NOW // DAY)
LAST = int(LATER // DAY)


@pytest.fixture
def database(postgresql_database: Database) -> Iterator[Database]:
    with postgresql_database.write() as tx:
        for statement in (*partitions.statements(FIRST, 2), *partitions.statements(LAST - 91, 2)):
            tx.run(text(statement))
    yield postgresql_database
    with postgresql_database.write() as tx:
        for day in (FIRST, FIRST + 1, LAST - 91, LAST - 90):
            tx.run(text(f"DROP TABLE IF EXISTS {partitions.partition_name(day)}"))


def there(database: Database, day: int) -> bool:
    with database.read() as tx:
        found = tx.value(text("SELECT to_regclass(:name)"), {"name": partitions.partition_name(day)})
    return found is not None


def test_a_day_past_the_age_is_dropped_and_counted(database: Database) -> None:
    heard(database, "w-1", "sent")
    heard(database, "w-1", "sent", NOW + DAY, occurred_at=int(NOW))
    young = told(database, LATER - 90 * DAY)
    assert cleaned(database, dry=True).gone["webhooks"] == 2
    assert cleaned(database).gone["webhooks"] == 2
    assert [there(database, day) for day in (FIRST, FIRST + 1, LAST - 91, LAST - 90)] == [
        False,
        False,
        False,
        True,
    ]
    assert [row["id"] for row in rows(database, "webhooks", order="1")] == [young]
    assert counts(database, "webhook_repeats") == {"webhook_repeats": 0}


def test_what_is_needed_keeps_only_its_own_webhook(database: Database) -> None:
    told(database)
    waiting = kept(database, NOW + 1)
    open_one = told(database, NOW + DAY, quarantined=(PART,))
    assert cleaned(database).gone["webhooks"] == 1
    assert there(database, FIRST)
    assert there(database, FIRST + 1)
    assert [row["id"] for row in rows(database, "webhooks", order="1")] == [waiting, open_one]


def test_the_default_partition_stays_and_its_old_rows_go(database: Database) -> None:
    told(database, NOW + 10 * DAY)
    young = told(database, LATER)
    assert cleaned(database).gone["webhooks"] == 1
    assert [row["id"] for row in rows(database, "webhooks_default", order="1")] == [young]


def test_a_day_that_others_use_is_left_to_the_next_run(database: Database) -> None:
    told(database)
    with database.read() as tx:
        tx.all(text("SELECT id FROM webhooks"))
        outcome = cleaned(database)
    assert outcome.gone["webhooks"] == 0
    assert "until the next run" in outcome.stays[0]
    assert cleaned(database).gone["webhooks"] == 1


def test_what_was_put_back_meanwhile_is_seen_under_the_lock(database: Database) -> None:
    webhook_id = told(database)
    with database.write() as tx:
        backlog.put_back(tx, [(webhook_id, NOW, 2)])
    with database.write() as tx:
        assert not retention_partitions.drop(tx, FIRST)
    assert there(database, FIRST)
    with database.write() as tx:
        tx.run(text("DELETE FROM webhook_backlog"))
        assert retention_partitions.drop(tx, FIRST)
    assert not there(database, FIRST)


def test_marks_of_webhooks_of_days_that_an_earlier_run_dropped_go(database: Database) -> None:
    heard(database, "w-1", "sent")
    heard(database, "w-1", "sent", NOW + 1, occurred_at=int(NOW))
    with database.write() as tx:  # and was killed before it came to the marks
        assert retention_partitions.drop(tx, FIRST)
    assert counts(database, "webhook_repeats") == {"webhook_repeats": 1}
    cleaned(database)
    assert counts(database, "webhook_repeats") == {"webhook_repeats": 0}
