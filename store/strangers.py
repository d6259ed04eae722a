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


def find(tx: ReadTx, wanted: str, newest: int = 10_000) -> str | None:
    """The wamid of such an address. It reads through the `newest` strangers, so it is for the demo only."""
    if not wanted.startswith(_MARK):
        return None
    rows = tx.all(
        text(
            "SELECT wamid FROM messages WHERE message_id IS NULL"
            " ORDER BY first_seen_at DESC, wamid DESC LIMIT :newest"
        ),
        {"newest": newest},
    )
    return next((row.wamid for row in rows if address(row.wamid) == wanted), None)
