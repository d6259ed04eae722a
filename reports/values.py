"""Kinds of values that parameters take: each with its check, and with what the API's description says of it.

What is read here comes as text always; pydantic's own leniency ("1_0", " 5 ", 0.5 for a day) is kept out.
"""

import base64
import binascii
import math
import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from store.listing import Cursor
from store.times import parse_time
from whatsapp.recipient import InvalidRecipient, digits, parse_recipient

LONGEST = 512  # characters of an id, as long as a wamid may be
EARLIEST = date(2000, 1, 1)  # that a report counts
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)  # "2026-W47-7" is a day to Python as well
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


def bad(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("parameter", "{sentence}", {"sentence": sentence})


def _storable(value: str) -> str:
    if "\x00" in value:  # PostgreSQL takes none, and no id holds one
        raise bad("holds a NUL character; take it out")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise bad("is not a whole number; write it in digits")
    return value


def _time(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_time(value)
    except ValueError as problem:
        raise bad(str(problem)) from None


def _recipient(value: str) -> str:
    """As `sends` and Meta spell it: a phone's digits, a business-scoped user id or a group's id."""
    text = f"+{value.strip()}" if value.startswith(" ") else value.strip()  # an address makes '+' a blank
    if text.isdecimal():
        return digits(text)  # an id of Meta's own, also where it is no valid number
    try:
        return parse_recipient(text).value.removeprefix("+")
    except InvalidRecipient as problem:
        if any(sign.isalpha() for sign in text):
            return text  # a group's
        raise bad(f"is no recipient. {problem}") from None


def _cursor(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        at, key = base64.b64decode(value, altchars=b"-_", validate=True).decode().split("|", 1)
        moment = float(at)
    except (ValueError, binascii.Error):
        moment, key = math.nan, ""
    if not math.isfinite(moment) or not key or "\x00" in key:
        raise bad("is not a cursor of this list; take `next` of the page before, unchanged")
    return Cursor(moment, key)


def write_cursor(at: float, key: str) -> str:
    """What `ListCursor` takes: URL-safe base64 of time and key."""
    return base64.urlsafe_b64encode(f"{at!r}|{key}".encode()).decode()


def parse_day(typed: str) -> date:
    """A day of a report. Raises ValueError with a phrase that says what is wrong."""
    try:
        day = date.fromisoformat(typed) if _DAY.fullmatch(typed) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError("is no day; write it as 2026-11-22")
    if day < EARLIEST:
        raise ValueError(f"is too early: reports count from {EARLIEST} on")
    return day


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_day(value)
    except ValueError as problem:
        raise bad(str(problem)) from None


def described(kind: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": kind, **more})


_LINE: dict[str, Any] = {"minLength": 1, "maxLength": LONGEST, "pattern": "^[^\\x00]+$"}
Text = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST),
    AfterValidator(_storable),
    WithJsonSchema({"type": "string", **_LINE}),
]
Whole = Annotated[int, BeforeValidator(_whole)]
Recipient = Annotated[
    Text,
    AfterValidator(_recipient),
    described("recipient", **_LINE, examples=["+919812340001"]),
]
Time = Annotated[
    float,
    BeforeValidator(_time),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
    ),
]
Day = Annotated[date, BeforeValidator(_day), described("date")]
ListCursor = Annotated[Cursor, BeforeValidator(_cursor), described("list-cursor", minLength=1)]
