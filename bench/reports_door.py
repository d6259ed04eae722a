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
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import SystemRandom
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import text

from bench import beside, machine, wrk
from bench.reports_fill import fill
from store import rollups
from store.database import Database
from store.rollup_refresh import Pace
from wamtrail import following

PROJECT = Path(__file__).resolve().parent.parent
UTC = ZoneInfo("UTC")
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
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(machine.postgres())
        print(machine.described(server))
        url = stack.enter_context(server.database())
        fill(url, options.messages)
        with closing(Database(url)) as database:
            rollups.refresh_all(database, UTC, time.time)
        ratios = beside.compare(
            folder,
            lambda: server.database(copy_of=url),
            lambda there: _refreshing(there, folder),
            options.rounds,
        )
    print(beside.told("refreshing", ratios, LEAST))


@contextlib.contextmanager
def _refreshing(url: str, folder: Path) -> Iterator[Callable[[], str]]:
    with (folder / "refreshing").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.reports_door", url], cwd=PROJECT, stdout=log, stderr=log
        )
    before = _refreshes(url)
    try:
        yield lambda: f"refreshing {_refreshes(url) - before} buckets"
    finally:
        process.terminate()
        process.wait()


def _refreshes(url: str) -> int:
    with psycopg.connect(url) as connection:
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
