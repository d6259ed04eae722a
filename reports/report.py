"""What a report is asked and what it answers: one shape for the API, pages, exports and the command.

Days are days of the installation's reporting zone; `since` and `until` both belong to the period.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

KINDS = ("delivery", "failures", "latency", "cost")
DIMENSIONS = ("day", "number", "template", "country", "category", "type", "run")
MOST_DAYS = 1100  # three years
DAYS = 30  # of a period whose first day is left out


def first_day(last: date) -> date:
    """Of a period that is asked by its last day alone."""
    return last - timedelta(days=DAYS - 1)


class NotAsked(Exception):
    """A question that no report answers; `where` names the part, the text is one plain sentence."""

    def __init__(self, where: str, sentence: str) -> None:
        super().__init__(sentence)
        self.where = where


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `until` is the last day of the period, inclusive; () of `numbers` is every number."""

    kind: str
    since: date
    until: date
    by: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises NotAsked about the first part that cannot be answered."""
        if self.kind not in KINDS:
            raise NotAsked("kind", f"There is no such report; there are {', '.join(KINDS)}.")
        if self.until < self.since:
            raise NotAsked("since", f"The first day, {self.since}, lies after the last, {self.until}.")
        if (self.until - self.since).days >= MOST_DAYS:
            raise NotAsked("since", f"A report spans at most {MOST_DAYS} days.")
        for name in self.by:
            if name not in DIMENSIONS:
                raise NotAsked("by", f"A report is grouped by any of {', '.join(DIMENSIONS)}.")
        if len(set(self.by)) != len(self.by):
            raise NotAsked("by", "A report is grouped by the same thing only once.")

    def before(self) -> "Asked":
        """The same question about the period of equal length just before."""
        days = (self.until - self.since).days + 1
        last = self.since - timedelta(days=1)
        return Asked(self.kind, last - timedelta(days=days - 1), last, self.by, self.numbers)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Kinds: text, count, share (0 to 1 or null), seconds, money (text), time (Unix), date."""

    name: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Report:
    """An answer. Every row has every column's name; null where there is nothing to say."""

    asked: Asked
    zone: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    completeness: dict[str, Any] = field(default_factory=dict)
