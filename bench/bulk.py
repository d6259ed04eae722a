"""A list of 100,000 rows: checked, taken in, and its first message posted, beside a plain csv.reader loop.

    bench/bulk                  both databases
    bench/bulk --rows 10000     a shorter list: the peak of memory should stay the same

Each step runs in a process of its own, so that its peak of memory is its own.
"""

import argparse
import csv
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench import machine
from sender.bulk_check import Terms
from sender.bulk_load import Load, dry_run
from simulator.running import RunningSimulator
from simulator.scenario import Scenario
from store import bulk_runs
from store.bulk_runs import NewRun
from store.database import Database
from store.migrate import upgrade

NUMBER = "106540352242922"
TERMS = ("order_update", "en")


def main() -> None:
    options = _options()
    if options.step:
        _step(options)
        return
    with machine.postgres() as server, tempfile.TemporaryDirectory(prefix="wamtrail-bench-") as folder:
        print(machine.described(server))
        file = _list(Path(folder), options.rows)
        print(f"{options.rows:,} rows of a template with two values, {file.stat().st_size / 1e6:.1f} MB\n")
        _head()
        plain = _row("csv.reader alone", _measured("plain", file, ""), None)
        with server.database() as postgres_url:
            for name, url in (("SQLite", f"sqlite:///{folder}/bulk.db"), ("PostgreSQL", postgres_url)):
                upgrade(url)
                _row(f"checked, {name}", _measured("check", file, url), plain)
                _row(f"checked and taken in, {name}", _measured("load", file, url), plain)
        for name, fresh in (("SQLite", _sqlite(Path(folder))), ("PostgreSQL", server.database())):
            with fresh as url:
                print(f"{'first POST after, ' + name:36}{_first_post(file, url, Path(folder)):>9.2f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    for name in ("--step", "--file", "--url"):
        parser.add_argument(name, default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _list(folder: Path, rows: int) -> Path:
    file = folder / "list.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["to", "reference", "1", "2"])
        writer.writerows(
            (f"+9198{n:08d}", f"order-{n}", f"Person {n}", f"{n % 28 + 1} March") for n in range(rows)
        )
    return file


def _head() -> None:
    print(f"{'':36}{'seconds':>9}{'rows/s':>11}{'CPU s':>8}{'rows/CPU s':>12}{'of csv':>8}{'peak MB':>9}")


def _row(name: str, found: tuple[int, float, float, float], plain: float | None) -> float:
    """Rows a second of processor time, which a busy machine changes least: the ratio is of these."""
    rows, seconds, busy, peak = found
    rate = rows / busy
    ratio = f"{plain / rate:.0f}x" if plain else ""
    print(
        f"{name:36}{seconds:>9.2f}{rows / seconds:>11,.0f}{busy:>8.2f}{rate:>12,.0f}{ratio:>8}{peak:>9.0f}",
        flush=True,
    )
    return rate


def _measured(step: str, file: Path, url: str) -> tuple[int, float, float, float]:
    """(rows, seconds, seconds of processor time, peak of memory in MB) of a step in its own process."""
    command = [sys.executable, "-m", "bench.bulk", "--step", step, "--file", str(file), "--url", url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(said[0]), float(said[1]), float(said[2]), float(said[3])


def _step(options: argparse.Namespace) -> None:
    steps = {"plain": _plain, "check": _check, "load": _load}
    before = time.process_time()
    rows, seconds = steps[options.step](Path(options.file), options.url)
    busy = time.process_time() - before
    print(rows, seconds, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _plain(file: Path, _url: str) -> tuple[int, float]:
    began = time.monotonic()
    with file.open(encoding="utf-8", newline="") as text:
        rows = sum(1 for _ in csv.reader(text)) - 1
    return rows, time.monotonic() - began


def _check(file: Path, url: str) -> tuple[int, float]:
    with closing(Database(url)) as database:
        terms = Terms("bench", NUMBER, *TERMS)
        began = time.monotonic()
        checks = dry_run(database, file, terms, time.time, secrets.token_bytes)
        rows = sum(len(one.sends) for one in checks)
        return rows, time.monotonic() - began


def _load(file: Path, url: str) -> tuple[int, float]:
    with closing(Database(url)) as database:
        new = NewRun("bench", file.name, str(file), b"bench", NUMBER, *TERMS)
        began = time.monotonic()
        with database.write() as tx:
            bulk_runs.begin(tx, new, time.time())
            run = bulk_runs.find(tx, "bench")
        assert run is not None
        terms = Terms("bench", NUMBER, *TERMS)
        Load(database, run, terms, clock=time.time, random=secrets.token_bytes).take_in(lambda: False)
        took = time.monotonic() - began
        with database.read() as tx:
            return bulk_runs.states(tx, "bench")["queued"], took


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/first.db"


def _first_post(file: Path, url: str, folder: Path) -> float:
    """Seconds from the start of `wamtrail send bulk` to the first request at the wrapper."""
    upgrade(url)
    with RunningSimulator(Scenario(phone_number_ids=(NUMBER,))) as simulator:
        settings = {
            "WAMTRAIL_DATABASE_URL": url,
            "WAMTRAIL_WRAPPER_URL": simulator.url,
            "WAMTRAIL_WRAPPER_SID": simulator.scenario.sid,
            "WAMTRAIL_WRAPPER_API_KEY": simulator.scenario.api_key,
            "WAMTRAIL_STATE_DIR": str(folder / f"state-{secrets.token_hex(4)}"),
        }
        command = [
            "send",
            "bulk",
            "--from",
            NUMBER,
            str(file),
            "--template",
            TERMS[0],
            "--language",
            TERMS[1],
        ]
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "wamtrail", *command],
            env={**os.environ, **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not simulator.posts() and process.poll() is None:
                time.sleep(0.01)
            return time.monotonic() - began
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
