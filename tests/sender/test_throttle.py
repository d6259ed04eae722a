"""What reaches the wrapper: never more than the limits, with several workers and senders at once."""

import asyncio
import itertools
import json
import time
from collections import defaultdict
from collections.abc import Iterator

import pytest
from sending import (
    NUMBER,
    OTHER,
    SCENARIO,
    anybody,
    new_send,
    opened,
    queue_all,
    rows,
    single_for,
    states,
    worked,
    worker_for,
)

from sender.reply import Reply
from sender.wrapper import Moment, Wrapper, WrapperConfig
from store import numbers
from store.database import Database
from store.rates import Limits


class Recorded(Wrapper):
    """A wrapper that accepts at once and notes when it was called: exact, where a network would blur it."""

    def __init__(self) -> None:
        super().__init__(WrapperConfig("http://127.0.0.1:9", SCENARIO.sid, "key"))
        self.posts: list[tuple[float, str, str]] = []  # when, number, recipient

    async def post(self, phone_number_id: str, body: bytes, *, moment: Moment | None = None) -> Reply:
        payload = json.loads(body)
        self.posts.append((time.time(), phone_number_id, payload["to"]))
        wamid = f"wamid.{payload['biz_opaque_callback_data']}"
        await asyncio.sleep(0.05)
        return Reply("answered", 200, json.dumps({"messages": [{"id": wamid}]}).encode())


class Told(Recorded):
    """Says once that the number is too fast."""

    async def post(self, phone_number_id: str, body: bytes, *, moment: Moment | None = None) -> Reply:
        reply = await super().post(phone_number_id, body)
        if len(self.posts) == 1:
            return Reply("answered", 400, json.dumps({"error": {"message": "m", "code": 130429}}).encode())
        return reply


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


def most_in(window: float, times: list[float]) -> int:
    times = sorted(times)
    return max(sum(first <= one < first + window for one in times) for first in times)


async def test_workers_and_senders_together_keep_the_rate_of_each_number(database_url: str):
    """Two opened databases stand for two processes; NUMBER has the default rate, OTHER one of its own."""
    limits, wrapper = Limits(rate=20.0), Recorded()
    with opened(database_url) as one, opened(database_url) as two:
        with one.write() as tx:
            numbers.set_rate(tx, OTHER, 40.0)
        queue_all(one, [new_send() for _ in range(30)] + [new_send(number=OTHER) for _ in range(60)])
        single = single_for(two, wrapper, limits)

        def finished(database: Database) -> bool:
            return len(wrapper.posts) >= 100 and set(states(database).values()) == {"accepted"}

        began = time.monotonic()
        await asyncio.gather(
            worked(worker_for(one, wrapper, limits), lambda: finished(one), 40),
            worked(worker_for(two, wrapper, limits), lambda: finished(two), 40),
            *(single.send(new_send(), wait_at_most=20) for _ in range(10)),
        )
        took = time.monotonic() - began
        assert rows(one, "SELECT count(*) AS n FROM sends WHERE attempts <> 1") == [{"n": 0}]
    by_number = defaultdict(list)
    for at, number, _ in wrapper.posts:
        by_number[number].append(at)
    assert most_in(1.0, by_number[NUMBER]) <= 20
    assert most_in(1.0, by_number[OTHER]) <= 40
    assert {number: len(times) for number, times in by_number.items()} == {NUMBER: 40, OTHER: 60}
    assert took < 10  # 2.1 s and 1.6 s are needed: neither number waits for the other


async def test_one_person_gets_a_burst_and_then_one_at_a_time(database: Database):
    limits, wrapper, person = Limits(rate=1000.0, pair_burst=3, pair_seconds=0.4), Recorded(), anybody()
    queue_all(database, [new_send(person) for _ in range(7)] + [new_send() for _ in range(10)])
    await worked(
        worker_for(database, wrapper, limits), lambda: set(states(database).values()) == {"accepted"}
    )
    to_person = sorted(at for at, _, recipient in wrapper.posts if recipient == person)
    assert len(to_person) == 7
    for first in range(len(to_person) - 3):
        assert to_person[first + 3] - to_person[first] >= 0.4 - 0.02
    others = [at for at, _, recipient in wrapper.posts if recipient != person]
    assert max(others) < to_person[-1]


async def test_the_whole_account_keeps_its_limit(database: Database):
    limits, wrapper = Limits(rate=1000.0, account=10, account_seconds=1.0), Recorded()
    queue_all(database, [new_send(number=number) for _ in range(10) for number in (NUMBER, OTHER)])
    await worked(
        worker_for(database, wrapper, limits), lambda: set(states(database).values()) == {"accepted"}
    )
    times = sorted(at for at, _, _ in wrapper.posts)
    assert most_in(1.0, times) <= 10
    assert {number for _, number, _ in wrapper.posts[:6]} == {NUMBER, OTHER}


async def test_a_number_that_is_told_to_be_too_fast_rests(database: Database):
    wrapper = Told()
    queue_all(database, [new_send()])
    await worked(
        worker_for(database, wrapper), lambda: "queued" in states(database).values() and wrapper.posts != []
    )
    queue_all(database, [new_send() for _ in range(5)] + [new_send(number=OTHER) for _ in range(5)])
    began = time.time()
    await worked(worker_for(database, wrapper), lambda: set(states(database).values()) == {"accepted"})
    waits = {number: at - wrapper.posts[0][0] for at, number, _ in reversed(wrapper.posts[1:])}
    assert waits[NUMBER] > 0.9
    assert waits[OTHER] - (began - wrapper.posts[0][0]) < 0.5


async def test_slots_are_dropped_and_never_made_up(database: Database):
    """After a pause of the whole process the messages leave at their pace, not all at once."""
    limits, wrapper = Limits(rate=50.0), Recorded()
    queue_all(database, [new_send() for _ in range(40)])

    async def block() -> None:
        while len(wrapper.posts) < 5:
            await asyncio.sleep(0.01)
        time.sleep(0.5)  # the event loop stands still

    await asyncio.gather(
        block(),
        worked(worker_for(database, wrapper, limits), lambda: set(states(database).values()) == {"accepted"}),
    )
    times = sorted(at for at, _, _ in wrapper.posts)
    assert len(times) == 40
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) > 0.4
    assert most_in(0.5, times) <= 26
    assert rows(database, "SELECT count(*) AS n FROM send_attempts") == [{"n": 40}]
