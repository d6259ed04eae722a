"""A database that is gone, full or read-only: 503 with Retry-After at once, and well when it is back."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from held_database import end_sessions, set_read_only, sqlite_path
from kept_rows import kept_bodies
from postgres import PostgresServer, postgres_server
from running_door import RunningDoor, running_door

from store.database import Database
from store.migrate import upgrade


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of our own that may be stopped."""
    with postgres_server() as own:
        yield own


@pytest.fixture
def stoppable(server: PostgresServer) -> Iterator[Database]:
    url = server.create_database()
    upgrade(url)
    database = Database(url)
    yield database
    database.close()


async def refused_at_once(door: RunningDoor) -> None:
    """The first may find out the hard way; whoever comes next is not kept waiting."""
    for patience in (10.0, 3.0, 3.0):
        started = time.monotonic()
        answer = await door.post(b"while it is away")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert time.monotonic() - started < patience


async def back(door: RunningDoor) -> int:
    """How many 503s there were until the door recovered by itself."""
    for refusals in range(200):
        answer = await door.post(b"after")
        if answer.status_code == 200:
            return refusals
        assert answer.status_code == 503
        await asyncio.sleep(0.05)
    raise AssertionError("the door did not recover")


async def test_postgresql_that_is_stopped_and_started_again(
    stoppable: Database, server: PostgresServer
) -> None:
    async with running_door(stoppable) as door:
        assert (await door.post(b"before")).status_code == 200
        for go_down in (server.stop, server.stop_immediately, server.kill):
            await asyncio.to_thread(go_down)
            await refused_at_once(door)
            await asyncio.to_thread(server.start)
            await back(door)
    assert kept_bodies(stoppable) == [b"before", b"after", b"after", b"after"]


async def test_sessions_that_the_server_ended_cost_no_refusal(postgresql_database: Database) -> None:
    async with running_door(postgresql_database) as door:
        for number in range(3):
            assert (await door.post(b"%d" % number)).status_code == 200
            await asyncio.to_thread(end_sessions, postgresql_database.url)
        assert (await door.post(b"3")).status_code == 200
    assert kept_bodies(postgresql_database) == [b"0", b"1", b"2", b"3"]


async def test_postgresql_that_turns_read_only(postgresql_database: Database) -> None:
    url = postgresql_database.url
    async with running_door(postgresql_database) as door:
        assert (await door.post(b"before")).status_code == 200
        await asyncio.to_thread(set_read_only, url, read_only=True)
        await refused_at_once(door)
        await asyncio.to_thread(set_read_only, url, read_only=False)
        await back(door)
    assert kept_bodies(postgresql_database) == [b"before", b"after"]


async def test_an_sqlite_folder_that_is_moved_away_and_comes_back(sqlite_database: Database) -> None:
    folder = sqlite_path(sqlite_database.url).parent
    away = folder.with_name(folder.name + "-away")
    async with running_door(sqlite_database) as door:
        assert (await door.post(b"before")).status_code == 200
        folder.rename(away)
        await refused_at_once(door)
        assert not folder.exists()
        away.rename(folder)
        await back(door)
    assert kept_bodies(sqlite_database) == [b"before", b"after"]


async def test_an_sqlite_file_that_is_gone_is_not_made_anew_empty(sqlite_database: Database) -> None:
    path = sqlite_path(sqlite_database.url)
    away = path.with_name("elsewhere.db")
    async with running_door(sqlite_database) as door:
        assert (await door.post(b"before")).status_code == 200
        path.rename(away)
        await refused_at_once(door)
        assert not path.exists()
        away.rename(path)
        await back(door)
    assert kept_bodies(sqlite_database) == [b"before", b"after"]


@pytest.mark.parametrize("trouble", ["PRAGMA query_only = ON", "PRAGMA max_page_count = 1"])
async def test_sqlite_that_is_read_only_or_full(sqlite_database: Database, trouble: str) -> None:
    """Said on the one writing connection: SQLite then fails as on such a disk, with the same error codes."""
    async with running_door(sqlite_database) as door:
        assert (await door.post(b"before")).status_code == 200
        with sqlite_database.write() as tx:
            tx.driver(trouble)
        for _ in range(2):
            answer = await door.post(bytes(range(256)) * 4000)  # a megabyte finds no free page
            assert answer.status_code == 503
            assert "retry-after" in answer.headers
        sqlite_database.close()  # its next connection knows nothing of the trouble
        await back(door)
    assert kept_bodies(sqlite_database) == [b"before", b"after"]
