"""What is too much for the door is refused at once, and what is within the limits is not disturbed by it."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import pytest
from held_database import held
from kept_rows import kept_bodies
from running_door import RunningDoor, answer, head, running_door

from receiver.admission import Limits
from receiver.keeper import Keeper
from store.database import Database

BODY = b'{"object":"whatsapp_business_account","entry":[]}'


async def until(true: Callable[[], bool], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def refused(asked: Awaitable[object]) -> bool:
    """Whether the answer is 503 with Retry-After."""
    got = await asked
    return got.status_code == 503 and int(got.headers["retry-after"]) > 0  # type: ignore[attr-defined]


async def test_a_body_of_eight_megabytes_is_kept(sqlite_database: Database) -> None:
    body = b'"' + b"x" * (Limits().body - 2) + b'"'
    async with running_door(sqlite_database) as door:
        assert (await door.post(body)).status_code == 200
    assert kept_bodies(sqlite_database) == [body]


async def test_an_announced_body_over_the_limit_is_413_before_it_is_read(sqlite_database: Database) -> None:
    async with running_door(sqlite_database) as door:
        reader, writer = await door.connect()
        writer.write(head(BODY, f"Content-Length: {Limits().body + 1}"))
        status, said = await answer(reader)
        assert status == 413
        assert b"connection: close" in said
        assert await reader.read() == b""
        writer.close()
    assert kept_bodies(sqlite_database) == []


async def test_a_chunked_body_over_the_limit_is_413_and_never_cut_short(sqlite_database: Database) -> None:
    body = b"x" * 60_001
    async with running_door(sqlite_database, Limits(body=60_000)) as door:
        reader, writer = await door.connect()
        writer.write(head(body[:60_000], "Transfer-Encoding: chunked"))
        writer.write(b"%x\r\n%b\r\n" % (60_000, body[:60_000]))
        writer.write(b"1\r\nx\r\n0\r\n\r\n")
        assert (await answer(reader))[0] == 413
        writer.close()
        assert (await door.post(body[:60_000])).status_code == 200
    assert kept_bodies(sqlite_database) == [body[:60_000]]


async def test_a_body_that_stops_coming_is_cut_off(sqlite_database: Database) -> None:
    async with running_door(sqlite_database, Limits(read_seconds=0.2)) as door:
        reader, writer = await door.connect()
        writer.write(head(BODY, f"Content-Length: {len(BODY)}") + BODY[:-1])
        status, said = await answer(reader)
        assert status == 503
        assert b"connection: close" in said
        assert await reader.read() == b""
        writer.close()
        assert door.figure("door_held_bytes") == door.figure("door_held_requests") == 0
    assert kept_bodies(sqlite_database) == []


async def test_a_body_that_drips_for_ever_is_cut_off(sqlite_database: Database) -> None:
    async with running_door(sqlite_database, Limits(read_seconds=0.2)) as door:
        reader, writer = await door.connect()
        writer.write(head(BODY, "Transfer-Encoding: chunked"))

        async def drip() -> None:
            while True:
                writer.write(b"1\r\nx\r\n")
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        started = time.monotonic()
        assert (await answer(reader))[0] == 503
        assert time.monotonic() - started < 10
        dripping.cancel()
        writer.close()
    assert kept_bodies(sqlite_database) == []


async def reading(door: RunningDoor, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request of which only the head was sent, and which the door has begun to read."""
    before = door.figure("door_held_bytes")
    reader, writer = await door.connect()
    writer.write(head(body, f"Content-Length: {len(body)}"))
    await until(lambda: door.figure("door_held_bytes") > before)
    return reader, writer


async def test_the_bytes_in_flight_are_bounded(sqlite_database: Database) -> None:
    large, small = b"x" * 80_000, b"y" * 30_000
    async with running_door(sqlite_database, Limits(body=80_000, held_bytes=100_000)) as door:
        reader, writer = await reading(door, large)
        assert await refused(door.post(small))
        assert (await door.post(b"z" * 10_000)).status_code == 200
        writer.write(large)
        assert (await answer(reader))[0] == 200
        writer.close()
        assert (await door.post(small)).status_code == 200
        await until(lambda: door.figure("door_held_bytes") == 0)
    assert kept_bodies(sqlite_database) == [b"z" * 10_000, large, small]


async def test_the_requests_in_flight_are_bounded(sqlite_database: Database) -> None:
    async with running_door(sqlite_database, Limits(held_requests=2)) as door:
        waiting = [await reading(door, BODY) for _ in range(2)]
        assert await refused(door.post(BODY))
        for _, writer in waiting:
            writer.close()  # both go away in the middle of their body
        await until(lambda: door.figure("door_held_requests") == 0)
        assert (await door.post(BODY)).status_code == 200
    assert kept_bodies(sqlite_database) == [BODY]


async def test_a_queue_that_is_too_old_takes_nobody_in_and_loses_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, commit = threading.Event(), Keeper._commit

    def committing(keeper: Keeper, group: list[Any]) -> set[int]:
        taken.set()
        return commit(keeper, group)

    monkeypatch.setattr(Keeper, "_commit", committing)
    async with running_door(database, Limits(queue_age=0.1, keep_seconds=30)) as door:
        with ExitStack() as stack:
            stack.enter_context(held(database))
            first = asyncio.create_task(door.post(b"first"))
            await until(taken.is_set)  # by the committing thread: the next one has to queue
            second = asyncio.create_task(door.post(b"second"))
            await until(lambda: door.figure("door_held_requests") == 2)
            await asyncio.sleep(0.15)  # the age itself is what is tested
            started = time.monotonic()
            assert await refused(door.post(b"third"))
            assert time.monotonic() - started < 3  # not the 30 seconds of those who wait
        assert [(await first).status_code, (await second).status_code] == [200, 200]
        assert (await door.post(b"third")).status_code == 200
    assert kept_bodies(database) == [b"first", b"second", b"third"]


async def test_a_commit_that_takes_too_long_is_answered_503_and_harms_nobody(database: Database) -> None:
    async with running_door(database, Limits(keep_seconds=0.5)) as door:
        with held(database):
            assert await refused(door.post(b"first"))
        while (await door.post(BODY)).status_code != 200:
            await asyncio.sleep(0.05)  # a busy machine may need longer than half a second once more
    assert kept_bodies(database)[-1] == BODY
    assert set(kept_bodies(database)) <= {b"first", BODY}  # the first may have been written after all


async def test_a_client_that_goes_away_neither_kills_nor_stalls_the_door(database: Database) -> None:
    async with running_door(database) as door:
        with held(database):
            for number in range(20):
                body = b"gone %d" % number
                _, writer = await door.connect()
                writer.write(head(body, f"Content-Length: {len(body)}") + body)
                await until(lambda expected=number + 1: door.figure("door_held_requests") >= expected)
                writer.transport.abort()
        assert (await door.post(BODY)).status_code == 200
        assert (await door.post(BODY)).status_code == 200
        await until(lambda: door.figure("door_held_requests") == 0)
    assert kept_bodies(database).count(BODY) == 2
