"""How a run stands, and how fast it goes: what a progress bar shows."""

from collections import deque
from dataclasses import dataclass

from store import bulk_runs, numbers
from store.bulk_runs import Run
from store.database import ReadTx

WINDOW = 15.0  # seconds over which the rate is taken


@dataclass(frozen=True, slots=True)
class Standing:
    """One moment. `rows`: messages taken in so far; `held`: why nothing leaves, if so."""

    run: Run
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    queued: int = 0
    sending: int = 0
    cancelled: int = 0
    held: str | None = None

    @property
    def settled(self) -> int:
        return self.accepted + self.refused + self.unknown + self.cancelled

    @property
    def over(self) -> bool:
        """Nothing of it will leave any more by itself."""
        return self.run.loaded_at is not None and self.queued == self.sending == 0


def standing(tx: ReadTx, run: Run, now: float) -> Standing:
    """Reads every row of the run."""
    counted = bulk_runs.states(tx, run.bulk_run_id)
    found = numbers.standing(tx, [numbers.ACCOUNT, run.phone_number_id])
    held = next((one.paused_reason for one in found.values() if one.paused(now)), None)
    return Standing(
        run,
        accepted=counted.get("accepted", 0),
        refused=counted.get("refused", 0),
        unknown=counted.get("unknown", 0),
        queued=counted.get("queued", 0),
        sending=counted.get("sending", 0),
        cancelled=counted.get("cancelled", 0),
        held=held,
    )


class Rate:
    """Messages settled a second, over the last moments."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def see(self, at: float, settled: int) -> float | None:
        """None: too early to tell."""
        self._seen.append((at, settled))
        while len(self._seen) > 2 and at - self._seen[1][0] >= WINDOW:
            self._seen.popleft()
        (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        return (last - first) / (last_at - first_at) if last_at > first_at else None


def time_left(now: Standing, rate: float | None) -> float | None:
    """Seconds; None when it cannot be told (the list is still being read, or nothing moves)."""
    if now.run.loaded_at is None or not rate:
        return None
    return (now.queued + now.sending) / rate
