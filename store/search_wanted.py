"""What a search asks for, all of it at once."""

from dataclasses import dataclass

WORKS = ("waiting", "unknown", "conflict", "unmatched")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Conditions that all hold. Times in Unix seconds, `until` exclusive."""

    wamid: str | None = None
    message_id: str | None = None
    recipients: tuple[str, ...] = ()  # one person's names: digits, BSUID or group id, whole
    reference: str | None = None
    error: str | None = None  # a code as the catalogue spells it
    template: str | None = None
    phone_number_id: str | None = None
    status: str | None = None
    work: str | None = None  # one of WORKS
    since: float | None = None
    until: float | None = None
    numbers: tuple[str, ...] = ()  # the sending numbers that the asker may see; () is all
    numbered: bool = False  # leave out what belongs to no sending number
