"""How many calls a token may make: a rate for each token, counted in this process alone.

GCRA: of each token one number is kept, the time at which all its calls are in hand again. A token that has
rested for a minute is forgotten, so that memory is bounded by the tokens that call.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from reports.problems import Problem

PERIOD = 60.0  # seconds in which a whole rate's worth of calls comes back
MOST = 10_000  # tokens that are remembered
COUNTED = "wamtrail.rate"  # in a request's scope: headers that its answer gets
THROTTLE = "wamtrail.throttle"


@dataclass(frozen=True, slots=True)
class Taken:
    """`wait` seconds until a call is free again: 0 when this one was. `full` seconds until all are."""

    left: int
    full: float
    wait: float


class Throttle:
    """`rate` calls a minute for each token; 0 counts nothing. `clock` never goes back (time.monotonic)."""

    def __init__(self, rate: int, clock: Callable[[], float]) -> None:
        self.rate = rate
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def take(self, token_id: str) -> Taken:
        """One call; a refused one costs nothing."""
        now = self._clock()
        each = PERIOD / self.rate
        before = max(self._full_at.get(token_id, now), now)
        after = before + each
        if after - now > PERIOD + each / 1000:  # what sums of fractions leave over is no call
            return Taken(0, before - now, after - now - PERIOD)
        self._full_at[token_id] = after
        if len(self._full_at) > MOST:
            self._forget(now)
        return Taken(int((PERIOD - (after - now)) / each + 0.001), after - now, 0.0)

    def count(self, request: Request, token_id: str) -> None:
        """Raises Problem 429. Either way the answer tells in `RateLimit` what is left."""
        if not self.rate:
            return
        taken = self.take(token_id)
        request.scope[COUNTED] = {
            "RateLimit-Policy": f'"token";q={self.rate};w={int(PERIOD)}',
            "RateLimit": f'"token";r={taken.left};t={math.ceil(taken.full)}',
        }
        if taken.wait:
            wait = max(1, math.ceil(taken.wait))
            raise Problem(
                429,
                "Too many calls",
                f"A token may make {self.rate:,} calls a minute here; ask again in {wait} s. Larger pages"
                " (`limit`) need fewer calls.",
                headers={"Retry-After": str(wait)},
            )

    def _forget(self, now: float) -> None:
        """Tokens that have all their calls in hand; when every one is at work, those that are least so."""
        self._full_at = {one: at for one, at in self._full_at.items() if at > now}
        if len(self._full_at) > MOST:
            busiest = sorted(self._full_at.items(), key=lambda one: one[1], reverse=True)
            self._full_at = dict(busiest[: MOST // 2])


def throttled_by(request: Request) -> Throttle | None:
    """The throttle that `reports.frame` put around this request's route."""
    found: Throttle | None = request.scope.get(THROTTLE)
    return found
