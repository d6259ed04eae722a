"""What stands in the place of an erased person, and how it is told from a real name. Pure.

A name becomes one that keeps the country, since figures count by it: `IN.erased20261127x0a1b...` reads as a
user id of that country. A wamid, or anything else, becomes `erased-2026-11-27-0a1b...`.
"""

import re

_ID = re.compile(r"erased-([0-9]{4}-[0-9]{2}-[0-9]{2})-[0-9a-f]{16,64}")
_NAME = re.compile(r"[A-Z]{2}\.erased([0-9]{4})([0-9]{2})([0-9]{2})x[0-9a-f]{16}")


def erased_id(day: str, token: str) -> str:
    """`day`: 2026-11-27; `token`: lower-case hexadecimal digits, 16 or more."""
    return f"erased-{day}-{token}"


def erased_name(country: str | None, day: str, token: str) -> str:
    """`country`: two letters, or None when it cannot be told."""
    if country is None:
        return erased_id(day, token[:16])
    return f"{country}.erased{day.replace('-', '')}x{token[:16]}"


def erased_on(value: str | None) -> str | None:
    """The day (UTC) on which whoever stood here was erased; None when nobody was."""
    found = _ID.fullmatch(value or "") or _NAME.fullmatch(value or "")
    return None if found is None else "-".join(found.groups())
