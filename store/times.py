"""Times as people and programs write them: RFC 3339 UTC out, RFC 3339 and dates in, durations in words."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# The blank before the offset is a '+' that an address has turned into one.
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,20})?)(?:([Zz])|([-+ ])((?:[01]\d|2[0-3]):[0-5]\d))",
    re.ASCII,
)


def rfc3339(seconds: float | None) -> str | None:
    """`2026-11-22T10:00:00Z`; our own times keep their milliseconds. `seconds`: Unix time."""
    if seconds is None:
        return None
    milliseconds = round(seconds * 1000)
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    precision = "milliseconds" if milliseconds % 1000 else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def parse_time(typed: str) -> float:
    """Unix seconds of an RFC 3339 time, or of the first second of a date (UTC). Raises ValueError."""
    text = typed.strip()
    try:
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(f"{text}T00:00:00+00:00").timestamp()
        if match := _MOMENT.fullmatch(text):
            day, time, zulu, sign, offset = match.groups()
            zone = "+00:00" if zulu else f"{'-' if sign == '-' else '+'}{offset}"
            return datetime.fromisoformat(f"{day}T{time}{zone}").timestamp()
    except (ValueError, OverflowError):
        pass
    raise ValueError("not a time: write it as 2026-11-22T10:00:00Z, or as a date such as 2026-11-22 (UTC)")


def spelled(seconds: float) -> str:
    """A duration in its two largest units: `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d`; never below 0."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def measured(seconds: float) -> str:
    """A duration that is known to a part of a second: `2.0 s`; from a minute on as `spelled`."""
    return f"{seconds:.1f} s" if round(seconds, 1) < 60 else spelled(round(seconds))
