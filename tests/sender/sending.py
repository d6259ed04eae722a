"""What the tests of sending need: messages, a wrapper that talks to the simulator, a look into the tables."""

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

from sqlalchemy import text

from sender.message_id import message_id
from sender.payload_build import text as text_payload
from sender.prepare import prepare
from sender.single import Single
from sender.worker import Worker
from sender.wrapper import Wrapper, WrapperConfig
from simulator.running import RunningSimulator
from simulator.scenario import Scenario
from store.database import Database
from store.rates import Limits
from store.records import NewSend
from store.sends import submit

NUMBER, OTHER = "106540352242922", "106540352242933"
FAST = Limits(rate=1000.0)
SCENARIO = Scenario(phone_number_ids=(NUMBER, OTHER), status_delay=0.05, hang_seconds=3.0)
_serial = itertools.count(10_000)


def anybody() -> str:
    """A recipient that nobody else in the tests has, and that meets no fixed fate."""
    return f"+9198{next(_serial):05d}999"


def new_send(to: str | None = None, *, number: str = NUMBER, body: str = "Hello", **more: Any) -> NewSend:
    return prepare(
        text_payload(to or anybody(), body),
        phone_number_id=number,
        message_id=message_id(time.time(), os.urandom(10)),
        now=time.time(),
        **more,
    )


def fate(tail: str) -> str:
    """A recipient whose last four digits choose what the simulator does."""
    return f"+919876{next(_serial) % 100:02d}{tail}"


def wrapper_for(simulator: RunningSimulator, **more: Any) -> Wrapper:
    config = {"timeout": 2.0, "concurrency": 32, **more}
    return Wrapper(WrapperConfig(simulator.url, SCENARIO.sid, SCENARIO.api_key, **config))


def single_for(database: Database, wrapper: Wrapper, limits: Limits = FAST, **more: Any) -> Single:
    return Single(database, wrapper, clock=time.time, rng=Random(), limits=limits, **more)


def worker_for(database: Database, wrapper: Wrapper, limits: Limits = FAST, **more: Any) -> Worker:
    return Worker(database, wrapper, clock=time.time, rng=Random(), limits=limits, **more)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def queue_all(database: Database, sends: Sequence[NewSend]) -> list[str]:
    with database.write() as tx:
        for one in sends:
            submit(tx, one, time.time())
    return [one.message_id for one in sends]


def rows(database: Database, statement: str, **values: Any) -> list[dict[str, Any]]:
    with database.read() as tx:
        return [dict(row._mapping) for row in tx.all(text(statement), values)]


def states(database: Database) -> dict[str, str]:
    return {row["message_id"]: row["state"] for row in rows(database, "SELECT message_id, state FROM sends")}


def send_row(database: Database, message: str) -> dict[str, Any]:
    return rows(database, "SELECT * FROM sends WHERE message_id = :id", id=message)[0]


async def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


async def worked(worker: Worker, condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Run a worker until the condition holds, then stop it in order."""
    task = asyncio.create_task(worker.run())
    try:
        await eventually(condition, seconds)
    finally:
        worker.stop()
        await task
