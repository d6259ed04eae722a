"""How quickly reports over a month answer with millions of messages there, and what keeping them up costs.

    bench/reports                                10,000,000 on PostgreSQL
    bench/reports --messages 200000 --database sqlite:///bench.db
    bench/reports --fill-only --database postgresql://…      fill it, and again without to measure
    bench/reports --door                         does refreshing figures slow the door and the processor?

Each report is asked `--rounds` times through the code that pages, the API and the command use. Beside it:
the same figure by a full scan in SQL, and by DuckDB over the Parquet export (where DuckDB is installed).
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import text

from bench import machine, reports_door, reports_refresh, reports_scan
from bench.reports_fill import DAYS, fill, filled
from reports import answers
from reports.report import KINDS, Asked
from store.database import Database

PROJECT = Path(__file__).resolve().parent.parent
UTC = ZoneInfo("UTC")
GROUPS = ((), ("day",), ("number", "template"), ("country",))
LIMIT = 300.0  # ms


def main() -> None:
    options = _options()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wamtrail-bench-")))
        url = options.database
        if options.door:
            reports_door.report(options, folder)
            return
        if url is None:
            server = stack.enter_context(machine.postgres())
            print(machine.described(server))
            url = stack.enter_context(server.database())
        _fill(url, options.messages)
        if not options.fill_only:
            database = stack.enter_context(closing(Database(url)))
            _measure(database, options, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, help="how many; 10,000,000 (with --door 200,000)")
    parser.add_argument(
        "--rounds", type=int, default=10, help="times that each report is asked (--door: runs)"
    )
    parser.add_argument(
        "--database", metavar="URL", help="there; it stays filled, and is taken as it is then"
    )
    parser.add_argument("--fill-only", action="store_true", help="fill --database and end")
    parser.add_argument(
        "--keep", action="store_true", help="take the figures that were worked out there before"
    )
    parser.add_argument("--no-export", action="store_true", help="without the export and DuckDB")
    parser.add_argument("--no-scan", action="store_true", help="without the scans in SQL")
    parser.add_argument("--door", action="store_true", help="measure the door beside refreshing instead")
    options = parser.parse_args()
    if (options.fill_only or options.keep) and not options.database:
        parser.error("--fill-only and --keep need --database: another one is gone after the run")
    options.messages = options.messages or (200_000 if options.door else 10_000_000)
    return options


def _fill(url: str, messages: int) -> None:
    there = filled(url)
    if there:
        print(f"{there:,} messages are there already")
        return
    began = time.monotonic()
    fill(url, messages)
    print(f"filled with {messages:,} messages in {time.monotonic() - began:.0f} s")


def _measure(database: Database, options: argparse.Namespace, folder: Path) -> None:
    reports_refresh.first(database, keep=options.keep)
    rows = _parquet(database, folder) if not options.no_export else None
    with database.read() as tx:
        last = tx.value(text("SELECT max(day) FROM report_buckets"))
        groups = tx.value(text("SELECT count(*) FROM report_buckets"))
        costs = tx.value(text("SELECT count(*) FROM report_costs"))
    until = date.fromisoformat(last)
    since = until - timedelta(days=DAYS - 1)
    print(
        f"\nReports from {since} to {until}, out of {groups:,} groups of buckets and {costs:,} of costs;"
        f" load average {os.getloadavg()[0]:.2f}"
    )
    print(
        f"{'':28}{'p50 ms':>9}{'max ms':>9}{'rows':>7}"
        f"{'SQL scan ms':>13}{'ratio':>8}{'DuckDB ms':>11}{'ratio':>7}"
    )
    late = []
    for kind in KINDS:
        for by in GROUPS:
            asked = Asked(kind, since, until, by)
            took, lines = _asked(database, asked, options.rounds)
            beside = _beside(database, rows, asked, options)
            name = f"{kind}{' by ' + ', '.join(by) if by else ''}"
            print(
                f"{name:28}{median(took):9.1f}{max(took):9.1f}{lines:7,}{_told(beside, median(took))}",
                flush=True,
            )
            late += [name] if median(took) >= LIMIT else []
    print(f"over {LIMIT:.0f} ms: {', '.join(late) or 'none'}")
    reports_refresh.again(database)


def _asked(database: Database, asked: Asked, rounds: int) -> tuple[list[float], int]:
    took, lines = [], 0
    for _ in range(rounds + 1):
        began = time.perf_counter()
        with database.read() as tx:
            lines = len(answers.answer(tx, asked, UTC, time.time()).rows)
        took.append((time.perf_counter() - began) * 1000)
    return took[1:], lines  # the first fills caches


def _beside(
    database: Database, rows: reports_scan.Parquet | None, asked: Asked, options: argparse.Namespace
) -> list[float | None]:
    found: list[float | None] = [None, None]
    if not options.no_scan:
        with database.read() as tx:
            found[0], _ = reports_scan.Scans(tx).seconds(asked.kind, asked.by)
    if rows is not None:
        found[1] = min(rows.seconds(asked.kind, asked.by)[0] for _ in range(3))
    return found


def _told(beside: list[float | None], own: float) -> str:
    scan, duck = beside
    first = (
        f"{scan * 1000:13,.0f}{f'1/{scan * 1000 / own:,.0f}':>8}" if scan is not None else f"{'-':>13}{'':8}"
    )
    return first + (f"{duck * 1000:11,.0f}{own / (duck * 1000):7.2f}" if duck is not None else f"{'-':>11}")


def _parquet(database: Database, folder: Path) -> reports_scan.Parquet | None:
    if not reports_scan.has_duckdb():
        print(reports_scan.INSTALL)
        return None
    file = folder / "messages.parquet"
    began = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "wamtrail",
        "export",
        "messages",
        "--format",
        "parquet",
        "--output",
        file,
    ]
    environment = {**os.environ, "WAMTRAIL_DATABASE_URL": database.url}
    subprocess.run([str(part) for part in command], env=environment, cwd=PROJECT, check=True)
    took = time.monotonic() - began
    print(f"exported to {file.stat().st_size / 2**20:.0f} MiB of Parquet in {took:.0f} s")
    return reports_scan.Parquet(file)


if __name__ == "__main__":
    main()
