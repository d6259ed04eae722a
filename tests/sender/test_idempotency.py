"""One idempotency key, one message: under concurrency, across processes, and byte for byte."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sending import (
    OTHER,
    SCENARIO,
    anybody,
    eventually,
    fate,
    new_send,
    opened,
    rows,
    single_for,
    states,
    wrapper_for,
)

from sender.prepare import Refused
from sender.single import OverLimit
from simulator.running import RunningSimulator
from store.database import Database
from store.errors import IdempotencyConflict
from store.rates import Limits


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator(SCENARIO) as running:
        yield running


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


async def test_of_many_at_once_one_is_sent_and_all_hear_the_same(database_url: str):
    """Two opened databases stand for two processes."""
    with (
        RunningSimulator(replace(SCENARIO, answer_delay=0.3)) as simulator,
        opened(database_url) as one,
        opened(database_url) as two,
    ):
        person = anybody()
        async with wrapper_for(simulator) as wrapper:
            singles = [single_for(one, wrapper), single_for(two, wrapper)]
            found = await asyncio.gather(
                *(
                    singles[n % 2].send(new_send(person, idempotency_key="k"), wait_at_most=5)
                    for n in range(10)
                )
            )
        assert len(simulator.posts()) == 1
        assert len(states(one)) == 1
    assert [one.created for one in found].count(True) == 1
    assert len({(one.message_id, one.wamid, one.http_status, one.answer, one.state) for one in found}) == 1
    assert found[0].state == "accepted"


@pytest.mark.parametrize("tail", ["0001", "0015", "0010", "0013", "0025"])
async def test_the_same_key_and_body_get_the_first_result(
    database: Database, simulator: RunningSimulator, tail: str
):
    person = fate(tail)
    async with wrapper_for(simulator) as wrapper:
        first = await single_for(database, wrapper).send(
            new_send(person, idempotency_key="k"), wait_at_most=5, by_hand=True
        )
        again = await single_for(database, wrapper).send(
            new_send(person, idempotency_key="k"), wait_at_most=5, by_hand=True
        )
    assert len(simulator.posts()) == 1
    assert again == replace(first, created=False)


async def test_the_same_key_with_another_body_is_a_conflict(database: Database, simulator: RunningSimulator):
    person = anybody()
    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper)
        await single.send(new_send(person, idempotency_key="k"), wait_at_most=5)
        with pytest.raises(IdempotencyConflict):
            await single.send(new_send(person, idempotency_key="k", body="Other"), wait_at_most=5)
        other = await single.send(new_send(person, idempotency_key="k", number=OTHER), wait_at_most=5)
    assert other.created  # the key belongs to one sending number
    assert len(simulator.posts()) == 2


async def test_a_repeat_waits_for_the_first_but_not_longer_than_the_wrapper_may_take(
    database: Database, simulator: RunningSimulator
):
    person = fate("0011")
    async with wrapper_for(simulator, timeout=2.5) as slow, wrapper_for(simulator, timeout=0.3) as quick:
        first = asyncio.create_task(
            single_for(database, slow).send(new_send(person, idempotency_key="k"), wait_at_most=5)
        )
        await eventually(lambda: bool(simulator.posts()))
        impatient = await single_for(database, quick).send(
            new_send(person, idempotency_key="k"), wait_at_most=5
        )
        assert (impatient.state, impatient.created) == ("sending", False)
        patient = await single_for(database, slow).send(new_send(person, idempotency_key="k"), wait_at_most=5)
        assert patient == replace(await first, created=False)
    assert patient.state == "unknown"
    assert len(simulator.posts()) == 1


async def test_what_is_refused_before_a_row_exists_binds_no_key(
    database: Database, simulator: RunningSimulator
):
    with pytest.raises(Refused):
        new_send("12", idempotency_key="k")
    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper, Limits(rate=0.5))
        await single.send(new_send(), wait_at_most=0)
        with pytest.raises(OverLimit):
            await single.send(new_send(idempotency_key="k"), wait_at_most=0, reject=True)
        assert rows(database, "SELECT 1 AS found FROM sends WHERE idempotency_key = 'k'") == []
        sent = await single.send(new_send(idempotency_key="k"), wait_at_most=30)
    assert (sent.state, sent.created) == ("accepted", True)
