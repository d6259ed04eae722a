"""A histogram of durations that can be merged: any quantile is at most 2 % off, however merged.

The buckets of DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", PVLDB 12, 2019): bucket i holds what lies in (g^(i-1), g^i], where
g = (1 + a) / (1 - a).
Zero has a place of its own, and what lies within each limit of LIMITS is counted exactly.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ERROR = 0.02
LIMITS = (60, 3_600, 86_400)
_GAMMA = (1 + ERROR) / (1 - ERROR)
_LOG = math.log(_GAMMA)
_ROOM = 2**32 - 1  # messages whose packed counts can be added up
_LEAST = 0.001  # seconds; below it is zero
_FIRST = math.ceil(math.log(_LEAST) / _LOG)  # no bucket lies before it


def rank(share: float, count: int) -> int:
    """The place, from 0 on, of the first of `count` sorted values by which this share of them is reached."""
    return max(math.ceil(round(share * count, 6)) - 1, 0)  # 0.9 * 10 may be a little more than 9


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
        """The least that at least this share of all lies within, in seconds; None of nothing."""
        if not self.count:
            return None
        left = rank(share, self.count) - self.zeros
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

    def packed(self) -> dict[str, Any]:
        """For JSON as well, and quicker to merge: `h` are the counts from bucket `o` on, as one number."""
        if not self.buckets or self.count > _ROOM:
            return self.plain()
        first, last = min(self.buckets), max(self.buckets)
        counts = [self.buckets.get(key, 0) for key in range(first, last + 1)]
        told = struct.pack(f"<{len(counts)}I", *counts).hex()
        return {"n": self.count, "z": self.zeros, "w": self.within, "o": first, "h": told}


class Merging:
    """Many plain or packed ones into one, without keeping them; quicker than reading and merging each.

    Packed counts are added as whole numbers of 32 bits a bucket, which have room as long as their sum has.
    """

    __slots__ = ("_buckets", "_count", "_packed", "_room", "_within", "_zeros")

    def __init__(self) -> None:
        self._count = self._zeros = 0
        self._within = [0] * len(LIMITS)
        self._buckets: dict[int, int] = {}
        self._packed = 0  # counts from bucket _FIRST on
        self._room = _ROOM

    def add(self, plain: Mapping[str, Any]) -> None:
        self._count += plain["n"]
        self._zeros += plain["z"]
        self._within = [a + b for a, b in zip(self._within, plain["w"], strict=True)]
        if "h" in plain:
            self._add_packed(plain["o"], plain["h"], plain["n"])
            return
        for key, count in plain["b"].items():
            self._take(int(key), count)

    def _add_packed(self, first: int, counts: str, together: int) -> None:
        if together > self._room:
            self._unpack()
        self._room -= together
        number = int.from_bytes(bytes.fromhex(counts), "little")
        self._packed += number << 32 * (first - _FIRST)

    def _unpack(self) -> None:
        size = (self._packed.bit_length() + 31) // 32
        counts = struct.unpack(f"<{size}I", self._packed.to_bytes(size * 4, "little"))
        for key, count in enumerate(counts, _FIRST):
            if count:
                self._take(key, count)
        self._packed, self._room = 0, _ROOM

    def _take(self, key: int, count: int) -> None:
        self._buckets[key] = self._buckets.get(key, 0) + count

    @property
    def whole(self) -> Histogram:
        self._unpack()
        return Histogram(self._count, self._zeros, list(self._within), dict(self._buckets))


def read(plain: Mapping[str, Any]) -> Histogram:
    merging = Merging()
    merging.add(plain)
    return merging.whole
