"""Does refreshing figures slow the door and the processor? With and without, in turn, on equal databases.

With: every bucket of a month is always dirty, more than any day brings, and the receiver's own processor
works them out at its pace. Without: none may be begun, and the processor does all else as ever.
"""

import argparse
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from bench import beside, machine, wrk
from bench.reports_fill import fill
from store import rollups
from store.database import Database

UTC = ZoneInfo("UTC")
LEAST = 0.9
MARK_EVERY = 2.0  # seconds
_ALL_DIRTY = (
    "INSERT INTO dirty_buckets (day, phone_number_id, version, since, due_at, waiting)"
    " SELECT day, phone_number_id, 1, 0, 0, 0 FROM report_days ON CONFLICT DO NOTHING",
    "UPDATE report_days SET not_before = 0 WHERE not_before > 0",
)
# Any that is not there yet is given a row as well: that of today, into which the load comes.
_NONE_BEGUN = (
    "INSERT INTO report_days (day, phone_number_id, zone, refreshed_at, not_before, refreshes, unfinished,"
    " late) SELECT to_char(now() AT TIME ZONE 'UTC' + d * interval '1 day', 'YYYY-MM-DD'), n.number, 'UTC',"
    " 0, 0, 0, 0, 0 FROM generate_series(0, 1) AS d,"
    " (SELECT DISTINCT phone_number_id AS number FROM report_days) AS n ON CONFLICT DO NOTHING",
    "UPDATE report_days SET not_before = extract(epoch FROM now()) + 3600",
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
            folder, lambda: server.database(copy_of=url), _refreshing, options.rounds, without=_resting
        )
    print(beside.told("refreshing", ratios, LEAST))


@contextlib.contextmanager
def _resting(url: str) -> Iterator[Callable[[], str]]:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _NONE_BEGUN:
            connection.execute(statement)
        before = _refreshes(connection)
        yield lambda: f"without (refreshed {_refreshes(connection) - before})"


@contextlib.contextmanager
def _refreshing(url: str) -> Iterator[Callable[[], str]]:
    ended = threading.Event()

    def mark() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not ended.wait(MARK_EVERY):
                for statement in _ALL_DIRTY:
                    connection.execute(statement)

    with psycopg.connect(url, autocommit=True) as connection:
        before = _refreshes(connection)
        marking = threading.Thread(target=mark)
        marking.start()
        try:
            yield lambda: f"refreshed {_refreshes(connection) - before} buckets"
        finally:
            ended.set()
            marking.join()


def _refreshes(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT coalesce(sum(refreshes), 0) FROM report_days").fetchone()
    assert row is not None
    return int(row[0])
