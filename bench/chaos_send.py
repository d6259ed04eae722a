"""Everything goes wrong at once while thousands of messages are sent; then every promise is checked.

    .venv/bin/python -m bench.chaos_send [--messages 2400] [--seed 1] [--only PostgreSQL]

The simulated wrapper cuts, hangs, resets, answers 500, 502, nothing or half; senders are killed at random
moments and started anew (two at a time on PostgreSQL); the receiver hears the statuses, late, twice and out
of order. Leases run out by themselves. Exit code 1 when a promise was broken.
"""

import argparse
import contextlib
import gc
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import IO

from sqlalchemy import text

from bench import machine
from bench.chaos_checks import broken, summary
from bench.processes import free_port, running
from sender.message_id import message_id
from sender.payload_build import text as text_payload
from sender.prepare import prepare
from simulator import server as simulator_server
from simulator.client import SimulatorClient
from simulator.scenario import Scenario
from store import backlog, migrate, numbers
from store.database import Database
from store.queue import queue
from store.records import NewSend
from store.sends import submit

PROJECT = Path(__file__).resolve().parent.parent
NUMBERS = ("106540352242922", "106540352242933")
RATE = 80.0  # messages a second, each number
# The last four digits of a recipient choose what the simulator does; those of throttling are few, because
# each holds its whole number back for a while.
FATES = ("0001", "0010", "0011", "0012", "0013", "0014", "0015", "0019", "0020", "0026")
RARE, RARE_EACH = ("0016", "0017"), 3
PATIENCE = 420.0  # seconds for one database


