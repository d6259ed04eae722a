"""One case of `bench/send`: messages queued, senders started, what the wrapper saw of them."""

import contextlib
import json
import os
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.processes import free_port, peaks, running
from sender.message_id import message_id
from sender.payload_build import text as text_payload
from sender.prepare import prepare
from store import migrate, numbers
from store.database import Database
from store.records import NewSend
from store.sends import submit

PROJECT = Path(__file__).resolve().parent.parent
NUMBER = "106540352242922"
WARM = 2.0  # seconds
TICK = os.sysconf("SC_CLK_TCK")
AT_ONCE = 1_000  # messages queued in one transaction
VALID = 86_400.0


@dataclass(frozen=True, slots=True)
class Case:
    url: str
    rate: int  # messages a second that the number may send
    processes: int
    seconds: float
    port: int  # of the wrapper
    concurrency: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Found:
    rate: float  # messages a second at the wrapper, from the end of the warm-up to the last
    fullest: int  # messages in the fullest second of all
    late: float  # seconds: the longest time between two messages
    cpu: float  # of the senders, microseconds a message
    database_cpu: float  # of PostgreSQL
    memory: float  # MB, the largest sender's peak
    twice: int  # messages that came more than once
    lost: int  # queued, and not recorded as accepted although posted
    missed: float  # slots missed by more than 20 ms


def run_case(case: Case) -> Found:
    migrate.upgrade(case.url)
    database = Database(case.url)
    try:
        _queue(database, case)
        with contextlib.ExitStack() as stack:
            ports = [free_port() for _ in range(case.processes)]
            pids = [stack.enter_context(_sender(case, port, one)) for one, port in enumerate(ports)]
            with database.write() as tx:
                numbers.resume(tx, NUMBER)
            time.sleep(WARM)
            began, cpu, server = time.time(), _cpu(pids), _cpu(_backends(case.url))
            _wait_for_the_last(case, began)
            ended = time.time()
            cpu, server = _cpu(pids) - cpu, _cpu(_backends(case.url)) - server
            memory = max(sum(peaks(pid).values()) for pid in pids)
            missed = sum(_figure(port, "wamtrail_send_slots_missed_total") for port in ports)
            seen = _seen(case.port)
        return _found(database, seen, (began, ended), (cpu, server), memory, missed)
    finally:
        database.close()


def _queue(database: Database, case: Case) -> None:
    """Held until the senders are ready."""
    now = time.time()
    new = (_message(now, place) for place in range(round(case.rate * (case.seconds + WARM))))
    with database.write() as tx:
        numbers.set_rate(tx, NUMBER, case.rate)
        numbers.pause(tx, NUMBER, "not yet", now)
    while some := list(islice(new, AT_ONCE)):
        with database.write() as tx:
            for one in some:
                submit(tx, one, now)
    if not database.sqlite:
        with database.write() as tx:
            tx.run(text("ANALYZE sends"))


def _message(now: float, place: int) -> NewSend:
    return prepare(
        text_payload(f"+9198{place:08d}", "Your order has shipped."),
        phone_number_id=NUMBER,
        message_id=message_id(now, os.urandom(10)),
        now=now,
    )


@contextlib.contextmanager
def _sender(case: Case, port: int, place: int) -> Iterator[int]:
    environment = {
        "WAMTRAIL_DATABASE_URL": case.url,
        "WAMTRAIL_WRAPPER_URL": f"http://127.0.0.1:{case.port}",
        "WAMTRAIL_WRAPPER_SID": "BENCH",
        "WAMTRAIL_WRAPPER_API_KEY": "bench",
        "WAMTRAIL_WRAPPER_CONCURRENCY": str(case.concurrency),
        "WAMTRAIL_METRICS_BIND": f"127.0.0.1:{port}",
        "WAMTRAIL_STATE_DIR": str(case.folder / f"state-{os.urandom(4).hex()}-{place}"),
    }
    command = [sys.executable, "-m", "wamtrail", "run", "sender"]
    with running(command, port, case.folder / "log", environment, PROJECT) as process:
        yield process.pid


def _wait_for_the_last(case: Case, began: float) -> None:
    """Until all came, or time is up."""
    expected = round(case.rate * (case.seconds + WARM))
    while time.time() < began + case.seconds + 3:
        time.sleep(1.0)
        if _count(case.port) >= expected:
            return


def _found(
    database: Database,
    seen: dict[str, Any],
    window: tuple[float, float],
    cpu: tuple[float, float],
    memory: float,
    missed: float,
) -> Found:
    with database.read() as tx:
        accepted = {
            row.message_id for row in tx.all(text("SELECT message_id FROM sends WHERE state = 'accepted'"))
        }
        unknown = tx.value(
            text("SELECT count(*) FROM sends WHERE state IN ('unknown', 'sending', 'refused')")
        )
    times = sorted(one for one in seen["times"] if window[0] <= one <= window[1])
    counted = Counter(seen["ids"])
    return Found(
        rate=(len(times) - 1) / (times[-1] - times[0]),
        fullest=fullest(sorted(seen["times"])),
        late=max(after - before for before, after in pairwise(times)),
        cpu=cpu[0] / len(times) * 1e6,
        database_cpu=cpu[1] / len(times) * 1e6,
        memory=memory,
        twice=sum(1 for times in counted.values() if times > 1),
        lost=len(counted.keys() - accepted) + int(unknown or 0),
        missed=missed,
    )


def fullest(times: list[float]) -> int:
    """The most messages in any second."""
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def _seen(port: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_asked(f"http://127.0.0.1:{port}/seen"))
    return found


def _count(port: int) -> int:
    return int(_asked(f"http://127.0.0.1:{port}/count"))


def _asked(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: bytes = answer.read()
    return found


def _figure(port: int, name: str) -> float:
    for line in _asked(f"http://127.0.0.1:{port}/metrics").decode().splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    raise LookupError(name)


def _cpu(pids: list[int]) -> float:
    """Seconds of these processes so far."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def _backends(url: str) -> list[int]:
    """The processes of PostgreSQL; none for SQLite."""
    if url.startswith("sqlite"):
        return []
    database = Database(url)
    try:
        with database.read() as tx:
            mine = int(tx.value(text("SELECT pg_backend_pid()")))
        parent = int(Path(f"/proc/{mine}/stat").read_text().rpartition(")")[2].split()[1])
    finally:
        database.close()
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]
