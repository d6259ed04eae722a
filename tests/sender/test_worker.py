"""The worker against the real simulator, on both databases."""

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
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
from sqlalchemy import text

from sender.figures import QueueFigures, SenderFigures
from sender.guard import FILE
from simulator.running import RunningSimulator
from store import numbers
from store.claims import Hunt, claim_due
from store.database import Database
from store.rates import Limits
from store.sends import end_leases, give_back


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
            other = asyncio.create_task(worked(worker_for(two, second), lambda: all_in(two, "accepted"), 40))
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


def _whole(simulator: RunningSimulator) -> list[str]:
    """The callback data of the POSTs that arrived whole; a killed process may leave one without its body."""
    return [one["callback_data"] for one in simulator.posts() if one["callback_data"] is not None]


async def test_a_killed_worker_leaves_nothing_that_could_be_sent_twice(database_url: str, database: Database):
    """SIGKILL while POSTs are on the wire; then another worker takes over."""
    with RunningSimulator(replace(SCENARIO, answer_delay=0.5)) as simulator:
        queue_all(database, [new_send() for _ in range(60)])
        here = Path(__file__).parent
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(here / "worker_process.py"),
            database_url,
            simulator.url,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here.parent.parent), str(here)])},
        )
        await eventually(lambda: len(_whole(simulator)) >= 10, 40)
        process.kill()
        await process.wait()
        assert "sending" in states(database).values()
        with database.write() as tx:
            end_leases(tx, time.time() + 3600)
        left = states(database)
        assert set(left.values()) <= {"queued", "accepted", "unknown"}
        async with wrapper_for(simulator) as wrapper:
            await worked(worker_for(database, wrapper), lambda: all_in(database, "accepted", "unknown"))
        posts = _whole(simulator)
    assert len(posts) == len(set(posts))
    unknown = [message for message, state in states(database).items() if state == "unknown"]
    assert unknown == [message for message, state in left.items() if state == "unknown"] != []


async def test_stopping_gives_back_what_was_not_posted_and_finishes_what_was(database: Database):
    with RunningSimulator(replace(SCENARIO, answer_delay=0.3)) as simulator:
        queue_all(database, [new_send() for _ in range(100)])
        async with wrapper_for(simulator) as wrapper:
            await worked(worker_for(database, wrapper), lambda: len(simulator.posts()) >= 10)
        found = states(database)
        assert set(found.values()) == {"queued", "accepted"}
        accepted = [message for message, state in found.items() if state == "accepted"]
        assert sorted(accepted) == sorted(one["callback_data"] for one in simulator.posts())
    left = "SELECT count(*) AS n FROM sends WHERE state = 'queued' AND attempts <> 0"
    assert rows(database, left) == [{"n": 0}]
    assert rows(database, "SELECT count(*) AS n FROM send_attempts") == [{"n": len(accepted)}]


async def test_a_cancelled_worker_stops_in_order(database: Database):
    with RunningSimulator(replace(SCENARIO, answer_delay=0.3)) as simulator:
        queue_all(database, [new_send() for _ in range(20)])
        async with wrapper_for(simulator) as wrapper:
            task = asyncio.create_task(worker_for(database, wrapper).run())
            await eventually(lambda: bool(simulator.posts()))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert set(states(database).values()) <= {"queued", "accepted"}


async def test_a_held_number_does_not_stand_in_front_of_others(
    database: Database, simulator: RunningSimulator
):
    with database.write() as tx:
        numbers.pause(tx, NUMBER, "its quality fell", time.time())
    held = queue_all(database, [new_send() for _ in range(100)])
    free = queue_all(database, [new_send(number=OTHER) for _ in range(5)])
    async with wrapper_for(simulator) as wrapper:
        done = lambda: all(states(database)[one] == "accepted" for one in free)  # noqa: E731
        await worked(worker_for(database, wrapper), done)
        assert {states(database)[one] for one in held} == {"queued"}
        with database.write() as tx:
            numbers.resume(tx, NUMBER)
        await worked(worker_for(database, wrapper), lambda: all_in(database, "accepted"))


async def test_a_slow_recipient_does_not_stand_in_front_of_others(
    database: Database, simulator: RunningSimulator
):
    person = anybody()
    slow = queue_all(database, [new_send(person) for _ in range(100)])
    others = queue_all(database, [new_send() for _ in range(5)])
    limits = Limits(rate=80.0, pair_burst=3, pair_seconds=60.0)
    async with wrapper_for(simulator) as wrapper:
        done = lambda: all(states(database)[one] == "accepted" for one in others)  # noqa: E731
        await worked(worker_for(database, wrapper, limits), done)
    assert [states(database)[one] for one in slow].count("accepted") == 3
    due = rows(database, "SELECT due_at FROM sends WHERE state = 'queued' ORDER BY due_at")
    gaps = [later["due_at"] - earlier["due_at"] for earlier, later in itertools.pairwise(due)]
    assert len(due) == 97
    assert gaps.count(0.0) < 97  # each to its own moment, as far as they were looked at
    assert max(one["due_at"] for one in due) > time.time() + 60


def test_urgent_messages_go_before_bulk_and_numbers_take_turns(database: Database):
    queue_all(database, [new_send(priority=1) for _ in range(20)])
    queue_all(database, [new_send(priority=1, number=OTHER) for _ in range(20)])
    urgent = queue_all(database, [new_send(priority=0) for _ in range(2)])
    with database.write() as tx:
        found = claim_due(tx, time.time(), Hunt("c" * 32, 30.0, 6, FAST))
    assert len(found.claimed) == 6
    assert {one.message_id for one in found.claimed[:2]} == set(urgent)
    assert {one.phone_number_id for one in found.claimed} == {NUMBER, OTHER}


