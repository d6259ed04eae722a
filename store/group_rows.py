"""What a list must know of group messages: a failure of one member beside others' deliveries is no conflict."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text

from store import status
from store.database import ReadTx
from store.lists import among, given


def conflicts(tx: ReadTx, rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The wamids of these listed rows about which Meta contradicts itself; groups are asked per member."""
    doubtful = {str(row["message_wamid"]) for row in rows if status.conflict(row)}
    if not doubtful:
        return set()
    statement = (
        "SELECT wamid, sent_at, delivered_at, read_at, played_at, failed_at FROM participants"
        f" WHERE wamid {among(tx, 'wamids')}"
    )
    people = tx.all(text(statement), {"wamids": given(tx, sorted(doubtful))})
    groups = {one.wamid for one in people}
    return (doubtful - groups) | {one.wamid for one in people if status.conflict(one._mapping)}
