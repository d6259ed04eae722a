"""Addresses for messages that were not sent by us, whose only id is the wamid.

A wamid holds the recipient's number, so it must not stand in the address of a page: a short digest does.
"""

import hashlib

from sqlalchemy import text

from store.database import ReadTx

_MARK = "w-"


def address(wamid: str) -> str:
    """`w-` and 20 hexadecimal digits."""
    return _MARK + hashlib.sha256(wamid.encode()).hexdigest()[:20]


def find(tx: ReadTx, wanted: str, newest: int = 2_000) -> str | None:
    """The wamid of such an address; what the follower has not come to is among the `newest` updates."""
    if not wanted.startswith(_MARK) or "\x00" in wanted:
        return None
    known: str | None = tx.value(
        text("SELECT wamid FROM strangers WHERE address = :address LIMIT 1"), {"address": wanted}
    )
    if known is not None:
        return known
    rows = tx.all(
        text("SELECT wamid FROM status_updates ORDER BY batch DESC LIMIT :newest"), {"newest": newest}
    )
    return next((row.wamid for row in rows if address(row.wamid) == wanted), None)
