"""What left after its slot left in the room of later messages, so these make room."""

import time
from collections.abc import Iterator

import pytest
from sending import NUMBER, new_send, opened, queue_all

from store.claims import Hunt, claim_due
from store.database import Database
from store.rates import MICRO, Limits

EIGHTY = Limits(rate=80.0)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


@pytest.mark.parametrize("late", [0, 1, 10])
def test_each_message_that_left_late_moves_the_next_slots_by_one(database: Database, late: int):
    queue_all(database, [new_send() for _ in range(30)])
    with database.write() as tx:
        first = claim_due(tx, time.time(), Hunt("c" * 32, 30.0, 100, EIGHTY))
    with database.write() as tx:
        hunt = Hunt("d" * 32, 30.0, 100, EIGHTY, horizon=0.5, late={NUMBER: late})
        then = claim_due(tx, time.time(), hunt)
    period = EIGHTY.of_number(None).period / MICRO
    last, following = first.claimed[-1].slot, then.claimed[0].slot
    assert following - last == pytest.approx(max((1 + late) * period, then.at - last), abs=2e-6)
