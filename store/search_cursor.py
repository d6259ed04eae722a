"""Where the next page of a search begins, as it may stand in an address: without a wamid."""

import math

from sqlalchemy import text

from store import strangers
from store.database import ReadTx
from store.listing import Cursor

_OWN_WAMID = "f"  # the key is the wamid of the message_id that follows


def written(cursor: Cursor, message_id: str | None) -> str:
    """`message_id` of the row that the cursor points to, None for a stranger's."""
    if cursor.key == message_id:
        return f"{cursor.at!r}_{cursor.key}"
    return (
        f"{cursor.at!r}_{_OWN_WAMID}{message_id}"
        if message_id
        else f"{cursor.at!r}_{strangers.address(cursor.key)}"
    )


def read(tx: ReadTx, typed: str) -> Cursor | None:
    """None when it is no cursor of ours, or its row is gone."""
    at, _, key = typed[:200].partition("_")
    try:
        time = float(at)
    except ValueError:
        return None
    if not math.isfinite(time) or not key or "\x00" in key:
        return None
    if key.startswith("w-"):
        wamid = strangers.find(tx, key)
    elif key.startswith(_OWN_WAMID):
        known = tx.value(
            text("SELECT wamid FROM sends WHERE message_id = :id"), {"id": key.removeprefix(_OWN_WAMID)}
        )
        if known is None:  # a message_id may begin with the same letter
            return Cursor(time, key)
        wamid = known
    else:
        wamid = key
    return None if wamid is None else Cursor(time, wamid)
