"""Does refreshing figures slow the door and the processor? With and without, in turn, on equal databases.

The one that refreshes is a process of its own, paced as in a processor, to which every bucket of a month is
always dirty: more than any day brings. Beside it the receiver's own processor keeps its figures as ever.
"""

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import SystemRandom
from statistics import median
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import text

from bench import bodies, contenders, machine, table, wrk
from bench.measure import Measured, measure, warm
from bench.reports_fill import fill
from store import rollups
from store.database import Database
from store.rollup_refresh import Pace
from wamtrail import following

PROJECT = Path(__file__).resolve().parent.parent
UTC = ZoneInfo("UTC")
BODIES, SECONDS = 150_000, 10
LEAST = 0.9
MARK_EVERY = 5.0  # seconds
_ALL_DIRTY = (
    "INSERT INTO dirty_buckets (day, phone_number_id, version, since, due_at, waiting)"
    " SELECT day, phone_number_id, 1, 0, 0, 0 FROM report_days ON CONFLICT DO NOTHING",
    "UPDATE report_days SET not_before = 0",
)


def report(options: argparse.Namespace, folder: Path) -> None:
    if (trouble := wrk.missing()) is not None:
        sys.exit(trouble)
    bodies.write(folder / "warm", 5_000, 1, start=1_000_000_000)
    bodies.write(folder / "bodies", BODIES, 1)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(machine.postgres())
        print(machine.described(server))
        url = stack.enter_context(server.database())
        fill(url, options.messages)
        with closing(Database(url)) as database:
            rollups.refresh_all(database, UTC, time.time)
        table.head(1)
        ratios = [_pair(server, url, folder, first=number % 2 == 0) for number in range(options.rounds)]
    told = ", ".join(f"{one:.2f}" for one in ratios)
    print(f"with refreshing of without: {told}; median {median(ratios):.2f} (at least {LEAST})")


def _pair(server: machine.Server, filled: str, folder: Path, *, first: bool) -> float:
    """One measurement without and one with; the smaller ratio of acknowledged and processed."""
    if first:
        without, beside = _without(server, filled, folder), _beside(server, filled, folder)
    else:
        beside, without = _beside(server, filled, folder), _without(server, filled, folder)
    assert without.processed is not None
    assert beside.processed is not None
    return min(beside.acknowledged / without.acknowledged, beside.processed / without.processed)


def _without(server: machine.Server, filled: str, folder: Path) -> Measured:
    with server.database(copy_of=filled) as url:
        found = _measured(url, folder)
    table.row("without", found, None)
    return found


def _beside(server: machine.Server, filled: str, folder: Path) -> Measured:
    with server.database(copy_of=filled) as url, _refreshing(url, folder) as counted:
        found = _measured(url, folder)
        buckets = counted()
    table.row(f"beside refreshing {buckets} buckets", found, None)
    return found


def _measured(url: str, folder: Path) -> Measured:
    start = contenders.ours_on_postgres(lambda: contextlib.nullcontext(url))
    with start(folder) as running:
        warm(running, folder / "warm")
        return measure(running, folder / "bodies", 1, SECONDS)


@contextlib.contextmanager
def _refreshing(url: str, folder: Path) -> Iterator["_Count"]:
    with (folder / "refreshing").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.reports_door", url], cwd=PROJECT, stdout=log, stderr=log
        )
    try:
        yield _Count(url)
    finally:
        process.terminate()
        process.wait()


class _Count:
    """How many buckets were worked out since."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._before = self._now()

    def __call__(self) -> int:
        return self._now() - self._before

    def _now(self) -> int:
        with psycopg.connect(self._url) as connection:
            row = connection.execute("SELECT coalesce(sum(refreshes), 0) FROM report_days").fetchone()
            assert row is not None
            return int(row[0])


def _refresh(url: str) -> None:
    """What the process does until it is ended."""

    pace, marked = Pace(time.monotonic, SystemRandom()), 0.0

    def step(database: Database) -> bool:
        nonlocal marked
        if time.monotonic() - marked > MARK_EVERY:
            marked = time.monotonic()
            with database.write() as tx:
                for statement in _ALL_DIRTY:
                    tx.run(text(statement))
        return rollups.step(database, UTC, time.time(), pace=pace)

    with closing(Database(url)) as database:
        follower = following.Follower("rollups", step)
        asyncio.run(following.background(database, (follower,))(asyncio.Event()))


if __name__ == "__main__":
    _refresh(sys.argv[1])
