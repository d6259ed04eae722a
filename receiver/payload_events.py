"""What is authentic but neither a message's status nor an inbound message: kept whole, as AccountEvents.

An event made of one item of a list looks like Meta's value with that item alone in its list, so that the
same item is the same event however Meta grouped it.
"""

from typing import Any, Final

from receiver.payload_json import canonical
from receiver.payload_parts import Place, moment
from store.records import AccountEvent

SAMPLE_NUMBER: Final = "123456123"
SAMPLE_ID: Final = "ABGGFlA5Fpa"
SAMPLE_TIME: Final = 1504902988
"""What Meta's dashboard sends when somebody presses Test: nothing happened, so no figure may count it."""

KINDS: Final = {
    "calls": "call",
    "errors": "errors",
    "message_echoes": "echo",
    "user_actions": "user_actions",
}
ECHO_FIELDS: Final = frozenset({"message_echoes", "smb_message_echoes"})


def whole_event(place: Place, value: Any, kind: str = "") -> AccountEvent:
    """The change's value as it came."""
    return AccountEvent(place.entry_id, place.field, place.time, canonical(value), kind)


def item_event(place: Place, key: str, item: Any, kind: str) -> AccountEvent:
    """One item of the list `key`, with the number that it is about."""
    own_time = moment(item.get("timestamp"), place.latest) if isinstance(item, dict) else None
    value = {key: [item]} if place.metadata is None else {"metadata": place.metadata, key: [item]}
    occurred_at = place.time if own_time is None else own_time
    return AccountEvent(place.entry_id, place.field, occurred_at, canonical(value), kind)


def kind_of_status(item: dict[str, Any], field: str) -> str | None:
    """'payment', 'call' or 'test' when this status is not about a message; otherwise None."""
    named = item.get("type")
    if named is not None and named in ("payment", "call"):
        return str(named)
    wamid = item.get("id")
    if field == "calls" or (isinstance(wamid, str) and wamid.startswith("wacid.")):
        return "call"
    return "test" if is_sample(item) else None


def is_sample(item: dict[str, Any]) -> bool:
    """The dashboard's sample message or status, by its constant id and time."""
    return item.get("id") == SAMPLE_ID and str(item.get("timestamp")) == str(SAMPLE_TIME)
