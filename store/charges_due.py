"""Marks on messages whose charge has to be worked out again though the feed tells nothing new of them.

A replay can take back what a webhook said, a copy of a known status can bring another pricing, a new rate
card changes what was charged. A mark is counted up, not only set: that locks its row, so a mark of a
transaction that has not committed yet is never taken away together with an older one.
"""

from collections.abc import Iterable

from sqlalchemy import text

from store.database import ReadTx, WriteTx
from store.lists import among, given

_AGAIN = " ON CONFLICT (wamid) DO UPDATE SET marks = charges_due.marks + 1"


def mark(tx: WriteTx, wamids: Iterable[str]) -> None:
    """Only messages of ours, and nothing at all as long as there is no account."""
    wanted = sorted(set(wamids))
    if wanted:
        statement = (
            "INSERT INTO charges_due (wamid, marks) SELECT wamid, 1 FROM messages"
            f" WHERE wamid {among(tx, 'wamids')} AND message_id IS NOT NULL"
            f" AND EXISTS (SELECT 1 FROM accounts) ORDER BY wamid{_AGAIN}"
        )
        tx.run(text(statement), {"wamids": given(tx, wanted)})


def mark_since(tx: WriteTx, day: str) -> None:
    """What was charged on that day (2026-11-22) or later."""
    statement = (
        "INSERT INTO charges_due (wamid, marks) SELECT wamid, 1 FROM charges"
        f" WHERE charged_on >= :day ORDER BY wamid{_AGAIN}"
    )
    tx.run(text(statement), {"day": day})


def take(tx: WriteTx, most: int) -> list[str]:
    """Marked messages, the marks taken away. Those that somebody is marking right now are left for later."""
    lock = " FOR UPDATE SKIP LOCKED" if tx.postgres else ""
    found = tx.all(text(f"SELECT wamid FROM charges_due ORDER BY wamid LIMIT :most{lock}"), {"most": most})
    wamids = [row.wamid for row in found]
    if wamids:
        statement = f"DELETE FROM charges_due WHERE wamid {among(tx, 'wamids')}"
        tx.run(text(statement), {"wamids": given(tx, wamids)})
    return wamids


def any_marked(tx: ReadTx) -> bool:
    return tx.value(text("SELECT 1 FROM charges_due LIMIT 1")) is not None
