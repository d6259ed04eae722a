"""PostgreSQL: what another transaction is writing to just now is left alone, and nobody waits for anybody."""

import threading

import pytest
from retention_samples import LATER, MESSAGE_AGE, cleaned, counts, followed, heard, sent
from sqlalchemy import text
from store_samples import NOW, status_update, webhook

from store import retention_messages
from store.apply import apply
from store.database import Database
from store.retention_ages import DAY


@pytest.fixture
def database(postgresql_database: Database) -> Database:
    return postgresql_database


def test_a_message_that_a_status_is_folded_into_just_now_stays(database: Database) -> None:
    sent(database, 1)
    sent(database, 2)
    heard(database, "stranger")
    followed(database, NOW + 2 * DAY)
    said = (status_update("w-1", "read", int(LATER)), status_update("stranger", "read", int(LATER)))
    with database.write() as tx:
        apply(tx, [webhook(90, *said, received_at=LATER)], LATER, age=MESSAGE_AGE)
        outcome = cleaned(database)
    assert (outcome.gone["messages"], outcome.gone["strangers' messages"]) == (1, 0)
    followed(database, LATER)
    assert not any(count for name, count in cleaned(database).gone.items() if "messages" in name)
    assert counts(database, "messages", "status_updates") == {"messages": 2, "status_updates": 3}


def test_a_send_that_somebody_holds_stays(database: Database) -> None:
    sent(database, 1)
    followed(database, NOW + 2 * DAY)
    with database.write() as tx:
        tx.all(text("SELECT 1 FROM sends FOR UPDATE"))
        assert cleaned(database).gone["messages"] == 0
    assert cleaned(database).gone["messages"] == 1


def test_an_old_status_waits_for_the_row_that_is_going_and_does_not_bring_it_back(database: Database) -> None:
    sent(database, 1)
    followed(database, NOW + 2 * DAY)
    cleaned(database, NOW + 300 * DAY)  # the feed
    late = webhook(90, status_update("w-1", "read", int(NOW)), received_at=LATER)

    def process() -> None:
        with database.write() as tx:
            apply(tx, [late], LATER, age=MESSAGE_AGE)

    with database.write() as tx:
        ids = [row.message_id for row in tx.all(text("SELECT message_id FROM sends"))]
        assert retention_messages.ours(LATER - 400 * DAY).remove(tx, ids) == 1
        thread = threading.Thread(target=process)
        thread.start()
        while not tx.value(text("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1")):
            pass
    thread.join()
    assert counts(database, "messages", "status_updates", "too_old") == {
        "messages": 0,
        "status_updates": 0,
        "too_old": 1,
    }


def test_two_runs_at_once_end_as_one(database: Database) -> None:
    for n in range(1, 60):
        sent(database, n)
        heard(database, f"stranger-{n}")
    followed(database, NOW + 2 * DAY)
    cleaned(database, NOW + 300 * DAY)
    gone: list[int] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            outcome = cleaned(database)
        except BaseException as problem:  # told by the assertion below
            problems.append(problem)
        else:
            gone.append(sum(count for name, count in outcome.gone.items() if "messages" in name))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert problems == []
    cleaned(database)
    assert counts(database, "sends", "messages", "strangers") == {"sends": 0, "messages": 0, "strangers": 0}
    assert sum(gone) <= 118
