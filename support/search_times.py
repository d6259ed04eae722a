"""Times as people type them: `2h`, `3d`, `yesterday`, `2026-11-22`, `2026-11-22T10:00`. Pure."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_SIZES = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"(\d{1,5})\s*(min|s|m|h|d|w)")
_DAYS = {"today": 0, "yesterday": 1}
_WRITE = "write 2h, 3d, today, yesterday, 2026-11-22 or 2026-11-22T10:00"


class Unreadable(ValueError):
    """No time; the text is the end of a sentence."""


def moment(typed: str, now: float, zone: ZoneInfo, *, end: bool) -> float:
    """Unix seconds. A whole day means its beginning, or with `end` its end, in the zone of the viewer."""
    word = typed.strip().lower()
    if ago := _AGO.fullmatch(word):
        return max(0.0, now - int(ago[1]) * _SIZES[ago[2]])
    if word == "now":
        return now
    try:
        if word in _DAYS:
            today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
            return _day(today - timedelta(days=_DAYS[word]), end)
        read = datetime.fromisoformat(typed.strip().upper())
        read = read if read.tzinfo else read.replace(tzinfo=zone)
        return _day(read, end) if len(word) <= len("2026-11-22") else read.timestamp()
    except (ValueError, OverflowError, OSError):
        raise Unreadable(f"“{typed[:40]}” is no time; {_WRITE}.") from None


def _day(begin: datetime, end: bool) -> float:
    return (begin + timedelta(days=1) if end else begin).timestamp()
