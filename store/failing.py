"""Failures of the last hours by error code, with their course over time.

Reported failures are found by the index over errors, code by code, so that only what failed in the period is
read; refusals by the index over refused sends. Each is counted up to a limit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import text

from store.database import ReadTx
from store.lists import among, given
from store.timeline import first_error

MOST = 20_000  # failures of one code that are counted
MOST_REFUSED = 2_000  # refusals that are looked at
MOST_CODES = 200
STEPS = 12  # of the course


@dataclass(slots=True)
class Failing:
    """One code: '' when the error had none. `more`: there are more than were counted."""

    code: str
    count: int = 0
    more: bool = False
    course: list[int] = field(default_factory=lambda: [0] * STEPS)  # oldest first


def failing(tx: ReadTx, numbers: tuple[str, ...], since: float, until: float) -> list[Failing]:
    """What failed in the period, most first: by arrival of the report, or when the refused was taken in."""
    found: dict[str, Failing] = {}
    for codes in _codes(tx):
        one = found.setdefault(first := codes.split(",")[0].strip(), Failing(first))
        _add(one, _reported(tx, codes, numbers, since, until), MOST)
    for code, course in _refused(tx, numbers, since, until).items():
        _add(found.setdefault(code, Failing(code)), course, MOST_REFUSED)
    return sorted((one for one in found.values() if one.count), key=lambda one: (-one.count, one.code))


def _add(one: Failing, course: Mapping[int, int], most: int) -> None:
    counted = sum(course.values())
    one.count += counted
    one.more = one.more or counted >= most
    for step, count in course.items():
        one.course[min(max(step, 0), STEPS - 1)] += count


def _codes(tx: ReadTx) -> Iterable[str]:
    """Every error_codes there ever was, by jumping through the index."""
    statement = (
        "WITH RECURSIVE codes(code) AS ("
        " SELECT min(error_codes) FROM status_updates WHERE error_codes <> ''"
        " UNION ALL SELECT (SELECT min(error_codes) FROM status_updates"
        " WHERE error_codes <> '' AND error_codes > codes.code) FROM codes WHERE codes.code IS NOT NULL)"
        " SELECT code FROM codes WHERE code IS NOT NULL LIMIT :most"
    )
    return [row.code for row in tx.all(text(statement), {"most": MOST_CODES})]


def reported_statement(tx: ReadTx, numbers: tuple[str, ...]) -> str:
    """Public, so that its plan can be tested."""
    mine = f" AND phone_number_id {among(tx, 'numbers')}" if numbers else ""
    inner = (
        "SELECT received_at FROM status_updates WHERE error_codes = :codes AND error_codes <> ''"
        f" AND received_at >= :since AND received_at < :until{mine} ORDER BY received_at DESC LIMIT :most"
    )
    step = "(received_at - :since) * :steps / (:until - :since)"
    step = f"CAST(floor({step}) AS integer)" if tx.postgres else f"CAST({step} AS INTEGER)"
    return f"SELECT {step} AS step, count(*) AS failures FROM ({inner}) AS failed GROUP BY 1"


def _reported(tx: ReadTx, codes: str, numbers: tuple[str, ...], since: float, until: float) -> dict[int, int]:
    values = {"codes": codes, "since": float(since), "until": float(until), "most": MOST, "steps": STEPS}
    if numbers:
        values["numbers"] = given(tx, numbers)
    return {row.step: row.failures for row in tx.all(text(reported_statement(tx, numbers)), values)}


def _refused(tx: ReadTx, numbers: tuple[str, ...], since: float, until: float) -> dict[str, dict[int, int]]:
    """Refused by the wrapper or by Meta in the answer; what we refused ourselves has mostly no code."""
    mine = f" AND phone_number_id {among(tx, 'numbers')}" if numbers else ""
    statement = (
        "SELECT queued_at, error FROM sends WHERE state = 'refused' AND queued_at >= :since"
        f" AND queued_at < :until{mine} ORDER BY queued_at DESC LIMIT :most"
    )
    values = {"since": since, "until": until, "most": MOST_REFUSED}
    if numbers:
        values["numbers"] = given(tx, numbers)
    courses: dict[str, dict[int, int]] = {}
    for row in tx.all(text(statement), values):
        error = first_error(row.error)
        code = "" if error is None or error["code"] is None else str(error["code"])
        step = int((row.queued_at - since) * STEPS / (until - since))
        course = courses.setdefault(code, {})
        course[step] = course.get(step, 0) + 1
    return courses
