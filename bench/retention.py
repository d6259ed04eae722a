"""Does `wamtrail retention run` slow the receiver, and how quickly does it delete?

    bench/retention                       500,000 messages in PostgreSQL, 200,000 in SQLite
    bench/retention --only SQLite --messages 100000 --rounds 1

A month of messages with their status updates and a body each, all but the last days of it past their age.
First the command runs to its end with nobody beside it: its reference are plain DELETEs of the same rows, one
statement a table, without any of its questions. Then it runs beside the receiver, and the receiver alone.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine, text

from bench import beside, machine, wrk
from bench.reports_fill import DAYS, fill
from store import engines, partitions, rollups
from store.database import Database

PROJECT = Path(__file__).resolve().parent.parent
UTC = ZoneInfo("UTC")
AGO, KEEP = 34, 36  # days: the month ended so long ago, and so long it is kept
AGES = {f"WAMTRAIL_KEEP_{kind}": f"{KEEP}d" for kind in ("BODIES", "MESSAGES", "EVENTS")}
BODY = 700  # bytes
# What was filled in, not what the load brings.
_COUNTED = {
    "webhooks": "SELECT count(*) FROM webhooks WHERE received_at < :until",
    "sends": "SELECT count(*) FROM sends",
    "messages": "SELECT count(*) FROM messages WHERE first_seen_at < :until",
    "status_updates": "SELECT count(*) FROM status_updates WHERE batch = 0",
    "charges": "SELECT count(*) FROM charges",
}
_BODIES = (
    "INSERT INTO webhooks (received_at, endpoint, secret, digest, size, compressed, body)"
    f" SELECT s.queued_at + 1, '', 'current', {{digest}}, {BODY}, false, {{body}} FROM sends AS s"
    " ORDER BY s.queued_at"
)
# The same rows, as somebody would delete them who asks nothing.
_PLAIN = (
    "DELETE FROM webhooks WHERE received_at < :until",
    "DELETE FROM charges WHERE wamid IN (SELECT wamid FROM sends WHERE queued_at < :until)",
    "DELETE FROM status_updates WHERE wamid IN (SELECT wamid FROM sends WHERE queued_at < :until)",
    "DELETE FROM messages WHERE wamid IN (SELECT wamid FROM sends WHERE queued_at < :until)",
    "DELETE FROM sends WHERE queued_at < :until AND state NOT IN ('unknown')",
)


def main() -> None:
    options = _options()
    if (trouble := wrk.missing()) is not None:
        sys.exit(trouble)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wamtrail-bench-")))
        server = stack.enter_context(machine.postgres())
        print(machine.described(server))
        if options.only != "SQLite":
            url = stack.enter_context(server.database())
            _filled(url, options.messages or 500_000)
            _measure("PostgreSQL", lambda: server.database(copy_of=url), options, folder)
        if options.only != "PostgreSQL":
            file = folder / "filled.db"
            _filled(f"sqlite:///{file}", options.messages or 200_000)
            _measure("SQLite", lambda: _copied(file, folder), options, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, help="how many are there")
    parser.add_argument("--rounds", type=int, default=3, help="runs with and without")
    parser.add_argument("--only", choices=("PostgreSQL", "SQLite"))
    return parser.parse_args()


def _filled(url: str, messages: int) -> None:
    """The figures are worked out, as they are where a processor runs."""
    fill(url, messages, AGO)
    engine = create_engine(engines.normalised(url))
    postgres = engine.dialect.name == "postgresql"
    first_day = int(time.time() // partitions.DAY) - DAYS - AGO - 1
    with engine.begin() as connection:
        for statement in partitions.statements(first_day, DAYS + 3) if postgres else ():
            connection.execute(text(statement))
        body = f"repeat('x', {BODY})::bytea" if postgres else f"CAST(printf('%.{BODY}c', 'x') AS blob)"
        digest = "sha256(s.message_id::bytea)" if postgres else "CAST(s.message_id AS blob)"
        connection.execute(text(_BODIES.format(body=body, digest=digest)))
    engine.dispose()
    with closing(Database(url)) as database:
        rollups.refresh_all(database, UTC, time.time)


@contextlib.contextmanager
def _copied(file: Path, folder: Path) -> Iterator[str]:
    copy = folder / "copy.db"
    shutil.copyfile(file, copy)
    try:
        yield f"sqlite:///{copy}"
    finally:
        for one in folder.glob("copy.db*"):
            one.unlink()


def _measure(name: str, copy: beside.Copy, options: argparse.Namespace, folder: Path) -> None:
    print(f"\n{name}")
    with copy() as url:
        before = _counts(url)
        alone = _timed(lambda: _retained(url))
        gone = {table: count - _counts(url)[table] for table, count in before.items()}
    with copy() as url:
        plain = _timed(lambda: _deleted(url))
    rows = sum(gone.values())
    print(", ".join(f"{table} {count:,}" for table, count in gone.items()))
    print(
        f"gone in {alone:.1f} s, {rows / alone:,.0f} rows a second; plain DELETEs {plain:.1f} s,"
        f" ratio {alone / plain:.1f}"
    )
    ratios = beside.compare(folder, copy, lambda url: _retaining(url, folder), options.rounds)
    print(beside.told(f"{name}: retention", ratios, None))


def _timed(step: Callable[[], None]) -> float:
    began = time.monotonic()
    step()
    return time.monotonic() - began


def _environment(url: str) -> dict[str, str]:
    return {**os.environ, **AGES, "WAMTRAIL_DATABASE_URL": url}


_COMMAND = [sys.executable, "-m", "wamtrail", "retention", "run"]


def _retained(url: str) -> None:
    subprocess.run(_COMMAND, cwd=PROJECT, env=_environment(url), check=True, stdout=subprocess.DEVNULL)


def _deleted(url: str) -> None:
    until = (time.time() // partitions.DAY - KEEP) * partitions.DAY
    engine = create_engine(engines.normalised(url))
    for statement in _PLAIN:
        with engine.begin() as connection:
            connection.execute(text(statement), {"until": until})
    engine.dispose()


@contextlib.contextmanager
def _retaining(url: str, folder: Path) -> Iterator[Callable[[], str]]:
    """What it tells: how many rows went so far, and whether it has ended too early."""
    before = _counts(url)
    with (folder / "retaining").open("ab") as log:
        process = subprocess.Popen(_COMMAND, cwd=PROJECT, env=_environment(url), stdout=log, stderr=log)

    def done() -> str:
        ended = "" if process.poll() is None else " (ended)"
        return f"beside {sum(before.values()) - sum(_counts(url).values()):,} rows gone{ended}"

    try:
        yield done
    finally:
        process.terminate()
        process.wait()


def _counts(url: str) -> dict[str, int]:
    engine = create_engine(engines.normalised(url))
    values = {"until": time.time() - AGO * partitions.DAY}
    with engine.connect() as connection:
        found = {
            table: int(connection.execute(text(statement), values).scalar() or 0)
            for table, statement in _COUNTED.items()
        }
    engine.dispose()
    return found


if __name__ == "__main__":
    main()
