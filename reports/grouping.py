"""What all reports share: their groups' columns, the period as the store takes it, shares."""

from typing import Any

from reports.report import Asked, Column
from store.rollup_sums import Period

TITLES = {
    "day": "day",
    "number": "sending number",
    "template": "template",
    "country": "country",
    "category": "category",
    "type": "type",
    "run": "bulk run",
}


def columns(asked: Asked) -> tuple[Column, ...]:
    return tuple(Column(name, "date" if name == "day" else "text", TITLES[name]) for name in asked.by)


def period(asked: Asked) -> Period:
    return Period(asked.since.isoformat(), asked.until.isoformat(), asked.numbers)


def key(asked: Asked, parts: tuple[Any, ...]) -> dict[str, Any]:
    """The group's part of a report's row; '' (not known) is null."""
    return {name: part or None for name, part in zip(asked.by, parts, strict=True)}


def key_of(asked: Asked, row: Any) -> dict[str, Any]:
    """The same of a row of sums."""
    return key(asked, tuple(getattr(row, f"by_{name}") for name in asked.by))


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
