"""What a list must know of group messages: one member's failure beside others' deliveries is no conflict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store import status
from store.database import ReadTx
from store.lists import among, given


@dataclass(frozen=True, slots=True)
class Conflicts:
    """The wamids about which Meta contradicts itself: of single persons, and of groups with such a member."""

    persons: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def __contains__(self, wamid: object) -> bool:
        return wamid in self.persons or wamid in self.groups


def conflicts(tx: ReadTx, rows: Iterable[Mapping[str, Any]]) -> Conflicts:
    """Look at these rows of a list; it asks the database only when one has both a delivery and a failure."""
    doubtful = {str(row["message_wamid"]) for row in rows if status.conflict(row)}
    if not doubtful:
        return Conflicts()
    statement = (
        "SELECT wamid, sent_at, delivered_at, read_at, played_at, failed_at FROM participants"
        f" WHERE wamid {among(tx, 'wamids')}"
    )
    rows_of_members = tx.all(text(statement), {"wamids": given(tx, sorted(doubtful))})
    members = [dict(row._mapping) for row in rows_of_members]
    return Conflicts(
        persons=frozenset(doubtful - {one["wamid"] for one in members}),
        groups=frozenset(one["wamid"] for one in members if status.conflict(one)),
    )
