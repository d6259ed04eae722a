"""One message sent now, against the real simulator, on both databases."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from prometheus_client import CollectorRegistry
from sending import (
    FAST,
    SCENARIO,
    anybody,
    eventually,
    fate,
    new_send,
    opened,
    rows,
    send_row,
    single_for,
    states,
    wrapper_for,
)

from sender.database_clock import DatabaseClock
from sender.figures import SenderFigures
from sender.single import OverLimit, send_now
from sender.wrapper import Wrapper, WrapperConfig
from simulator.running import RunningSimulator
from store import numbers
from store.apply import Understood, apply
from store.claims import submit_claimed
from store.database import Database
from store.placing import Asked
from store.rates import Limits
from store.records import Parsed, StatusUpdate
from store.sends import end_leases


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator(SCENARIO) as running:
        yield running


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


async def test_an_accepted_message_has_its_wamid_everywhere(database: Database, simulator: RunningSimulator):
    new = new_send(reference="order-77")
    async with wrapper_for(simulator) as wrapper:
        sent = await send_now(database, wrapper, new, wait_at_most=5, clock=time.time, rng=Random())
    assert (sent.state, sent.outcome, sent.http_status, sent.created) == ("accepted", "accepted", 200, True)
    row = send_row(database, new.message_id)
    assert row["wamid"] == sent.wamid == json.loads(sent.answer)["messages"][0]["id"]
    assert (row["state"], row["settled_by"], row["attempts"], row["payload"]) == (
        "accepted",
        "answer",
        1,
        None,
    )
    assert rows(database, "SELECT message_id, reference FROM messages") == [
        {"message_id": new.message_id, "reference": "order-77"}
    ]
    assert [one["callback_data"] for one in simulator.messages()] == [new.message_id]
    assert rows(database, "SELECT count(*) AS feed FROM feed") == [{"feed": 1}]


# tail of the number -> outcome, state with the queue, state when nothing may be left behind
FATES = {
    "0001": ("accepted", "accepted", "accepted"),
    "0010": ("unknown", "unknown", "unknown"),
    "0011": ("unknown", "unknown", "unknown"),
    "0012": ("unknown", "unknown", "unknown"),
    "0013": ("unknown", "unknown", "unknown"),
    "0014": ("unknown", "unknown", "unknown"),
    "0015": ("refused", "refused", "refused"),
    "0016": ("throttled", "queued", "refused"),
    "0017": ("throttled", "queued", "refused"),
    "0018": ("refused", "refused", "refused"),
    "0019": ("unknown", "unknown", "unknown"),
    "0020": ("unknown", "unknown", "unknown"),
    "0021": ("refused", "refused", "refused"),
    "0022": ("accepted", "accepted", "accepted"),
    "0025": ("refused", "refused", "refused"),
    "0026": ("unknown", "unknown", "unknown"),
}


@pytest.mark.parametrize("tail", FATES)
@pytest.mark.parametrize("reject", [False, True])
async def test_each_answer_has_its_outcome(
    sqlite_url: str, simulator: RunningSimulator, tail: str, reject: bool
):
    outcome, queued, rejected = FATES[tail]
    with opened(sqlite_url) as database:
        async with wrapper_for(simulator, timeout=1.0) as wrapper:
            single = single_for(database, wrapper)
            sent = await single.send(new_send(fate(tail)), wait_at_most=5, reject=reject)
        assert (sent.outcome, sent.state) == (outcome, rejected if reject else queued)
        assert states(database) == {sent.message_id: sent.state}
        assert sent.sentence
        recorded = rows(database, "SELECT outcome, http_status FROM attempt_outcomes")
        assert recorded == [{"outcome": outcome, "http_status": sent.http_status}]


async def test_a_wrong_phone_number_id_is_explained(sqlite_url: str, simulator: RunningSimulator):
    with opened(sqlite_url) as database:
        async with wrapper_for(simulator) as wrapper:
            sent = await single_for(database, wrapper).send(
                new_send(number="999999999999999"), wait_at_most=5
            )
    assert (sent.state, sent.refused_by) == ("refused", "meta")
    assert "PHONE_NUMBER_ID" in sent.sentence


async def test_what_nothing_listens_for_is_queued_or_given_up(sqlite_url: str, simulator: RunningSimulator):
    with opened(sqlite_url) as database:
        async with Wrapper(WrapperConfig("http://127.0.0.1:9", SCENARIO.sid, "key", timeout=1.0)) as nowhere:
            single = single_for(database, nowhere)
            queued = await single.send(new_send(), wait_at_most=5)
            given_up = await single.send(new_send(), wait_at_most=5, reject=True)
    assert (queued.outcome, queued.state) == ("unreachable", "queued")
    assert (given_up.outcome, given_up.state, given_up.refused_by) == ("unreachable", "refused", "wamtrail")


async def test_a_status_may_come_before_the_answer(database: Database):
    with RunningSimulator(replace(SCENARIO, answer_delay=1.0)) as simulator:
        new = new_send()
        async with wrapper_for(simulator) as wrapper:
            sending = asyncio.create_task(single_for(database, wrapper).send(new, wait_at_most=5))
            await eventually(lambda: bool(simulator.messages()))
            wamid = simulator.messages()[0]["wamid"]
            update = StatusUpdate(wamid, "", "sent", int(time.time()), "", callback_data=new.message_id)
            with database.write() as tx:
                apply(tx, [Understood(1, time.time(), Parsed(updates=(update,)))], time.time())
            assert send_row(database, new.message_id)["state"] == "accepted"
            sent = await sending
    assert (sent.state, sent.wamid) == ("accepted", wamid)
    row = send_row(database, new.message_id)
    assert (row["state"], row["settled_by"], row["wamid"]) == ("accepted", "status", wamid)
    assert rows(database, "SELECT outcome FROM attempt_outcomes") == [{"outcome": "accepted"}]
    assert rows(database, "SELECT * FROM sent_twice") == []


async def test_a_lost_answer_is_settled_by_the_status(database: Database, simulator: RunningSimulator):
    new = new_send(fate("0010"))
    async with wrapper_for(simulator) as wrapper:
        sent = await single_for(database, wrapper).send(new, wait_at_most=5)
    assert sent.state == "unknown"
    wamid = simulator.messages()[0]["wamid"]
    update = StatusUpdate(wamid, "", "delivered", int(time.time()), "", callback_data=new.message_id)
    with database.write() as tx:
        apply(tx, [Understood(1, time.time(), Parsed(updates=(update,)))], time.time())
    assert send_row(database, new.message_id)["wamid"] == wamid


async def test_a_cancelled_post_is_recorded_as_unknown(database: Database, simulator: RunningSimulator):
    new = new_send(fate("0011"))
    async with wrapper_for(simulator, timeout=10.0) as wrapper:
        task = asyncio.create_task(single_for(database, wrapper).send(new, wait_at_most=5))
        await eventually(lambda: bool(simulator.messages()))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert states(database) == {new.message_id: "unknown"}
    assert rows(database, "SELECT outcome FROM attempt_outcomes") == [{"outcome": "unknown"}]


async def test_cancelled_before_its_slot_it_is_cancelled_and_never_leaves(
    database: Database, simulator: RunningSimulator
):
    slow = Limits(rate=0.1)
    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper, slow)
        await single.send(new_send(), wait_at_most=5)
        waiting = asyncio.create_task(single.send(new_send(), wait_at_most=60))
        await eventually(lambda: "queued" in states(database).values())
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert sorted(states(database).values()) == ["accepted", "cancelled"]
    assert rows(database, "SELECT count(*) AS n FROM send_attempts") == [{"n": 1}]
    assert len(simulator.posts()) == 1


async def test_over_the_limit_it_waits_is_queued_or_is_rejected(
    database: Database, simulator: RunningSimulator
):
    slow = Limits(rate=2.0)
    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper, slow)
        began = time.monotonic()
        assert (await single.send(new_send(), wait_at_most=0)).state == "accepted"
        assert (await single.send(new_send(), wait_at_most=5)).state == "accepted"
        assert time.monotonic() - began > 0.5
        queued = await single.send(new_send(), wait_at_most=0)
        before = states(database)
        with pytest.raises(OverLimit) as refused:
            await single.send(new_send(), wait_at_most=0, reject=True)
    assert (queued.state, queued.why) == ("queued", "number")
    assert (refused.value.why, states(database)) == ("number", before)
    assert 0 < refused.value.again_in < 1
    assert len(simulator.posts()) == 2


async def test_one_person_is_not_sent_more_than_meta_lets(database: Database, simulator: RunningSimulator):
    limits, person = Limits(rate=1000.0, pair_burst=2, pair_seconds=60.0), anybody()
    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper, limits)
        found = [await single.send(new_send(person), wait_at_most=1) for _ in range(3)]
        with pytest.raises(OverLimit) as refused:
            await single.send(new_send(person), wait_at_most=1, reject=True)
        others = await single.send(new_send(), wait_at_most=1)
    assert [one.state for one in found] == ["accepted", "accepted", "queued"]
    assert (found[2].why, refused.value.why, others.state) == ("pair", "pair", "accepted")
    assert send_row(database, found[2].message_id)["due_at"] > time.time() + 50


async def test_while_sending_is_held_nothing_leaves(database: Database, simulator: RunningSimulator):
    with database.write() as tx:
        assert numbers.pause(tx, numbers.ACCOUNT, "holidays", time.time())
        assert not numbers.pause(tx, numbers.ACCOUNT, "again", time.time())
    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper)
        held = await single.send(new_send(), wait_at_most=5, by_hand=True)
        with pytest.raises(OverLimit) as refused:
            await single.send(new_send(), wait_at_most=5, reject=True)
        assert (held.state, held.why, refused.value.why) == ("queued", "paused", "paused")
        assert "holidays" in held.sentence
        assert simulator.posts() == []
        with database.write() as tx:
            assert numbers.resume(tx, numbers.ACCOUNT)
        assert (await single.send(new_send(), wait_at_most=5)).state == "accepted"


async def test_a_wrong_key_stops_the_account_once_until_one_message_goes_well(
    database: Database, simulator: RunningSimulator
):
    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper)
        await asyncio.gather(*(single.send(new_send(fate("0025")), wait_at_most=5) for _ in range(3)))
        [account] = rows(database, "SELECT * FROM numbers")
        assert account["phone_number_id"] == numbers.ACCOUNT
        assert "RBC201" in account["paused_reason"]
        assert (await single.send(new_send(), wait_at_most=5)).why == "paused"
        assert (await single.send(new_send(), wait_at_most=5, by_hand=True)).state == "accepted"
        assert rows(database, "SELECT paused_until FROM numbers") == [{"paused_until": None}]
        assert (await single.send(new_send(), wait_at_most=5)).state == "accepted"


class LateOnce(DatabaseClock):
    """The first slot is over when it is looked at, as when the machine was asleep in between."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, time.time)
        self._late = [0.2] * 3  # as often as it is asked about one slot

    def here(self, moment: float) -> float:
        return super().here(moment) - (self._late.pop() if self._late else 0.0)


