"""The words for where a message stands: Meta's five statuses and our states before them.

Ranks order Meta's words where one value must be chosen among several statuses; they never say which
came first, for Meta sends them in any order. Source: Meta, webhook reference `statuses`.
"""

from collections.abc import Mapping
from types import MappingProxyType

SENT = "sent"
DELIVERED = "delivered"
READ = "read"
PLAYED = "played"
FAILED = "failed"

KNOWN: tuple[str, ...] = (SENT, DELIVERED, READ, PLAYED, FAILED)
RANK: Mapping[str, int] = MappingProxyType({word: place for place, word in enumerate(KNOWN, start=1)})

MEANING: Mapping[str, str] = MappingProxyType(
    {
        "queued": "Waiting here to be sent; nothing has left yet.",
        "sending": "The request may be on its way to Kaleyra and Meta at this moment.",
        "unknown": "The request left, but no clear answer came: Meta may or may not have the message. It is "
        "not sent again by itself; a status from Meta, or a person, settles it.",
        "refused": "The message was not taken: we, Kaleyra or Meta refused it, and the error says why. The "
        "person got nothing.",
        "cancelled": "Somebody cancelled the message here before it left. The person got nothing.",
        "accepted": "Meta took the message over and gave it an id. It is not delivered, and may still fail.",
        SENT: "Meta has the message and tries to deliver it. It can stay so for up to 30 days (phone off, "
        "business blocked, ...), and Meta does not tell why; after that it is dropped without a word.",
        DELIVERED: "The message reached a device of the person. That does not mean that it was read.",
        READ: "The person opened the chat with the message. Without read receipts it is never shown as read.",
        PLAYED: "The person listened to the voice message for the first time.",
        FAILED: "Meta took the message over but could not deliver it, and the error says why. The person did "
        "not get it, unless a delivery is reported as well.",
    }
)


def rank(status: str) -> int:
    """1 for sent to 5 for failed; 0 for any word that is not Meta's or is not yet known here."""
    return RANK.get(status, 0)