def test_a_claim_takes_no_more_than_leaves_within_50_ms(database: Database):
    queue_all(database, [new_send() for _ in range(40)])
    hunt = Hunt("c" * 32, 30.0, 100, Limits(rate=80.0))
    with database.write() as tx:
        first = claim_due(tx, time.time(), hunt)
    assert 3 <= len(first.claimed) <= 5
    # slots are whole microseconds, the moment of the claim is not
    assert all(-1e-6 <= one.slot - first.at <= 0.06 for one in first.claimed)
    slots = [one.slot for one in first.claimed]
    assert all(later - earlier >= 1 / 80 for earlier, later in itertools.pairwise(slots))


def test_a_claim_writes_an_attempt_before_the_post(database: Database):
    [message] = queue_all(database, [new_send()])
    with database.write() as tx:
        [claimed] = claim_due(tx, time.time(), Hunt("c" * 32, 30.0, 5, FAST)).claimed
    row = send_row(database, message)
    assert (row["state"], row["claim_id"], row["attempts"]) == ("sending", "c" * 32, 1)
    assert rows(database, "SELECT message_id, number FROM send_attempts") == [
        {"message_id": message, "number": 1}
    ]
    assert claimed.payload == bytes(row["payload"])


async def test_what_expired_is_refused_as_too_late(database: Database, simulator: RunningSimulator):
    [message] = queue_all(database, [new_send(valid_for=0.05)])
    await asyncio.sleep(0.1)
    async with wrapper_for(simulator) as wrapper:
        await worked(worker_for(database, wrapper), lambda: all_in(database, "refused"))
    row = send_row(database, message)
    assert (row["refused_by"], row["attempts"]) == ("wamtrail", 0)
    assert "Too late" in row["error"]
    assert simulator.posts() == []


async def test_throttled_beyond_its_end_it_is_too_late(database: Database, simulator: RunningSimulator):
    [message] = queue_all(database, [new_send(fate("0016"), valid_for=1.0)])
    async with wrapper_for(simulator) as wrapper:
        await worked(worker_for(database, wrapper), lambda: all_in(database, "refused"))
    assert send_row(database, message)["refused_by"] == "wamtrail"
    assert "Too late" in send_row(database, message)["error"]


async def test_a_wrong_key_stops_the_queue_and_one_message_tries_it_again(
    database: Database, simulator: RunningSimulator
):
    queue_all(database, [new_send(fate("0025"))])
    async with wrapper_for(simulator) as wrapper:
        await worked(worker_for(database, wrapper), lambda: all_in(database, "refused"))
        queue_all(database, [new_send() for _ in range(10)])
        with database.write() as tx:
            assert claim_due(tx, time.time(), Hunt("c" * 32, 30.0, 50, FAST)).claimed == ()
            tx.run(text("UPDATE numbers SET paused_until = :past"), {"past": time.time() - 1})
        with database.write() as tx:
            [tried] = claim_due(tx, time.time(), Hunt("c" * 32, 30.0, 50, FAST)).claimed
            assert tried.trials
            assert claim_due(tx, time.time(), Hunt("d" * 32, 30.0, 50, FAST)).claimed == ()
            give_back(tx, tried.message_id, tried.claim)
            tx.run(text("UPDATE numbers SET paused_until = :past"), {"past": time.time() - 1})
        await worked(worker_for(database, wrapper), lambda: all_in(database, "accepted", "refused"))
    assert rows(database, "SELECT paused_until FROM numbers") == [{"paused_until": None}]


async def test_a_database_that_is_not_the_known_one_is_held_until_a_person_resumes(
    database: Database, simulator: RunningSimulator, tmp_path: Path
):
    queue_all(database, [new_send()])
    async with wrapper_for(simulator) as wrapper:
        await worked(worker_for(database, wrapper, state_dir=tmp_path), lambda: all_in(database, "accepted"))
        known = json.loads((tmp_path / FILE).read_text())
        for changed in ({"name": "another"}, {"position": known["position"] + 5}):
            (tmp_path / FILE).write_text(json.dumps({**known, **changed}))
            queue_all(database, [new_send()])
            held = lambda: rows(database, "SELECT 1 AS n FROM numbers WHERE paused_until > 0") != []  # noqa: E731
            await worked(worker_for(database, wrapper, state_dir=tmp_path), held)
            assert "queued" in states(database).values()
            with database.write() as tx:
                assert numbers.resume(tx, numbers.ACCOUNT)
            await worked(
                worker_for(database, wrapper, state_dir=tmp_path), lambda: all_in(database, "accepted")
            )
            known = json.loads((tmp_path / FILE).read_text())


async def test_the_queue_is_told_in_figures(database: Database, simulator: RunningSimulator):
    registry = CollectorRegistry()
    queue_figures, figures = QueueFigures(registry), SenderFigures(registry)
    queue_all(database, [new_send() for _ in range(3)])
    with database.read() as tx:
        queue_figures.measure(tx, time.time() + 60)
    assert registry.get_sample_value("wamtrail_send_queue_depth") == 3
    assert registry.get_sample_value("wamtrail_send_queue_age_seconds") > 59
    async with wrapper_for(simulator) as wrapper:
        await worked(worker_for(database, wrapper, figures=figures), lambda: all_in(database, "accepted"))
    with database.read() as tx:
        queue_figures.measure(tx, time.time())
    assert registry.get_sample_value("wamtrail_send_queue_depth") == 0
    assert registry.get_sample_value("wamtrail_sent_twice") == 0
    assert registry.get_sample_value("wamtrail_send_attempts_total", {"outcome": "accepted"}) == 3
