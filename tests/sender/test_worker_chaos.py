"""Everything goes wrong at once, and still nothing is sent twice and nothing is claimed that is not known."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from sending import (
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
    states,
    worked,
    worker_for,
    wrapper_for,
)

from receiver.payload import parse
from simulator.running import RunningSimulator
from store.apply import Understood, apply
from store.database import Database
from store.sends import end_leases

TAILS = ("0001", "0010", "0012", "0013", "0014", "0016", "0017", "0019", "0020", "0026", None, None)
TAKEN_WITHOUT_ANSWER = ("0010", "0013", "0019", "0026")
MESSAGES = 240
KILLS = 4
HERE = Path(__file__).parent


async def start(database_url: str, wrapper_url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "worker_process.py"),
        database_url,
        wrapper_url,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent.parent), str(HERE)])},
    )


def end_all_leases(database: Database) -> None:
    with database.write() as tx:
        end_leases(tx, time.time() + 3600)


async def test_whatever_happens_nothing_is_sent_twice(database_url: str):
    scenario = replace(SCENARIO, answer_delay=0.1, unread_share=0.02, callback_url=None)
    tails = [tail for tail, _ in zip(cycle(TAILS), range(MESSAGES), strict=False)]
    with RunningSimulator(scenario) as simulator, opened(database_url) as database:
        sends = [
            new_send(fate(tail) if tail else anybody(), number=(NUMBER, OTHER)[place % 2])
            for place, tail in enumerate(tails)
        ]
        queue_all(database, sends)
        for round_ in range(KILLS):
            process = await start(database_url, simulator.url)
            seen = len(simulator.posts())
            await eventually(lambda before=seen: len(simulator.posts()) > before + 15, 40)
            process.kill()
            await process.wait()
            if round_ % 2:
                end_all_leases(database)
        end_all_leases(database)
        done = lambda: not {"queued", "sending"} & set(states(database).values())  # noqa: E731
        async with wrapper_for(simulator, timeout=3.0) as wrapper:
            await worked(worker_for(database, wrapper), done, 120)
        simulator.release()
        await asyncio.to_thread(simulator.wait_until_idle)

        taken = Counter(one["callback_data"] for one in simulator.messages())
        assert max(taken.values()) == 1
        posts = Counter(one["callback_data"] for one in simulator.posts() if one["callback_data"])
        throttled = Counter(
            one["callback_data"] for one in simulator.posts() if one["outcome"] == "throttled"
        )
        assert {message for message, count in posts.items() if count - throttled[message] > 1} == set()

        bodies = [json.dumps(one["body"]).encode() for one in simulator.webhooks()]
        with database.write() as tx:
            heard = [
                Understood(number, time.time(), parse(body, time.time()))
                for number, body in enumerate(bodies, 1)
            ]
            apply(tx, heard, time.time())
        found = states(database)
        by_id = {one.message_id: tail for one, tail in zip(sends, tails, strict=True)}
        for message, state in found.items():
            if state == "accepted":
                assert taken[message] == 1
            if taken[message]:
                assert state == "accepted", f"taken by Meta, reported, and still {state}: {by_id[message]}"
        assert any(by_id[one] in TAKEN_WITHOUT_ANSWER for one, state in found.items() if state == "accepted")
        assert rows(database, "SELECT count(*) AS n FROM sent_twice") == [{"n": 0}]
