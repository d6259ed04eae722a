"""A histogram of durations that can be merged: any quantile is at most 2 % off, however merged.

The buckets of DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", PVLDB 12, 2019): bucket i holds what lies in (g^(i-1), g^i], where
g = (1 + a) / (1 - a).
Zero has a place of its own, and what lies within each limit of LIMITS is counted exactly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ERROR = 0.02
LIMITS = (60, 3_600, 86_400)
_GAMMA = (1 + ERROR) / (1 - ERROR)
_LOG = math.log(_GAMMA)
_LEAST = 0.001  # seconds; below it is zero


@dataclass(slots=True)
class Histogram:
    count: int = 0
    zeros: int = 0
    within: list[int] = field(default_factory=lambda: [0] * len(LIMITS))
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, seconds: float) -> None:
        """A duration; one below 0 (clocks differ) counts as 0."""
        self.count += 1
        for place, limit in enumerate(LIMITS):
            self.within[place] += seconds <= limit
        if seconds < _LEAST:
            self.zeros += 1
            return
        key = math.ceil(math.log(seconds) / _LOG)
        self.buckets[key] = self.buckets.get(key, 0) + 1

    def merge(self, other: "Histogram") -> None:
        self.count += other.count
        self.zeros += other.zeros
        self.within = [a + b for a, b in zip(self.within, other.within, strict=True)]
        for key, count in other.buckets.items():
            self.buckets[key] = self.buckets.get(key, 0) + count

    def quantile(self, share: float) -> float | None:
        """The value of rank floor(share * (count - 1)), in seconds; None of nothing."""
        if not self.count:
            return None
        left = math.floor(share * (self.count - 1)) - self.zeros
        if left < 0:
            return 0.0
        for key in sorted(self.buckets):
            left -= self.buckets[key]
            if left < 0:
                return float(2 * _GAMMA**key / (_GAMMA + 1))
        raise AssertionError("a histogram's count is the sum of its buckets")

    def plain(self) -> dict[str, Any]:
        """For JSON, and back by `read`."""
        buckets = {str(key): self.buckets[key] for key in sorted(self.buckets)}
        return {"n": self.count, "z": self.zeros, "w": self.within, "b": buckets}


class Merging:
    """Many plain ones into one, without keeping them; quicker than reading and merging each."""

    __slots__ = ("_buckets", "_count", "_within", "_zeros")

    def __init__(self) -> None:
        self._count = self._zeros = 0
        self._within = [0] * len(LIMITS)
        self._buckets: dict[str, int] = {}

    def add(self, plain: Mapping[str, Any]) -> None:
        self._count += plain["n"]
        self._zeros += plain["z"]
        self._within = [a + b for a, b in zip(self._within, plain["w"], strict=True)]
        buckets = self._buckets
        for key, count in plain["b"].items():
            buckets[key] = buckets.get(key, 0) + count

    @property
    def whole(self) -> Histogram:
        buckets = {int(key): count for key, count in self._buckets.items()}
        return Histogram(self._count, self._zeros, list(self._within), buckets)


def read(plain: Mapping[str, Any]) -> Histogram:
    buckets = {int(key): count for key, count in plain["b"].items()}
    return Histogram(plain["n"], plain["z"], list(plain["w"]), buckets)
