"""What an outcome means for those that come after it: a pause of the account or number, or a slower number.

Deciding is pure but for what it remembers of this process; `Consequences` writes it down.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from sender.figures import SenderFigures
from sender.outcome import Outcome
from store import numbers, rates
from store.database import Database
from whatsapp.catalogue import catalogue

PAIR_LIMIT = 131056
MAINTENANCE = 131057
_FIRST_BRAKE, _LONGEST_BRAKE, _MAINTENANCE_BRAKE = 1.0, 60.0, 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 900.0

log = structlog.get_logger("sender.brakes")


class Doubling:
    """A wait for each name that doubles while trouble goes on, and starts anew after some quiet."""

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self._last: dict[str, tuple[float, float]] = {}  # name -> (its last wait, until when)

    def next(self, name: str, started_at: float, now: float) -> float | None:
        """Seconds; None when the trouble is of an attempt that began before the last wait was over."""
        wait, until = self._last.get(name, (0.0, 0.0))
        if started_at < until:
            return None
        trouble_goes_on = wait and now - until < 2 * self._longest
        wait = min(wait * 2, self._longest) if trouble_goes_on else self._first
        self._last[name] = (wait, now + wait)
        return wait


def brake_of(outcome: Outcome) -> float | None:
    """The least seconds that a number should rest after this; None when it need not.

    The limit of one recipient says nothing about the others.
    """
    code = outcome.error.code if outcome.error else None
    if outcome.kind not in ("throttled", "unreachable") or code == PAIR_LIMIT:
        return None
    return max(outcome.retry_after or 0.0, _MAINTENANCE_BRAKE if code == MAINTENANCE else 0.0)


def reason_of(outcome: Outcome) -> str:
    """Why sending stopped, for people; without anything of the message."""
    code = outcome.error.code if outcome.error else None
    if code is None:
        return f"the wrapper answered HTTP {outcome.http_status}"
    entry = catalogue().lookup(code, outcome.http_status)
    return f"{code} {entry.name}: {entry.action}"


def error_of(outcome: Outcome) -> str | None:
    """The canonical JSON of its error."""
    if outcome.error is None:
        return None
    return json.dumps(outcome.error.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Posted:
    """An attempt with its outcome; times are of the process's own clock."""

    phone_number_id: str
    outcome: Outcome
    started_at: float
    ended_at: float
    trials: tuple[tuple[str, float], ...] = ()


class Consequences:
    def __init__(self, database: Database, figures: SenderFigures, clock: Callable[[], float]) -> None:
        self._database = database
        self._figures = figures
        self._clock = clock
        self._brakes = Doubling(_FIRST_BRAKE, _LONGEST_BRAKE)
        self._pauses = Doubling(_FIRST_PAUSE, _LONGEST_PAUSE)

    def any(self, posted: Posted) -> bool:
        """Is there anything to write down? Mostly not."""
        outcome = posted.outcome
        return bool(outcome.stops != "none" or posted.trials or brake_of(outcome) is not None)

    def write(self, posted: Posted) -> None:
        """Blocks; raises DatabaseAway."""
        outcome = posted.outcome
        if outcome.stops != "none":
            self._stop(posted)
        elif outcome.kind in ("accepted", "refused"):
            with self._database.write() as tx:
                for name, until in sorted(posted.trials):
                    numbers.tried(tx, name, until)
        elif (least := brake_of(outcome)) is not None:
            self._slow(posted, least)

    def _stop(self, posted: Posted) -> None:
        what = posted.outcome.stops
        name = numbers.ACCOUNT if what == "account" else posted.phone_number_id
        seconds = self._pauses.next(name, posted.started_at, posted.ended_at)
        if seconds is None:
            return
        reason = reason_of(posted.outcome)
        with self._database.write() as tx:
            now = rates.clock(tx, self._clock()) / rates.MICRO
            news = numbers.pause(tx, name, reason, now, until=now + seconds)
        if news:
            self._figures.pauses.labels(what).inc()
            log.warning("sending_stopped", what=what, reason=reason, tried_again_in=seconds)

    def _slow(self, posted: Posted, least: float) -> None:
        seconds = self._brakes.next(posted.phone_number_id, posted.started_at, posted.ended_at)
        if seconds is None:
            return
        with self._database.write() as tx:
            rates.hold(tx, posted.phone_number_id, max(seconds, least), self._clock())
        self._figures.brakes.inc()
