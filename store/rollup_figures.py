"""From messages to figures: pure, one message at a time, in memory that grows with the groups alone."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from store import pricing
from store.histogram import Histogram
from store.rollup_days import country, day_of
from store.status import STATUSES
from store.strangers import address
from store.timeline import first_error

GROUP = ("template", "country", "category", "type", "run")
STEPS = (
    ("accepted_sent", "accepted_at", "sent_at"),  # two clocks
    ("sent_delivered", "sent_at", "delivered_at"),
    ("delivered_read", "delivered_at", "read_at"),
)
COUNTS = (*STATUSES, "implied", "conflicts", "strangers")
UNFINISHED = ("queued", "sending", "unknown")  # these change without a word in the feed
SUMS = ("messages", "estimated", "amount_micro", "estimated_micro", "fee_micro")
COST = ("charged_on", *GROUP, "kind", "said")


@dataclass(slots=True)
class Group:
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    errors: dict[str, list[Any]] = field(default_factory=dict)
    latency: dict[str, Histogram] = field(default_factory=dict)


@dataclass(slots=True)
class Figures:
    """Of one bucket."""

    groups: dict[tuple[str, ...], Group] = field(default_factory=dict)
    costs: dict[tuple[str, ...], list[int]] = field(default_factory=dict)

    @property
    def unfinished(self) -> int:
        return sum(group.counts[state] for group in self.groups.values() for state in UNFINISHED)

    def latency(self) -> dict[tuple[str, str], dict[str, Histogram]]:
        """(part, value) -> step -> histogram, for each part of the groups; '' is all of them."""
        found: dict[tuple[str, str], dict[str, Histogram]] = {}
        for key, group in self.groups.items():
            for part, value in (("", ""), *zip(GROUP, key, strict=True)):
                steps = found.setdefault((part, value), {}) if group.latency else {}
                for name, one in group.latency.items():
                    steps.setdefault(name, Histogram()).merge(one)
        return found

    def take_in(self, rows: Iterable[Any]) -> None:
        for row in rows:
            said, named, free = _said(row.pricing)
            category = (pricing.category_word(row.category) if row.category else named) or ""
            key = (
                row.template or "",
                country(row.recipient),
                category,
                row.type or "",
                row.bulk_run_id or "",
            )
            group = self.groups.get(key)
            if group is None:
                group = self.groups[key] = Group()
            _count(group, row)
            self._cost(key, row, said, named, free)

    def _cost(self, key: tuple[str, ...], row: Any, said: str, named: str | None, free: bool) -> None:
        times = [at for at in (row.delivered_at, row.read_at, row.played_at) if at is not None]
        if not times or (row.message_id is None and row.kind is None and not said):
            return
        template, where, category, kind_of, run = key
        on = day_of(min(times), ZoneInfo(row.zone))
        word = row.charged_category or named or category or pricing.assumed(kind_of, None)
        kind = row.kind or ("free" if free else "uncharged")
        sums = self.costs.setdefault((on, template, where, word, kind_of, run, kind, said), [0] * len(SUMS))
        amount, guess = row.amount_micro or 0, kind == "billable" and bool(row.estimated)
        charged = (1, int(guess), amount, amount if guess else 0, row.fee_micro or 0)
        for place, value in enumerate(charged):
            sums[place] += value


def _count(group: Group, row: Any) -> None:
    counts = group.counts
    counts[row.status] += 1
    reached = row.delivered_at is not None or row.read_at is not None or row.played_at is not None
    counts["implied"] += reached and row.delivered_at is None
    counts["conflicts"] += reached and row.failed_at is not None and row.group_conflict != 0
    counts["strangers"] += row.message_id is None
    for name, first, last in STEPS:
        begun, ended = getattr(row, first), getattr(row, last)
        if begun is not None and ended is not None:
            if (one := group.latency.get(name)) is None:
                one = group.latency[name] = Histogram()
            one.add(ended - begun)
    if row.status in ("failed", "refused"):
        _error(group, row)


def _error(group: Group, row: Any) -> None:
    try:
        found = first_error(row.message_error if row.status == "failed" else row.send_error)
    except ValueError:  # no JSON: one such row must not stop the figures of its day
        found = None
    code = "" if found is None or found["code"] is None else str(found["code"])[:100]
    at = float(row.failed_at if row.failed_at is not None else row.at)
    example = row.message_id or address(row.key)
    known = group.errors.setdefault(code, [0, at, example])
    known[0] += 1
    known[1:] = min((known[1], known[2]), (at, example))


@lru_cache(maxsize=1_000)
def _said(stored: str | None) -> tuple[str, str | None, bool]:
    """Meta's word (billable, free, '' when none), the category it named, whether free."""
    told = _object(stored) if stored else None
    if not isinstance(told, dict):
        return "", None, False
    words = pricing.said(stored)
    if words.free:
        return "free", words.category, True
    return ("billable" if told.get("type") or told.get("billable") else ""), words.category, False


def _object(stored: str) -> Any:
    try:
        return json.loads(stored)
    except ValueError:
        return None
