"""The long crash suite: receivers under load that are killed, stopped, cut off and starved, many times over.

    bench/crash [--rounds 30] [--seed 1] [--only WORD]

Each line of its output is one way to fail, tried on one database: how often, how many bodies were answered
200 meanwhile, and how many of those were lost or half there afterwards. A real disk that is full needs root
(a small tmpfs is mounted); without root a limit on file sizes stands in for it, and the line says so.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "receiver")]

from crash_load import Load  # noqa: E402
from crash_ways import (  # noqa: E402
    Trial,
    Way,
    down_and_up,
    file_size_limit,
    full_disk,
    moved_away,
    sigkill,
    sigterm,
)
from held_database import set_read_only  # noqa: E402
from postgres import PostgresServer, postgres_server  # noqa: E402
from receiver_process import ReceiverProcess  # noqa: E402
from tcp_proxy import TcpProxy, tcp_proxy  # noqa: E402

from store.database import Database  # noqa: E402
from store.migrate import upgrade  # noqa: E402

ROW = "| {:44} | {:10} | {:>6} | {:>12} | {:>7} | {:>4} | {:>4} | {:>6} | {:>7} |"
SMALL_SQLITE, SMALL_POSTGRES = "64m", "256m"  # SQLite keeps up to 16 MB of log before it writes it back


class Suite:
    def __init__(self, rounds: int, seed: int, only: str) -> None:
        self.rounds = rounds
        self.seed = seed
        self.only = only
        self.failed = False

    def wants(self, name: str, database: str) -> bool:
        return self.only in f"{name} {database}"

    def some(self, share: float) -> int:
        return max(1, round(self.rounds * share))

    async def try_out(
        self,
        name: str,
        url: str,
        rounds: int,
        make_way: Callable[[Trial], Way],
        *,
        through: str | None = None,
    ) -> None:
        database = "SQLite" if url.startswith("sqlite") else "PostgreSQL"
        if not self.wants(name, database):
            return
        started = time.monotonic()
        async with trial(url, self.seed, through) as one:
            try:
                found = await one.rounds(make_way(one), rounds)
            except AssertionError as problem:
                self.failed = True
                print(f"FAILED: {name} on {database}: {problem}", flush=True)
                return
        stop = f"{one.slowest_stop:.1f} s" if one.slowest_stop else ""
        seconds = f"{time.monotonic() - started:.0f} s"
        print(
            ROW.format(
                name,
                database,
                rounds,
                f"{found.acknowledged:,}",
                f"{one.load.refused:,}",
                found.lost,
                found.half,
                stop,
                seconds,
            ),
            flush=True,
        )


@asynccontextmanager
async def trial(url: str, seed: int, through: str | None) -> AsyncIterator[Trial]:
    upgrade(url)
    database = Database(url)
    with tempfile.TemporaryDirectory(prefix="wamtrail-crash-") as folder:
        with ReceiverProcess(through or url, Path(folder)) as receiver:
            await asyncio.to_thread(receiver.start)
            yield Trial(receiver, Load(seed), database, random.Random(seed))
        database.close()


@contextmanager
def sqlite_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="wamtrail-crash-") as folder:
        place = Path(folder) / "data"
        place.mkdir()
        yield f"sqlite:///{place}/wamtrail.db"


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[bool]:
    """A file system of this size on `place`; False when this machine does not let us."""
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", str(place)]
    mounted = os.getuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=False)


def cutting(proxy: TcpProxy) -> Way:
    async def way(one: Trial) -> None:
        wanted = proxy.cuts + 10
        proxy.arm(*one.chance.choices(["after_commit", "before_commit"], k=10))
        while proxy.cuts < wanted:
            await one.acknowledging()

    return way


def hanging(proxy: TcpProxy) -> Way:
    """The database takes everything and answers nothing; then the receiver is told to stop."""

    async def way(one: Trial) -> None:
        proxy.arm("stall")
        await one.refusing()
        _, seconds = await asyncio.to_thread(one.receiver.terminate)
        assert seconds < 10, seconds
        one.slowest_stop = max(one.slowest_stop, seconds)
        proxy.release()
        await asyncio.to_thread(one.receiver.start)
        await one.acknowledging()

    return way


async def on_sqlite(suite: Suite) -> None:
    def file(url: str) -> Path:
        return Path(url.removeprefix("sqlite:///"))

    for name, share, way in (("SIGKILL of the receiver", 1.0, sigkill), ("SIGTERM under load", 0.2, sigterm)):
        with sqlite_url() as url:
            await suite.try_out(name, url, suite.some(share), lambda _, way=way: way)  # type: ignore[misc]
    with sqlite_url() as url:
        await suite.try_out("file moved away and back", url, suite.some(0.2), lambda _: moved_away(file(url)))
    with sqlite_url() as url:
        await suite.try_out(
            "no file may grow (RLIMIT_FSIZE)",
            url,
            suite.some(0.2),
            lambda one: file_size_limit(one, file(url)),
        )
    with sqlite_url() as url, small_disk(file(url).parent, SMALL_SQLITE) as mounted:
        if mounted:
            way = full_disk(file(url).parent, lambda: None)
            await suite.try_out("disk full (tmpfs)", url, suite.some(0.2), lambda _: way)


async def on_postgresql(suite: Suite) -> None:
    with postgres_server(durable=True) as server:
        for name, share, way in (
            ("SIGKILL of receiver, processor, both", 1.0, sigkill),
            ("SIGTERM under load", 0.2, sigterm),
            ("SIGKILL of PostgreSQL", 0.2, down_and_up(server.kill, server.start)),
            ("immediate stop of PostgreSQL", 0.2, down_and_up(server.stop_immediately, server.start)),
        ):
            url = server.create_database()
            await suite.try_out(name, url, suite.some(share), lambda _, way=way: way)  # type: ignore[misc]
        url = server.create_database()
        async with tcp_proxy(url) as proxy:
            way = cutting(proxy)
            await suite.try_out(
                "10 cuts around COMMIT a round", url, suite.some(0.4), lambda _: way, through=proxy.url
            )
        url = server.create_database()
        async with tcp_proxy(url) as proxy:
            way = hanging(proxy)
            await suite.try_out(
                "database hangs, then SIGTERM", url, suite.some(0.05), lambda _: way, through=proxy.url
            )
        url = server.create_database()
        way = down_and_up(
            lambda: set_read_only(url, read_only=True), lambda: set_read_only(url, read_only=False)
        )
        await suite.try_out("database turns read-only", url, suite.some(0.2), lambda _: way)


async def on_a_full_postgresql(suite: Suite) -> None:
    """A server whose data folder is a small file system; it may end itself, and is then started again."""
    name = "disk full (tmpfs)"
    if not suite.wants(name, "PostgreSQL"):
        return
    with ExitStack() as stack:
        server = PostgresServer(durable=True, settings={"max_wal_size": "64MB", "min_wal_size": "32MB"})
        stack.callback(server.close)
        place = server.folder / "data"
        if not stack.enter_context(small_disk(place, SMALL_POSTGRES)):
            print("not tried: disk full on PostgreSQL needs root, to mount a small file system", flush=True)
            return
        place.chmod(0o700)
        os.chown(place, server.folder.stat().st_uid, server.folder.stat().st_gid)
        server.initialise()
        server.start()
        stack.callback(server.stop)

        def up_again() -> None:
            server.stop_immediately()
            server.start()

        way = full_disk(place, up_again)
        await suite.try_out(name, server.create_database(), suite.some(0.1), lambda _: way)


async def main() -> None:
    asked = argparse.ArgumentParser(description="Crash receivers under load and count what is lost.")
    asked.add_argument(
        "--rounds", type=int, default=30, help="SIGKILLs on each database; others take a share"
    )
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--only", default="", help="only the ways whose name or database holds this word")
    given = asked.parse_args()
    suite = Suite(given.rounds, given.seed, given.only)
    head = ("what", "database", "rounds", "answered 200", "503s", "lost", "half", "stop", "took")
    print(ROW.format(*head), flush=True)
    print(ROW.format(*("---" for _ in head)), flush=True)
    await on_sqlite(suite)
    await on_postgresql(suite)
    await on_a_full_postgresql(suite)
    if suite.failed:
        raise SystemExit(1)


if __name__ == "__main__":
    asyncio.run(main())
