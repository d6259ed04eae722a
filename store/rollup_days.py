"""Days of the reporting zone, and the country of a recipient at the price of a look-up."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers

from whatsapp.market import COUNTRIES, market


def day_of(at: float, zone: ZoneInfo) -> str:
    """2026-11-22."""
    return datetime.fromtimestamp(at, zone).date().isoformat()


def bounds(day: str, zone: ZoneInfo) -> tuple[float, float]:
    """The first moment of a day, and of the next."""
    first = date.fromisoformat(day)
    return _midnight(first, zone), _midnight(first + timedelta(days=1), zone)


def days_between(since: float, until: float, zone: ZoneInfo) -> list[str]:
    """Every day from that of one moment to that of another."""
    first, last = (date.fromisoformat(day_of(at, zone)) for at in (since, until))
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def country(recipient: str | None) -> str:
    """What whatsapp.market says, '' when it cannot tell; most country codes belong to one country."""
    if not recipient:
        return ""
    digits = recipient.removeprefix("+")
    if digits.isascii() and digits.isdecimal() and 8 <= len(digits) <= 15:
        for length in (1, 2, 3):
            regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length]))
            if regions is not None and digits[0] != "0":
                if len(regions) == 1 and regions[0] in COUNTRIES:
                    return regions[0]
                break
    return _asked(recipient)


@lru_cache(maxsize=20_000)
def _asked(recipient: str) -> str:
    return market(recipient) or ""


def _midnight(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()
