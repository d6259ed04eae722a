"""Real receivers under load that are killed, stopped and robbed of their database: no 200 is ever taken back.

The long version, with many more rounds and a disk that is really full, is `bench/crash`.
"""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from crash_load import Load
from crash_ways import Trial, Way, down_and_up, file_size_limit, moved_away, sigkill, sigterm
from held_database import set_read_only, sqlite_path
from postgres import postgres_server
from receiver_process import ReceiverProcess
from tcp_proxy import TcpProxy, tcp_proxy

from store.database import Database
from store.migrate import upgrade
from wamtrail import running

SEED = 20261122


@asynccontextmanager
async def trial(url: str, folder: Path, *, through: str | None = None) -> AsyncIterator[Trial]:
    """A started receiver and its load; `through`: another address of the same database."""
    database = Database(url)
    with ReceiverProcess(through or url, folder) as receiver:
        await asyncio.to_thread(receiver.start)
        yield Trial(receiver, Load(SEED), database, random.Random(SEED))
    database.close()


async def test_sigkill_at_any_instant_loses_nothing(database_url: str, tmp_path: Path) -> None:
    async with trial(database_url, tmp_path) as one:
        await one.rounds(sigkill, 2)


async def test_sigterm_under_load_stops_in_time_and_loses_nothing(database_url: str, tmp_path: Path) -> None:
    async with trial(database_url, tmp_path) as one:
        await one.rounds(sigterm, 1)


async def test_a_postgresql_that_is_killed_or_stopped_at_once_loses_nothing(tmp_path: Path) -> None:
    with postgres_server(durable=True) as server:
        url = server.create_database()
        upgrade(url)
        async with trial(url, tmp_path) as one:
            for down in (server.kill, server.stop_immediately):
                await one.rounds(down_and_up(down, server.start), 1)


def cutting(proxy: TcpProxy, cuts: int) -> Way:
    async def way(one: Trial) -> None:
        wanted = proxy.cuts + cuts
        proxy.arm(*one.chance.choices(["after_commit", "before_commit"], k=cuts))
        while proxy.cuts < wanted:
            await one.acknowledging()

    return way


async def test_connections_cut_between_commit_and_its_answer_lose_nothing(
    postgresql_url: str, tmp_path: Path
) -> None:
    async with tcp_proxy(postgresql_url) as proxy, trial(postgresql_url, tmp_path, through=proxy.url) as one:
        await one.rounds(cutting(proxy, 8), 1)


async def test_a_postgresql_that_turns_read_only_loses_nothing(postgresql_url: str, tmp_path: Path) -> None:
    way = down_and_up(
        lambda: set_read_only(postgresql_url, read_only=True),
        lambda: set_read_only(postgresql_url, read_only=False),
    )
    async with trial(postgresql_url, tmp_path) as one:
        await one.rounds(way, 1)


@pytest.mark.parametrize("trouble", ["moved away", "no file may grow"])
async def test_an_sqlite_file_in_trouble_loses_nothing(
    sqlite_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, trouble: str
) -> None:
    path = sqlite_path(sqlite_url)
    async with trial(sqlite_url, tmp_path_factory.mktemp("receiver")) as one:
        way = moved_away(path) if trouble == "moved away" else file_size_limit(one, path)
        await one.rounds(way, 1)


HANGS = """
import asyncio, threading
from wamtrail import running
running.STOP_AT_LATEST = 0.2
threading.Thread(target=threading.Event().wait).start()  # as a thread that waits for a database's answer
async def main():
    stopping = asyncio.Event()
    stopping.set()
    await running._end_in_time(stopping)
asyncio.run(main())
"""


def test_a_hanging_database_does_not_keep_a_receiver_from_ending() -> None:
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, timeout=30, check=False)
    assert done.returncode == 1
    assert b"stop_took_too_long" in done.stderr + done.stdout
    assert running.STOP_AT_LATEST < 10
