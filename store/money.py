"""Money as whole millionths of a currency's unit (micro): exact, and equal on both databases."""

import re
from datetime import UTC, datetime

MICRO = 1_000_000
LARGEST = 10**9 * MICRO  # a billion units
_PLAIN = re.compile(r"([+-]?)(\d{1,12})(?:\.(\d{1,12}))?", re.ASCII)


def micro(typed: str) -> int:
    """The amount that decimal text names. Raises ValueError with a phrase that says what is wrong."""
    match = _PLAIN.fullmatch(typed.strip())
    if match is None:
        raise ValueError("is no amount: write it with digits and a point, such as 1000 or 0.8631")
    sign, whole, part = match[1], match[2], (match[3] or "").rstrip("0")
    if len(part) > 6:
        raise ValueError("has more than six digits after the point")
    amount = int(whole) * MICRO + int(part.ljust(6, "0") or "0")
    if amount > LARGEST:
        raise ValueError("is larger than a billion")
    return -amount if sign == "-" else amount


def shown(amount: int, currency: str) -> str:
    """`1,234.50 INR`: at least two digits after the point, and all that there are."""
    whole, part = divmod(abs(amount), MICRO)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{whole:,}.{digits} {currency}"


def plain(amount: int) -> str:
    """The same for machines: what `micro` reads back."""
    return shown(amount, "").replace(",", "").strip()


def day(at: float) -> str:
    """The day of a moment, UTC: 2026-11-22."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