def main() -> None:
    options = _options()
    failed = False
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wamtrail-chaos-")))
        if options.only != "SQLite":
            server = stack.enter_context(machine.postgres())
            print(machine.described(server))
            with server.database() as url:
                failed |= _run("PostgreSQL, two senders", url, 2, folder / "postgres", options)
        if options.only != "PostgreSQL":
            url = f"sqlite:///{folder}/wamtrail.db"
            failed |= _run("SQLite, one sender", url, 1, folder / "sqlite", options)
    sys.exit(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, default=2_400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--only", choices=("PostgreSQL", "SQLite"))
    return parser.parse_args()


def _run(name: str, url: str, senders: int, folder: Path, options: argparse.Namespace) -> bool:
    """Whether a promise was broken."""
    folder.mkdir()
    chance = Random(options.seed)
    migrate.upgrade(url)
    database = Database(url)
    port = free_port()
    scenario = Scenario(
        phone_number_ids=NUMBERS,
        callback_url=f"http://127.0.0.1:{port}/webhooks/whatsapp",
        seed=options.seed,
        answer_delay=0.1,
        status_delay=0.3,
        hang_seconds=5.0,
        unread_share=0.02,
        repeat=0.1,
        shuffle=0.1,
        before_answer=0.2,
        fail_share=0.02,
    )
    began = time.monotonic()
    try:
        with _simulating(scenario) as simulator, _receiver(url, scenario, port, folder):
            _queue(database, options.messages, chance)
            environment = _environment(url, simulator, folder)
            kills = _chaos(database, environment, senders, folder, chance, options.kills)
            simulator.release()
            simulator.wait_until_idle(120)
            _await(lambda: not _kept(database))
            took = time.monotonic() - began
            print(f"\n{name}: {options.messages} messages, {took:.0f} s, {kills} senders killed at work")
            print(summary(database, simulator))
            found = broken(database, simulator, RATE)
            print("\n".join(f"BROKEN: {one}" for one in found) or "  every promise was kept")
            return bool(found)
    finally:
        database.close()


@contextlib.contextmanager
def _simulating(scenario: Scenario) -> Iterator[SimulatorClient]:
    """In a process of its own that starts no others: it is the clock of this measurement."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_simulate, args=(scenario, port))
    process.start()
    client = SimulatorClient(scenario)
    client.open(f"http://127.0.0.1:{port}")
    try:
        _await(lambda: _listens(port))
        yield client
    finally:
        client.close()
        process.terminate()
        process.join(20)


def _simulate(scenario: Scenario, port: int) -> None:
    gc.disable()  # a full look took 45 ms, and what was posted meanwhile seemed to come at once
    with contextlib.suppress(OSError):  # where it may, it goes before what it measures
        os.nice(-10)
    simulator_server.run(scenario, "127.0.0.1", port)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def _receiver(url: str, scenario: Scenario, port: int, folder: Path) -> Iterator[None]:
    environment = {
        "WAMTRAIL_DATABASE_URL": url,
        "WAMTRAIL_APP_SECRETS": scenario.app_secret,
        "WAMTRAIL_VERIFY_TOKENS": scenario.verify_token,
        "WAMTRAIL_RECEIVER_BIND": f"127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "wamtrail", "run", "receiver"]
    with running(command, port, folder / "receiver.log", environment, PROJECT):
        yield


def _queue(database: Database, count: int, chance: Random) -> None:
    tails = [tail for tail in RARE for _ in range(RARE_EACH)]
    tails += [chance.choice(FATES) if chance.random() < 0.3 else "" for _ in range(count - len(tails))]
    chance.shuffle(tails)
    now = time.time()
    for start in range(0, count, 400):
        with database.write() as tx:
            for place, tail in enumerate(tails[start : start + 400], start):
                submit(tx, _message(now, place, tail, chance), now)
    with database.write() as tx:
        for number in NUMBERS:
            numbers.set_rate(tx, number, RATE)


def _message(now: float, place: int, tail: str, chance: Random) -> NewSend:
    return prepare(
        text_payload(f"+9198{place:04d}{tail or '9000'}", "Hello"),
        phone_number_id=NUMBERS[place % 2],
        message_id=message_id(now, chance.randbytes(10)),
        now=now,
    )


def _environment(url: str, simulator: SimulatorClient, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "WAMTRAIL_DATABASE_URL": url,
        "WAMTRAIL_WRAPPER_URL": simulator.url,
        "WAMTRAIL_WRAPPER_SID": simulator.scenario.sid,
        "WAMTRAIL_WRAPPER_API_KEY": simulator.scenario.api_key,
        "WAMTRAIL_WRAPPER_TIMEOUT": "3",
        "WAMTRAIL_STATE_DIR": str(folder / "state"),
    }


def _chaos(
    database: Database,
    environment: dict[str, str],
    count: int,
    folder: Path,
    chance: Random,
    kills: int,
) -> int:
    """Send until nothing is queued or being sent; how many senders were killed at work."""
    deadline = time.monotonic() + PATIENCE
    killed = 0
    with (folder / "senders.log").open("ab") as log, contextlib.ExitStack() as stack:
        senders = [_sender(environment, log) for _ in range(count)]
        stack.callback(_end, senders)
        while time.monotonic() < deadline:
            seen = _ended(database)
            time.sleep(chance.uniform(0.3, 1.2))
            with database.read() as tx:
                found = queue(tx, time.time())
            if not found.waiting and not found.sending:
                return killed
            if killed < kills and _ended(database) > seen + 10:  # it was at work
                victim = chance.randrange(count)
                senders[victim].kill()
                senders[victim].wait()
                killed += 1
                senders[victim] = _sender(environment, log)
    raise SystemExit(f"Not all was sent in {PATIENCE:.0f} s: {found}")


def _ended(database: Database) -> int:
    # Not asked of the simulator: it would list all its posts, and answer nobody meanwhile.
    with database.read() as tx:
        return int(tx.value(text("SELECT count(*) FROM attempt_outcomes")))


def _sender(environment: dict[str, str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "wamtrail", "run", "sender"]
    return subprocess.Popen(command, env=environment, cwd=PROJECT, stdout=log, stderr=log)


def _end(senders: "list[subprocess.Popen[bytes]]") -> None:
    for one in senders:
        one.terminate()
    for one in senders:
        one.wait()


def _kept(database: Database) -> bool:
    with database.read() as tx:
        return bool(backlog.depth(tx, most=1).waiting)


def _await(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"What was waited for did not come in {seconds:.0f} s.")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
