"""What leaves with a message as `biz_opaque_callback_data`, and comes back in each of its statuses.

`<message_id>`, or `<message_id>:<the caller's own value>` when the caller set that field. It joins a
status to its send even when the answer to the send was lost. Source: Meta, webhook reference `statuses`.
"""

import re

LIMIT = 512  # characters, by Meta

# A canonical lower-case UUIDv7 of ours, then the end or the caller's part, whatever that holds.
_OURS = re.compile(
    r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})(?::(.*))?",
    re.DOTALL,
)


def join(message_id: str, callers: str | None) -> str:
    """The value that leaves. `message_id` is our lower-case UUIDv7; only such a one is found by `split`.

    Raises ValueError, with a sentence for the caller, when both together pass Meta's 512 characters.
    """
    joined = message_id if callers is None else f"{message_id}:{callers}"
    if len(joined) > LIMIT:
        given, room = len(callers or ""), LIMIT - len(message_id) - 1
        raise ValueError(
            f"biz_opaque_callback_data has {given} characters, but at most {room} fit beside the message's "
            f"own id (Meta allows {LIMIT} together): shorten it."
        )
    return joined


def split(value: str | None) -> tuple[str | None, str | None]:
    """(our message_id, the caller's part). What is not ours comes back whole: (None, value)."""
    match = _OURS.fullmatch(value) if value is not None else None
    if match is None:
        return None, value
    return match.group(1), match.group(2)
