"""Location, contact cards, reactions and pins. Meta's pages: messages/*-messages, groups/groups-messaging."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, RootModel

from sender.payload_problem import Part, Path, Problem, member, objects, problem, word

_NUMBER = re.compile(r"[+-]?[0-9]{1,4}(\.[0-9]{1,40})?")
_NAME_PARTS = ("first_name", "last_name", "middle_name", "suffix", "prefix")
SHORTEST_PIN, LONGEST_PIN = 1, 30  # days
Filled = Annotated[str, Field(min_length=1)]


def _degrees(value: object) -> object:
    """Meta's own examples write coordinates as numbers and as strings."""
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False), BeforeValidator(_degrees)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False), BeforeValidator(_degrees)]


class Location(Part):
    latitude: Latitude
    longitude: Longitude
    name: str | None = None
    address: str | None = None


class Name(Part):
    formatted_name: Filled
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    suffix: str | None = None
    prefix: str | None = None


class Card(Part):
    name: Name


class Contacts(RootModel[Annotated[list[Card], Field(min_length=1, max_length=257)]]):
    """A list of contact cards."""


class Reaction(Part):
    """`emoji` is empty to take the reaction away."""

    message_id: Filled
    emoji: str


class Pin(Part):
    type: Filled
    message_id: Filled


def contacts_rules(contacts: Any, path: Path) -> Iterator[Problem]:
    for index, card in objects(contacts):
        name = member(card, "name")
        if isinstance(name, dict) and not any(name.get(part) for part in _NAME_PARTS):
            yield problem(
                (*path, index, "name"), "needs first_name or another part of the name beside formatted_name"
            )


def pin_rules(pin: Any, path: Path) -> Iterator[Problem]:
    kind = member(pin, "type")
    if isinstance(kind, str) and kind and word(kind) not in ("pin", "unpin"):
        yield problem((*path, "type"), "must be pin or unpin")
    days = member(pin, "expiration_days")
    if days is not None and not _is_days(days):
        yield problem(
            (*path, "expiration_days"), f"must be a whole number of days, {SHORTEST_PIN} to {LONGEST_PIN}"
        )


def _is_days(value: object) -> bool:
    if isinstance(value, str):
        return re.fullmatch("[0-9]{1,2}", value) is not None and SHORTEST_PIN <= int(value) <= LONGEST_PIN
    return isinstance(value, int) and not isinstance(value, bool) and SHORTEST_PIN <= value <= LONGEST_PIN


def no_rules(_value: Any, _path: Path) -> Iterator[Problem]:
    return iter(())
