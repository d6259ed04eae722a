#!/usr/bin/env -S python
"""How fast rows leave: `wamtrail export` in each format, beside csv.writer alone over rows in memory.

    .venv/bin/python bench/export.py [--rows 200000] [--database sqlite|postgresql]

Fills a database with messages of which most were delivered, then exports each format in a process of its own
and tells rows a second, the ratio to csv.writer in the same run, and the greatest resident memory.
"""

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import machine
from store import migrate
from store.database import Database

START = 1_790_000_000
SEND = text(
    "INSERT INTO sends (message_id, phone_number_id, state, recipient_typed, recipient, type, template,"
    " payload_digest, priority, queued_at, due_at, expires_at, attempts, wamid, accepted_at, reference)"
    " VALUES (:id, '100', 'accepted', :to, :to, 'template', :template, :digest, 1, :at, :at, :at, 1, :wamid,"
    " :at, :ref)"
)
MESSAGE = text(
    "INSERT INTO messages (wamid, message_id, sent_at, delivered_at, read_at, failed_at, first_seen_at,"
    " recipient_id, pricing, error)"
    " VALUES (:wamid, :id, :sent, :delivered, :read, :failed, :at, :to, :pricing,"
    " :error)"
)
PRICING = '{"billable":true,"category":"utility","pricing_model":"PMP","type":"regular"}'
ERROR = '[{"code":131026,"message":"Message undeliverable","title":"Message undeliverable"}]'
# The process tells its own memory: that of a child measured from here would hold this one's, too.
CHILD = (
    "import sys; from wamtrail.main import app\n"
    "try: app(sys.argv[1:])\n"
    "except SystemExit: pass\n"
    "told = [line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')]\n"
    "print(*told, file=sys.stderr)"
)


def rows(many: int) -> Iterator[dict[str, object]]:
    for n in range(many):
        at = START + n * 0.5
        failed = n % 40 == 0
        yield {
            "id": f"0197a0b1-c2d3-7000-8000-{n:012x}",
            "to": f"9198{n % 100_000_000:08d}",
            "template": f"template_{n % 7}",
            "digest": b"d" * 32,
            "at": at,
            "wamid": f"wamid.HBgMOTE5ODc2NTQzMjEwFQIAERgSMUE{n:012x}==",
            "ref": f"order-{n}",
            "sent": int(at) + 1,
            "delivered": None if failed else int(at) + 3,
            "read": int(at) + 60 if n % 3 == 0 and not failed else None,
            "failed": int(at) + 3 if failed else None,
            "pricing": PRICING,
            "error": ERROR if failed else None,
        }


def fill(url: str, many: int) -> None:
    migrate.upgrade(url)
    with closing(Database(url)) as database:
        waiting: list[dict[str, object]] = []
        for row in rows(many):
            waiting.append(row)
            if len(waiting) == 20_000:
                _insert(database, waiting)
        _insert(database, waiting)


def _insert(database: Database, waiting: list[dict[str, object]]) -> None:
    if waiting:
        with database.write() as tx:
            tx.run(SEND, waiting)
            tx.run(MESSAGE, waiting)
        waiting.clear()


def reference(folder: Path, exported: Path) -> float:
    """Rows a second of csv.writer alone: the rows of the export itself, held in memory."""
    with exported.open(newline="", encoding="utf-8") as file:
        held = list(csv.reader(file))
    began = time.monotonic()
    with (folder / "reference.csv").open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(held)
    return len(held) / (time.monotonic() - began)


def exported(url: str, folder: Path, form: str) -> tuple[float, float, int]:
    """(seconds, MiB of memory, bytes of the file)."""
    path = folder / f"messages.{form}"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "export", "messages", "--format", form, "--output", str(path)],
        env={**os.environ, "WAMTRAIL_DATABASE_URL": url},
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return time.monotonic() - began, int(done.stderr.split()[-1]) / 1024, path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wamtrail-export-")))
        url = f"sqlite:///{folder / 'bench.db'}"
        if chosen.database == "postgresql":
            url = stack.enter_context(stack.enter_context(machine.postgres()).database())
        fill(url, chosen.rows)
        print(f"{chosen.rows:,} messages, {chosen.database}, load average {os.getloadavg()[0]:.2f}")
        alone = None
        for form in ("csv", "ndjson", "parquet", "xlsx"):
            seconds, memory, size = exported(url, folder, form)
            alone = alone or reference(folder, folder / "messages.csv")
            rate = chosen.rows / seconds
            print(
                f"{form:8} {rate:10,.0f} rows/s   1/{alone / rate:.1f} of csv.writer alone"
                f"   {memory:6.0f} MiB at most   {size / 2**20:7.1f} MiB"
            )
        print(f"csv.writer alone {alone:,.0f} rows/s; this process {_own():.0f} MiB")


def _own() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
