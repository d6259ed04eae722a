"""The load: wrk on the loopback, bounded in connections and time."""

import json
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 64
_SCRIPT = Path(__file__).with_name("post.lua")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the load saw; latencies in milliseconds, of every answer."""

    answered: int  # with 200
    refused: int
    broken: int
    repeated: int  # requests that were posted a second time, because the file had ended
    seconds: float
    p50: float
    p99: float
    longest: float

    @property
    def rate(self) -> float:
        return self.answered / self.seconds


def missing() -> str | None:
    if shutil.which("wrk"):
        return None
    return "wrk is not installed: `apt install wrk` on Debian, `brew install wrk` on a Mac."


def post(port: int, bodies: Path, seconds: int, *, rate: float | None = None, once: bool = False) -> Seen:
    """As fast as it goes, or at about `rate` requests a second, spread at random.

    `once`: ends with the file, if the time has not ended before.
    """
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "-s", str(_SCRIPT)]
    command += [f"http://127.0.0.1:{port}/", "--", str(bodies), "once" if once else "again"]
    if rate is not None:
        command.append(f"{1000 * CONNECTIONS / rate:.3f}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("end of file"):
                running.send_signal(signal.SIGINT)  # the way to its summary before the time is over
        said = running.stdout.read()
    if running.returncode:
        raise SystemExit(f"wrk ended with {running.returncode}.")
    found = json.loads(said.strip().splitlines()[-1])
    return Seen(
        answered=found["requests"] - found["refused"],
        refused=found["refused"],
        broken=found["broken"],
        repeated=0 if once else found["repeated"],
        seconds=found["micros"] / 1e6,
        p50=found["p50"],
        p99=found["p99"],
        longest=found["most"],
    )
