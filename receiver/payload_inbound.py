"""One item of `messages[]` to one InboundMessage: somebody wrote to us.

Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
Every type is taken, also edits, deletions, system notices and types not known yet.
"""

from typing import Any, Final

from receiver.payload_json import canonical
from receiver.payload_parts import LONGEST_ID, Place, fits, moment, name, word
from store.records import InboundMessage

NO_ID: Final = "The inbound message has no id of 1 to 512 characters."
NO_TIME: Final = "The inbound message has no timestamp in whole Unix seconds between 2009 and tomorrow."


def read_inbound(item: dict[str, Any], place: Place) -> InboundMessage | str:
    """The message, or the sentence why there is none. `from` is missing when the number is hidden."""
    wamid = item.get("id")
    if not isinstance(wamid, str) or not fits(wamid, LONGEST_ID):
        return NO_ID
    occurred_at = moment(item.get("timestamp"), place.latest)
    if occurred_at is None:
        return NO_TIME
    sender = name(item.get("from"))
    user = name(item.get("from_user_id"))
    if user is None and sender is not None and place.contact is not None:
        user = place.contact[1] if place.contact[0] == sender else None
    return InboundMessage(
        wamid=wamid,
        occurred_at=occurred_at,
        kind=word(item.get("type")) or "unknown",
        phone_number_id=place.number,
        sender_id=sender,
        sender_user_id=user,
        group_id=name(item.get("group_id")),
        replies_to=_wamid_in(item.get("context"), "id") or _wamid_in(item.get("reaction"), "message_id"),
        content=canonical(item),
    )


def _wamid_in(found: Any, key: str) -> str | None:
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) and fits(value, LONGEST_ID) else None
