"""Marks on messages whose figures have to be worked out again though the feed tells nothing new of them.

A replay takes back what a webhook said, a copy brings another pricing, a charge changes. A mark is counted
up: that locks its row, so a mark that is not committed yet is never taken away together with an older one.
"""

from collections.abc import Iterable

from sqlalchemy import text

from store.database import WriteTx
from store.lists import among, given

_MARK = text(
    "INSERT INTO dirty_messages (wamid, marks) VALUES (:wamid, 1)"
    " ON CONFLICT (wamid) DO UPDATE SET marks = dirty_messages.marks + 1"
)


def mark(tx: WriteTx, wamids: Iterable[str]) -> None:
    wanted = [{"wamid": wamid} for wamid in sorted(set(wamids))]
    if wanted:
        tx.run(_MARK, wanted)


def take(tx: WriteTx, most: int) -> list[str]:
    """Marked messages, the marks taken away. Those that somebody is marking right now are left for later."""
    lock = " FOR UPDATE SKIP LOCKED" if tx.postgres else ""
    found = tx.all(text(f"SELECT wamid FROM dirty_messages ORDER BY wamid LIMIT :most{lock}"), {"most": most})
    wamids = [row.wamid for row in found]
    if wamids:
        statement = f"DELETE FROM dirty_messages WHERE wamid {among(tx, 'wamids')}"
        tx.run(text(statement), {"wamids": given(tx, wamids)})
    return wamids
