"""One error code, and how the rows of `error_codes.csv` are read and checked."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

Where: TypeAlias = Literal["sync", "async", "both"]
OnSend: TypeAlias = Literal["refused", "throttled", "unknown", "accepted"]
Stops: TypeAlias = Literal["none", "number", "account"]
Retryable: TypeAlias = Literal["never", "later", "now"]

COLUMNS = (
    "code",
    "name",
    "http_status",
    "where",
    "on_send",
    "stops",
    "retryable",
    "retry_after_hint",
    "owner",
    "meaning",
    "action",
)
_CLOSED: Mapping[str, tuple[str, ...]] = {
    "where": get_args(Where),
    "on_send": get_args(OnSend),
    "stops": get_args(Stops),
    "retryable": get_args(Retryable),
    "owner": ("sender", "recipient", "account", "template", "rate", "platform"),
}
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_SPAN = re.compile(r"([1-9][0-9]{0,17})-([1-9][0-9]{0,17})")
_OTHERS = re.compile(r"[A-Z]+[A-Z0-9]*")  # Kaleyra's


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code. `on_send`: how it ends an attempt. `stops`: what must not be sent until it is fixed."""

    code: str  # as asked for: the code itself, also when a range or a family explains it
    name: str
    http_status: int | None  # None: no page prints one
    where: Where  # in the answer to a send, in a webhook, or either
    on_send: OnSend
    stops: Stops
    retryable: Retryable
    retry_after_hint: str
    owner: str  # sender, recipient, account, template, rate, platform; unknown when not in the catalogue
    meaning: str
    action: str
    known: bool  # False: neither the code nor its range or family is in the catalogue


def read_rows(text: str) -> dict[str, ErrorCode]:
    """All rows by their code, in the file's order. Raises ValueError naming row (1: heading) and column."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    heading = next(lines, [])
    if tuple(heading) != COLUMNS:
        raise ValueError(f"error_codes.csv, row 1: the columns must be {', '.join(COLUMNS)}.")
    rows: dict[str, ErrorCode] = {}
    for number, cells in enumerate(lines, start=2):
        row = _row(number, cells)
        _refuse_second_claim(number, row.code, rows)
        rows[row.code] = row
    return rows


def span(code: str) -> range | None:
    """The numbers that a code such as 200-299 stands for; None for a single code."""
    match = _SPAN.fullmatch(code)
    return range(int(match.group(1)), int(match.group(2)) + 1) if match else None


def _row(number: int, cells: list[str]) -> ErrorCode:
    if len(cells) != len(COLUMNS):
        last = COLUMNS[min(max(len(cells), 1), len(COLUMNS)) - 1]
        raise ValueError(
            f"error_codes.csv, row {number}, column {last}: the row ends or goes on here, with {len(cells)} "
            f"columns instead of {len(COLUMNS)}."
        )
    values = dict(zip(COLUMNS, cells, strict=True))
    for column, words in _CLOSED.items():
        if values[column] not in words:
            raise _bad(number, column, values[column], f"is not one of {', '.join(words)}")
    for column in ("name", "meaning", "action"):
        if not values[column].strip():
            raise _bad(number, column, values[column], "is empty")
    _refuse_misspelt(number, values["code"])
    return ErrorCode(
        code=values["code"],
        name=values["name"],
        http_status=_http_status(number, values["http_status"]),
        where=cast(Where, values["where"]),
        on_send=cast(OnSend, values["on_send"]),
        stops=cast(Stops, values["stops"]),
        retryable=cast(Retryable, values["retryable"]),
        retry_after_hint=values["retry_after_hint"],
        owner=values["owner"],
        meaning=values["meaning"],
        action=values["action"],
        known=True,
    )


def _refuse_misspelt(number: int, code: str) -> None:
    if _NUMBER.fullmatch(code) or _OTHERS.fullmatch(code):
        return
    numbers = span(code)
    if numbers is None:
        raise _bad(number, "code", code, "is neither a code nor a range such as 200-299")
    if len(numbers) < 2:
        raise _bad(number, "code", code, "is a range that does not go up")


def _http_status(number: int, value: str) -> int | None:
    if value == "":
        return None
    if not re.fullmatch(r"[1-5][0-9]{2}", value):
        raise _bad(number, "http_status", value, "is not an HTTP status")
    return int(value)


def _refuse_second_claim(number: int, code: str, earlier: Iterable[str]) -> None:
    mine = span(code)
    for other in earlier:
        if other == code:
            raise _bad(number, "code", code, "is there twice")
        theirs = span(other)  # a single code inside a range is fine: it wins
        if mine and theirs and mine.start < theirs.stop and theirs.start < mine.stop:
            raise _bad(number, "code", code, f"overlaps {other}")


def _bad(number: int, column: str, value: str, fault: str) -> ValueError:
    return ValueError(f"error_codes.csv, row {number}, column {column}: {value!r} {fault}.")
