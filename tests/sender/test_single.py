"""One message sent now, against the real simulator, on both databases."""

import asyncio
import json
import time
from collections.abc import Iterator
from random import Random

import pytest
from sending import (
    FAST,
    NUMBER,
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

from sender.single import OverLimit, send_now
from simulator.running import RunningSimulator
from store import numbers
from store.database import Database
from store.rates import Limits
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
    assert (row["state"], row["settled_by"], row["attempts"], row["payload"]) == ("accepted", "answer", 1, None)
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
async def test_each_answer_has_its_outcome(sqlite_url: str, simulator: RunningSimulator, tail: str, reject: bool):
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
