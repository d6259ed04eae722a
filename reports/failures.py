"""Failures: how many messages failed or were refused for which reason, and how that compares with before."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import from_json

from reports import grouping
from reports.report import Asked, Column
from store import rollup_sums
from store.database import ReadTx
from whatsapp.catalogue import catalogue

COLUMNS = (
    Column("code", "text", "code"),
    Column("meaning", "text", "meaning"),
    Column("owner", "text", "whose matter"),
    Column("messages", "count", "messages"),
    Column("share", "share", "of the group's failures"),
    Column("before", "count", "in the period before"),
    Column("trend", "share", "more or less than before"),
    Column("first_seen", "time", "first in this period"),
    Column("example", "text", "an example"),
)
NO_CODE = "Without a code: refused by Wamtrail, settled by a person, or Meta and Kaleyra told none."
_Key = tuple[Any, ...]


def columns(asked: Asked) -> tuple[Column, ...]:
    return (*grouping.columns(asked), *COLUMNS)


def rows(tx: ReadTx, asked: Asked) -> list[dict[str, Any]]:
    """The most frequent code of each group first. Days are not compared: each has its own row."""
    found = _by_code(tx, asked)
    compared = "day" not in asked.by
    before = _by_code(tx, asked.before()) if compared else {}
    totals: dict[_Key, int] = {}
    for (*group, _code), (count, _, _) in found.items():
        totals[tuple(group)] = totals.get(tuple(group), 0) + count
    ordered = sorted(found.items(), key=lambda one: (_text(one[0][:-1]), -one[1][0], one[0][-1]))
    return [
        {
            **grouping.key(asked, tuple(group)),
            **_meaning(code),
            "messages": count,
            "share": grouping.share(count, totals[tuple(group)]),
            **_compared(count, before.get((*group, code), [0])[0] if compared else None),
            "first_seen": first,
            "example": example,
        }
        for (*group, code), (count, first, example) in ordered
    ]


def _by_code(tx: ReadTx, asked: Asked) -> dict[_Key, list[Any]]:
    return merged(rollup_sums.errors(tx, grouping.period(asked), asked.by))


def merged(found: Iterable[Sequence[Any]]) -> dict[_Key, list[Any]]:
    """(group, code) -> messages, first seen, example; of rows that end in a bucket's errors."""
    sums: dict[_Key, list[Any]] = {}
    for *group, errors in found:
        for code, (count, first, example) in from_json(errors).items():
            known = sums.setdefault((*group, code), [0, first, example])
            known[0] += count
            known[1:] = min((known[1], known[2]), (first, example))
    return sums


def _meaning(code: str) -> dict[str, Any]:
    if not code:
        return {"code": None, "meaning": NO_CODE, "owner": None}
    entry = catalogue().lookup(int(code) if code.isascii() and code.isdigit() else code)
    return {"code": code, "meaning": entry.meaning, "owner": entry.owner}


def _compared(now: int, before: int | None) -> dict[str, Any]:
    return {"before": before, "trend": (now - before) / before if before else None}


def _text(group: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(part or "" for part in group)
