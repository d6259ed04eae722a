"""The worker against the real simulator, on both databases."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from sending import (
    FAST,
    NUMBER,
    OTHER,
    SCENARIO,
    anybody,
    eventually,
    fate,
    new_send,
    opened,
    queue_all,
    rows,
    send_row,
    states,
    worked,
    worker_for,
    wrapper_for,
)

from simulator.running import RunningSimulator
from store import claims, numbers
from store.claims import Hunt
from store.database import Database
from store.rates import Limits


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator(SCENARIO) as running:
        yield running


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


def all_in(database: Database, *final: str) -> bool:
    return set(states(database).values()) <= set(final)


async def test_what_is_queued_is_sent_once_each(database: Database, simulator: RunningSimulator):
    queue_all(database, [new_send() for _ in range(150)])
    async with wrapper_for(simulator) as wrapper:
        await worked(worker_for(database, wrapper), lambda: all_in(database, "accepted"))
    taken = [one["callback_data"] for one in simulator.messages()]
    assert sorted(taken) == sorted(states(database))
    assert rows(database, "SELECT DISTINCT attempts FROM sends") == [{"attempts": 1}]
    assert rows(database, "SELECT count(*) AS n FROM messages WHERE message_id IS NOT NULL") == [{"n": 150}]
    assert rows(database, "SELECT count(*) AS n FROM attempt_outcomes") == [{"n": 150}]


async def test_two_workers_on_one_postgresql_never_claim_the_same(
    postgresql_url: str, simulator: RunningSimulator
):
    with opened(postgresql_url) as one, opened(postgresql_url) as two:
        queue_all(one, [new_send(number=number) for _ in range(200) for number in (NUMBER, OTHER)])
        async with wrapper_for(simulator) as wrapper, wrapper_for(simulator) as second:
            other = asyncio.create_task(
                worked(worker_for(two, second), lambda: all_in(two, "accepted"), 40)
            )
            await worked(worker_for(one, wrapper), lambda: all_in(one, "accepted"), 40)
            await other
        posts = [one["callback_data"] for one in simulator.posts()]
        assert len(posts) == len(set(posts)) == 400
        assert rows(one, "SELECT count(*) AS n FROM sent_twice") == [{"n": 0}]


async def test_what_was_refused_before_processing_is_sent_again_later(
    database: Database, simulator: RunningSimulator
):
    [message] = queue_all(database, [new_send(fate("0016"))])
    async with wrapper_for(simulator) as wrapper:
        await worked(worker_for(database, wrapper), lambda: all_in(database, "accepted"), 30)
    outcomes = rows(database, "SELECT number, outcome FROM attempt_outcomes ORDER BY number")
    assert [one["outcome"] for one in outcomes] == ["throttled", "throttled", "accepted"]
    assert send_row(database, message)["attempts"] == 3


@pytest.mark.parametrize(
    ("tail", "state"), [("0010", "unknown"), ("0012", "unknown"), ("0015", "refused"), ("0019", "unknown")]
)
async def test_what_may_have_left_or_was_refused_is_never_sent_again(
    database: Database, simulator: RunningSimulator, tail: str, state: str
):
    queue_all(database, [new_send(fate(tail))])
    async with wrapper_for(simulator) as wrapper:
        worker = worker_for(database, wrapper)
        await worked(worker, lambda: all_in(database, state))
        await worked(worker_for(database, wrapper), lambda: bool(simulator.posts()))
    assert all_in(database, state)
    assert len(simulator.posts()) == 1
