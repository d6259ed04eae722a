"""Peak memory (VmHWM) of the receiver and its processor: at full load, and with many large bodies at once."""

import http.client
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from bench import wrk
from bench.bodies import PATH, SECRET, big
from bench.contenders import Contender, Running
from bench.processes import peaks
from whatsapp.signature import sign

SECONDS = 60
CLIENTS = 64
SIZE = 3_000_000  # bytes; Meta's largest
LIMIT = 350  # MB
PATIENCE = 300.0
PROCESSED = 45.0  # seconds: enough to see the largest runs, which is what the peak comes from


def report(everyone: Sequence[Contender], bodies: Path, folder: Path) -> None:
    large = [big(SIZE, salt) for salt in range(CLIENTS)]
    signatures = [sign(SECRET, body) for body in large]
    for one in everyone:
        with one.start(folder) as running:
            seen = wrk.post(running.port, bodies, SECONDS)
            _say(f"{one.name}, {SECONDS} s of full load ({seen.rate:,.0f} a second)", running)
        with one.start(folder) as running:
            began = time.monotonic()
            refused = _all_kept(running.port, large, signatures)
            took = time.monotonic() - began
            _say(f"{one.name}, {CLIENTS} bodies of 3 MB at once ({took:.0f} s, {refused} refusals)", running)


def _say(name: str, running: Running) -> None:
    _drain(running)
    found = peaks(running.pid)
    together = sum(found.values())
    parts = ", ".join(f"{part} {megabytes:.0f} MB" for part, megabytes in found.items())
    verdict = "good" if together < LIMIT else f"OVER {LIMIT} MB"
    print(f"{name}: {parts}, together {together:.0f} MB: {verdict}", flush=True)


def _drain(running: Running) -> None:
    deadline = time.monotonic() + PROCESSED
    while running.waiting is not None and running.waiting() and time.monotonic() < deadline:
        time.sleep(0.1)


def _all_kept(port: int, large: Sequence[bytes], signatures: Sequence[str]) -> int:
    """Every client posts its body again until it is kept; how many refusals there were."""
    refusals = [0] * CLIENTS

    def client(number: int) -> None:
        headers = {"X-Hub-Signature-256": signatures[number], "Content-Type": "application/json"}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.request("POST", PATH, large[number], headers)
                if connection.getresponse().status == 200:
                    return
            except OSError:  # refused before it was read: the door closes the connection
                pass
            finally:
                connection.close()
            refusals[number] += 1
            time.sleep(0.05)
        raise SystemExit("A body of 3 MB was not kept within five minutes.")

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(refusals)