async def test_a_slot_that_was_missed_is_given_back_and_taken_again(
    database: Database, simulator: RunningSimulator
):
    registry = CollectorRegistry()
    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper, figures=SenderFigures(registry))
        single.there = LateOnce(database)
        sent = await single.send(new_send(), wait_at_most=5)
    assert sent.state == "accepted"
    assert registry.get_sample_value("wamtrail_send_slots_missed_total") >= 1
    assert len(simulator.posts()) == 1
    assert rows(database, "SELECT count(*) AS n FROM send_attempts") == [{"n": 1}]


async def test_its_process_killed_it_is_unknown_when_the_lease_ends(database: Database):
    with database.write() as tx:
        asked = Asked("c" * 32, 30.0, 5.0, FAST)
        placed = submit_claimed(tx, new_send(), time.time(), asked)
    assert placed.kind == "claimed"
    with database.write() as tx:
        assert end_leases(tx, time.time() + 29) == 0
        assert end_leases(tx, time.time() + 31) == 1
    assert list(states(database).values()) == ["unknown"]


async def test_a_machine_that_wakes_up_late_loses_one_slot_and_not_each(
    database: Database, simulator: RunningSimulator
):
    async def late(seconds: float) -> None:
        await asyncio.sleep(seconds + 0.2 if seconds > 0.5 else seconds)

    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper, Limits(rate=1.0), sleep=late)
        await single.send(new_send(), wait_at_most=0)
        sent = await single.send(new_send(), wait_at_most=10)
    assert sent.state == "accepted"
    assert len(simulator.posts()) == 2
