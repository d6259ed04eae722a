"""One change's value: its statuses, its messages, and whatever else it lists."""

from collections.abc import Callable
from typing import Any, Final

from receiver.payload_events import (
    ECHO_FIELDS,
    KINDS,
    SAMPLE_NUMBER,
    is_sample,
    item_event,
    kind_of_status,
    whole_event,
)
from receiver.payload_inbound import read_inbound
from receiver.payload_parts import NOT_AN_OBJECT, Findings, Place, ending, listed, name
from receiver.payload_preferences import read_preferences
from receiver.payload_statuses import read_status
from receiver.payload_templates import FIELDS as TEMPLATE_FIELDS
from receiver.payload_templates import read_templates
from store.records import NumberWord

MESSAGING_FIELDS: Final = frozenset({"", "messages", "standby", "calls", *ECHO_FIELDS})
"""Their values are lists of happenings beside some surroundings; '' is a change that names no field."""

_HISTORY: Final = frozenset({"history", "smb_app_state_sync"})  # their messages are old, nobody wrote now
_SURROUNDINGS: Final = frozenset({"messaging_product", "metadata", "contacts", "standby"})


def read_value(findings: Findings, place: Place, value: dict[str, Any]) -> None:
    """Adds all that the value says; what holds no list of happenings is kept whole as one event."""
    if place.entry_id == "0" and place.number == SAMPLE_NUMBER:
        findings.events.append(whole_event(place, value, "test"))
        return
    if place.field == "user_preferences":
        findings.preferences += read_preferences(value, place)
    if place.field in TEMPLATE_FIELDS:
        findings.templates += read_templates(value, place)
    messaging = place.field in MESSAGING_FIELDS
    if not messaging and (place.field in _HISTORY or not _lists_messages(value)):
        findings.events.append(whole_event(place, value))
        return
    if place.number is not None and place.entry_id not in ("", "0"):
        dialled = name(place.metadata.get("display_phone_number"))
        findings.numbers.append(NumberWord(place.number, place.entry_id, dialled))
    before = len(findings)
    _walk(findings, place, value, messaging)
    if "standby" in value:
        _standby(findings, place, value["standby"])
    if len(findings) == before:
        said = any(item for key, item in value.items() if key not in _SURROUNDINGS)
        kind = "echo" if place.field in ECHO_FIELDS else "" if said else "empty"
        findings.events.append(whole_event(place, value, kind))


def surroundings(outer: Place, field: str, step: str, value: dict[str, Any]) -> Place:
    """One `step` further down the pointer, with the number and the one contact that this value names."""
    metadata = value.get("metadata", outer.metadata)
    number = name(metadata.get("phone_number_id")) if isinstance(metadata, dict) else None
    return Place(
        outer.entry_id,
        outer.time,
        field,
        outer.pointer + step,
        outer.latest,
        metadata,
        number,
        _sole_contact(value["contacts"]) if "contacts" in value else None,
    )


def _sole_contact(contacts: Any) -> tuple[str, str] | None:
    """(wa_id, user_id) when there is exactly one contact and it says both: only then is it surely who."""
    items, _ = listed(contacts)
    if len(items) != 1 or not isinstance(items[0], dict):
        return None
    wa_id, user_id = name(items[0].get("wa_id")), name(items[0].get("user_id"))
    return None if wa_id is None or user_id is None else (wa_id, user_id)


def _lists_messages(value: dict[str, Any]) -> bool:
    return any(isinstance(value.get(key), list | dict) for key in ("statuses", "messages", "standby"))


def _walk(findings: Findings, place: Place, value: dict[str, Any], messaging: bool) -> None:
    others: dict[str, Any] = {}
    for key, found in value.items():
        if key == "statuses":
            _each(findings, place, key, found, _status)
        elif key == "messages":
            _each(findings, place, key, found, _message)
        elif key in _SURROUNDINGS:
            continue
        elif not messaging:
            others[key] = found
        elif key in KINDS or (isinstance(found, list) and found and isinstance(found[0], dict)):
            # A list of objects is how Meta reports happenings, also those of tomorrow.
            for item in listed(found)[0]:
                findings.events.append(item_event(place, key, item, KINDS.get(key, key[:64])))
    if others:
        findings.events.append(whole_event(place, others))


def _standby(findings: Findings, place: Place, standby: Any) -> None:
    """Copies for the app that is not in control of the conversation: the same lists, one level down."""
    items, ends = listed(standby)
    for index, inner in enumerate(items):
        step = f"/standby{ending(ends, index)}"
        if isinstance(inner, dict):
            _walk(findings, surroundings(place, place.field, step, inner), inner, messaging=True)
        else:
            findings.set_aside(place.pointer + step, NOT_AN_OBJECT, inner)


Reader = Callable[[Findings, Place, dict[str, Any]], str | None]


def _each(findings: Findings, place: Place, key: str, found: Any, take: Reader) -> None:
    """Every item on its own: a bad one goes to quarantine without its siblings."""
    items, ends = listed(found)
    for index, item in enumerate(items):
        fault = take(findings, place, item) if isinstance(item, dict) else NOT_AN_OBJECT
        if fault is not None:
            findings.set_aside(f"{place.pointer}/{key}{ending(ends, index)}", fault, item)


def _status(findings: Findings, place: Place, item: dict[str, Any]) -> str | None:
    kind = kind_of_status(item, place.field)
    if kind is not None:
        findings.events.append(item_event(place, "statuses", item, kind))
        return None
    update = read_status(item, place)
    if isinstance(update, str):
        return update
    findings.updates.append(update)
    return None


def _message(findings: Findings, place: Place, item: dict[str, Any]) -> str | None:
    if place.field in ECHO_FIELDS or is_sample(item):
        kind = "echo" if place.field in ECHO_FIELDS else "test"
        findings.events.append(item_event(place, "messages", item, kind))
        return None
    message = read_inbound(item, place)
    if isinstance(message, str):
        return message
    findings.inbound.append(message)
    return None
