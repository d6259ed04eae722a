"""Durations as people type them: 90s, 10m, 24h, 7d."""

import re

from wamtrail.saying import fail

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(typed: str, option: str = "--valid-for") -> float:
    """Seconds; what is no duration is a mistake in the command line (exit 2)."""
    found = read(typed)
    if found is None:
        fail(f"{option} {typed} is not a duration; write 90s, 10m, 24h or 7d.", code=2)
    return found


def read(typed: str) -> float | None:
    """Seconds; None when it is no duration."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", typed, re.ASCII)
    return None if match is None or int(match[1]) == 0 else float(int(match[1]) * _UNITS[match[2]])


def age(typed: str) -> float | None:
    """Seconds, at least a day; None for `forever`. Raises ValueError."""
    if typed == "forever":
        return None
    found = read(typed)
    if found is None or found < _UNITS["d"]:
        raise ValueError("is no age; write 90d, at least 1d, or forever")
    return found
