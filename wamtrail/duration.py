"""Durations as people type them: 90s, 10m, 24h, 7d."""

import re

from wamtrail.saying import fail

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(typed: str, option: str = "--valid-for") -> float:
    """Seconds; what is no duration is a mistake in the command line (exit 2)."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", typed, re.ASCII)
    if match is None or int(match[1]) == 0:
        fail(f"{option} {typed} is not a duration; write 90s, 10m, 24h or 7d.", code=2)
    return int(match[1]) * _UNITS[match[2]]
