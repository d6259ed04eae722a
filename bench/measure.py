"""One measurement: a load on one contender, and what was stored of it when nothing was left to do."""

import time
from dataclasses import dataclass
from pathlib import Path

from bench import wrk
from bench.contenders import Running

STILL = 2.0  # seconds without a new row: a receiver whose queue cannot be seen has drained
PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Statuses a second; latencies in milliseconds."""

    seen: wrk.Seen
    statuses: int  # in each body
    stored: int | None = None
    stored_during: int | None = None
    drained_after: float | None = None  # seconds since the load began

    @property
    def acknowledged(self) -> float:
        return self.seen.rate * self.statuses

    @property
    def processed(self) -> float | None:
        """Over the whole time until all was processed."""
        if self.stored is None or self.drained_after is None:
            return None
        return self.stored / self.drained_after

    @property
    def processed_during(self) -> float | None:
        """While the load ran."""
        return None if self.stored_during is None else self.stored_during / self.seen.seconds


def warm(running: Running, bodies: Path) -> None:
    """Everything is started, connected and prepared: what is measured is not the start."""
    wrk.post(running.port, bodies, 1)
    if running.stored is not None:
        _drained(running)


def measure(
    running: Running, bodies: Path, statuses: int, seconds: int, *, rate: float | None = None
) -> Measured:
    before = running.stored() if running.stored else 0
    began = time.monotonic()
    seen = wrk.post(running.port, bodies, seconds, rate=rate, once=statuses > 1)
    if running.stored is None:
        return Measured(seen, statuses)
    during = running.stored() - before
    ended = _drained(running)
    return Measured(seen, statuses, running.stored() - before, during, ended - began)


def _drained(running: Running) -> float:
    """When the last row was there."""
    deadline = time.monotonic() + PATIENCE
    if running.waiting is not None:
        while running.waiting() and time.monotonic() < deadline:
            time.sleep(0.02)
        return time.monotonic()
    assert running.stored is not None
    known, changed = -1, time.monotonic()
    while time.monotonic() - changed < STILL and time.monotonic() < deadline:
        count = running.stored()
        if count != known:
            known, changed = count, time.monotonic()
        time.sleep(0.1)
    return changed
