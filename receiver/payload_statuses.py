"""One item of `statuses[]` to one StatusUpdate.

Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
Only id, status and timestamp are demanded; anything else may be missing, null, or of another type.
"""

from typing import Any, Final

from receiver.payload_json import canonical, canonical_often
from receiver.payload_parts import LONGEST_ID, LONGEST_NAME, Place, fits, moment, name, word
from store.records import StatusUpdate

NO_ID: Final = "The status has no id of 1 to 512 characters."
NO_WORD: Final = "The status does not say its word in 1 to 64 characters."
NO_TIME: Final = "The status has no timestamp in whole Unix seconds between 2009 and tomorrow."
LONG_PARTICIPANT: Final = f"The status names a participant in more than {LONGEST_NAME} characters."

_COLUMNS: Final = frozenset(
    {
        "id",
        "status",
        "timestamp",
        "recipient_id",
        "recipient_user_id",
        "errors",
        "pricing",
        "biz_opaque_callback_data",
    }
)
_PARTICIPANT: Final = (  # Meta's pages spell it both ways; the third stands alone for hidden numbers
    "recipient_participant_id",
    "participant_recipient_id",
    "recipient_participant_user_id",
)
_MOST_CODES: Final = 16
_LONGEST_CODE: Final = 20


def read_status(item: dict[str, Any], place: Place) -> StatusUpdate | str:
    """The update, or the sentence why there is none."""
    wamid = item.get("id")
    if not isinstance(wamid, str) or not fits(wamid, LONGEST_ID):
        return NO_ID
    status = word(item.get("status"))
    if status is None:
        return NO_WORD
    occurred_at = moment(item.get("timestamp"), place.latest)
    if occurred_at is None:
        return NO_TIME
    spare = item.keys() - _COLUMNS
    participant = _participant(item, spare) if spare else ""
    if participant is None:
        return LONG_PARTICIPANT
    recipient = _column(item, "recipient_id", spare)
    user = _column(item, "recipient_user_id", spare)
    if user is None and recipient is not None and place.contact is not None:
        user = place.contact[1] if place.contact[0] == recipient else None
    pricing, callback_data = _pricing(item, spare), _callback_data(item, spare)
    errors = item.get("errors")
    listed_errors = errors if isinstance(errors, list) else [] if errors is None else [errors]
    return StatusUpdate(
        wamid,
        participant,
        status,
        occurred_at,
        _codes(listed_errors) if listed_errors else "",
        place.number,
        recipient,
        user,
        canonical_often(listed_errors) if listed_errors else None,
        pricing,
        callback_data,
        canonical({key: item[key] for key in spare}) if spare else None,
    )


def _participant(item: dict[str, Any], spare: set[str]) -> str | None:
    """Who of a group; '' when nobody is named; None when the name is too long to be one."""
    for key in _PARTICIPANT:
        if key in spare and item[key] is not None:
            who = name(item[key])
            if who is not None:
                spare.discard(key)
                return who
            if isinstance(item[key], str) and item[key]:
                return None
    return ""


def _column(item: dict[str, Any], key: str, spare: set[str]) -> str | None:
    """A recipient's name; what is none stays in the rest."""
    value = item.get(key)
    if value is None:
        return None
    found = name(value)
    if found is None and value != "":
        spare.add(key)
    return found


def _pricing(item: dict[str, Any], spare: set[str]) -> str | None:
    pricing = item.get("pricing")
    if isinstance(pricing, dict):
        return canonical_often(pricing)
    if pricing is not None:
        spare.add("pricing")
    return None


def _callback_data(item: dict[str, Any], spare: set[str]) -> str | None:
    """biz_opaque_callback_data: any string, ours or another tool's."""
    data = item.get("biz_opaque_callback_data")
    if isinstance(data, str):
        return data
    if data is not None:
        spare.add("biz_opaque_callback_data")
    return None


def _codes(errors: list[Any]) -> str:
    """The codes in Meta's order, as one short key; the errors themselves are kept whole beside it."""
    codes = ",".join(
        _code(error.get("code") if isinstance(error, dict) else None) for error in errors[:_MOST_CODES]
    )
    return codes if len(errors) <= _MOST_CODES else f"{codes},…"


def _code(code: Any) -> str:
    """131026 and "131026" are one code; what is missing or no code is '?'."""
    if isinstance(code, float) and code.is_integer():
        code = int(code)
    if isinstance(code, int) and not isinstance(code, bool):
        code = str(code)
    if not isinstance(code, str):
        return "?"
    code = code.strip()
    return code if code.isascii() and 0 < len(code) <= _LONGEST_CODE else "?"
