"""The sending numbers that a user or token is limited to: what can be one."""

import re
from collections.abc import Iterable

_ID = re.compile(r"[0-9]{1,32}")
WRONG = (
    "A sending number is given by its PHONE_NUMBER_ID, digits alone, each by itself; WhatsApp Manager shows"
    " it beside the number."
)


def are_ids(numbers: Iterable[str]) -> bool:
    """Not whether they exist: a number may get its users before its first message."""
    return all(_ID.fullmatch(number) for number in numbers)
