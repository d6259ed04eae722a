"""What the receiver saw, minute by minute, and what the operator hears of refusals."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from receiver.minutes import Minutes
from receiver.refusals import QUIET, Refusals
from store import minutes as stored
from store.database import Database

START = 1_763_800_020.0  # in the middle of a minute


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def test_counts_of_several_processes_add_up_by_endpoint_and_minute(database: Database) -> None:
    now = [START]
    for process in ("a", "b"):
        counting = Minutes(database, lambda: now[0], process)
        counting.answered("", "200", 0.003, 500)
        counting.answered("", "401 no_secret_fits", 0.3, 100)
        counting.answered("shop", "200", 2.0, 700)
        counting.write()
    with database.read() as tx:
        rows = {one.endpoint: one for one in stored.between(tx, int(START // 60), int(START // 60))}
    assert rows[""].answers == {"200": 2, "401 no_secret_fits": 2}
    assert (rows[""].webhooks, rows[""].bytes) == (4, 1200)
    assert rows[""].buckets == [2, 0, 0, 0, 2, 0]
    assert rows["shop"].buckets == [0, 0, 0, 0, 0, 2]


def test_a_running_minute_is_written_again_and_not_counted_twice(database: Database) -> None:
    counting = Minutes(database, lambda: START, "a")
    for _ in range(3):
        counting.answered("", "200", 0.003, 500)
        counting.write()
    with database.read() as tx:
        assert [one.webhooks for one in stored.between(tx, 0, int(START // 60))] == [3]


def test_the_last_good_webhook_is_known_by_endpoint_and_number(database: Database) -> None:
    now = [START]
    counting = Minutes(database, lambda: now[0], "a")
    counting.answered("", "200", 0.003, 500)
    now[0] += 120
    counting.answered("", "401 header_missing", 0.003, 500)
    counting.heard_of("", {"111", "222"}, START + 1)
    counting.write()
    with database.read() as tx:
        assert stored.last_good(tx) == {("", ""): START, ("", "111"): START + 1, ("", "222"): START + 1}


def test_refusals_are_told_once_in_a_while_with_how_many_were_like_it() -> None:
    now = [100.0]
    refusals = Refusals(lambda: now[0])
    with capture_logs() as logs:
        for _ in range(5):
            refusals.refused("", "401 no_secret_fits", 10)
        refusals.refused("", "413 too_large", 10)
        now[0] += QUIET
        refusals.refused("", "401 no_secret_fits", 10)
    assert [(one["answer"], one["more_like_it"]) for one in logs] == [
        ("401 no_secret_fits", 0),
        ("413 too_large", 0),
        ("401 no_secret_fits", 4),
    ]
    assert all(one["request_id"] for one in logs)
