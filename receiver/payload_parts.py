"""What the readers of statuses, inbound messages and events share: where they stand, what they found, and
the small readings of ids, times and lists that take what Meta sends and what others make of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from receiver.payload_json import canonical
from store.records import (
    AccountEvent,
    InboundMessage,
    NumberWord,
    Parsed,
    Preference,
    QuarantinedPart,
    StatusUpdate,
    TemplateWord,
)

EARLIEST: Final = 1_230_768_000
"""2009-01-01 UTC, when WhatsApp began; an event time before it is a mistake."""

LONGEST_ID: Final = 512  # of wamids; in UTF-8 bytes, since index entries are bounded in bytes
LONGEST_NAME: Final = 256  # of numbers, users, groups: several share one index entry
LONGEST_WORD: Final = 64  # of statuses, types, fields

NOT_AN_OBJECT: Final = "An object belongs here."


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the body a value stands, and what its surroundings say about every item of it."""

    entry_id: str
    time: int | None  # entry[].time, Unix seconds
    field: str
    pointer: str  # JSON pointer
    latest: float  # event times after it are mistakes
    metadata: Any = None
    number: str | None = None  # metadata.phone_number_id
    contact: tuple[str, str] | None = None  # (wa_id, user_id) when the value names exactly one


@dataclass(slots=True)
class Findings:
    """Grows while a body is read; `parsed` is the outcome."""

    updates: list[StatusUpdate] = field(default_factory=list)
    inbound: list[InboundMessage] = field(default_factory=list)
    events: list[AccountEvent] = field(default_factory=list)
    quarantined: list[QuarantinedPart] = field(default_factory=list)
    preferences: list[Preference] = field(default_factory=list)
    templates: list[TemplateWord] = field(default_factory=list)
    numbers: list[NumberWord] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.updates) + len(self.inbound) + len(self.events) + len(self.quarantined)

    def set_aside(self, pointer: str, reason: str, part: Any) -> None:
        self.quarantined.append(QuarantinedPart(pointer, reason, canonical(part)))

    def parsed(self) -> Parsed:
        return Parsed(
            tuple(self.updates),
            tuple(self.inbound),
            tuple(self.events),
            tuple(self.quarantined),
            tuple(self.preferences),
            tuple(self.templates),
            tuple(self.numbers),
        )


def listed(found: Any) -> tuple[Sequence[Any], Sequence[str] | None]:
    """The items of what should be a list, and the end of each one's pointer (None: its index).

    Nothing at all is an empty list; one object is a list of one; an object with the keys "0", "1" ... is
    the list that its keys count. Anything else stands as its own single item, for the caller to refuse.
    """
    if isinstance(found, list):
        return found, None
    if found is None or found == {}:
        return (), None
    if isinstance(found, dict) and all(key.isdecimal() for key in found):
        return list(found.values()), [f"/{key}" for key in found]
    return (found,), ("",)


def ending(ends: Sequence[str] | None, index: int) -> str:
    """What an item's place adds to its list's pointer."""
    return f"/{index}" if ends is None else ends[index]


def moment(value: Any, latest: float) -> int | None:
    """Unix seconds as text or number; None when it is no whole number between 2009 and `latest`."""
    if isinstance(value, str):
        if len(value) > 20 or not (value.isascii() and value.isdigit()):
            return None
        seconds = int(value)
    elif isinstance(value, int):
        seconds = value
    elif isinstance(value, float) and value.is_integer():
        seconds = int(value)
    else:
        return None
    return seconds if EARLIEST <= seconds <= latest else None


def fits(text: str, most: int) -> bool:
    """Not empty, and at most `most` bytes of UTF-8."""
    return 0 < len(text) <= most and (text.isascii() or len(text.encode()) <= most)


def name(value: Any) -> str | None:
    """An id of a person, number, group or account; whole numbers count. None when it is no such thing."""
    if isinstance(value, str):
        return value if fits(value, LONGEST_NAME) else None
    if isinstance(value, int) and not isinstance(value, bool):
        digits = str(value)
        return digits if len(digits) <= LONGEST_NAME else None
    return None


def word(value: Any) -> str | None:
    """One of Meta's words: text of 1 to 64 characters that is not blank."""
    if isinstance(value, str) and 0 < len(value) <= LONGEST_WORD and not value.isspace():
        return value
    return None
