"""Following the feed: each follower reads on from its own position, in the transaction that uses the news.

What a follower writes is worked out anew from the rows that the feed names, so reading a batch twice changes
nothing, and a follower that starts late only has more to read.
"""

from dataclasses import dataclass

from sqlalchemy import text

from store.database import ReadTx, WriteTx
from store.lists import among, given

MOST = 5_000  # status updates that are named at once, beyond the first batch


@dataclass(frozen=True, slots=True)
class News:
    """Messages that the feed names up to `position`, by a status update or by an attempt of theirs."""

    position: int
    wamids: tuple[str, ...]


def position(tx: ReadTx, name: str) -> int:
    """How far this follower has come; 0 before its first step."""
    return int(tx.value(text("SELECT position FROM followers WHERE name = :name"), {"name": name}) or 0)


def advance(tx: WriteTx, name: str, position: int) -> None:
    """Remember that everything up to here is done; never goes back."""
    statement = (
        "INSERT INTO followers (name, position) VALUES (:name, :position) ON CONFLICT (name) DO UPDATE"
        " SET position = excluded.position WHERE followers.position < excluded.position"
    )
    tx.run(text(statement), {"name": name, "position": position})


def news(tx: ReadTx, after: int, batches: int) -> News:
    """The next of the feed after a position: at most `batches`, and of large ones fewer, one at least.

    The same position when there is nothing more.
    """
    rows = tx.all(
        text("SELECT position, batch FROM feed WHERE position > :after ORDER BY position LIMIT :most"),
        {"after": after, "most": batches},
    )
    if not rows:
        return News(after, ())
    sizes = _sizes(tx, [row.batch for row in rows])
    taken, rest = [rows[0]], MOST - sizes.get(rows[0].batch, 0)
    for row in rows[1:]:
        rest -= sizes.get(row.batch, 0)
        if rest < 0:
            break
        taken.append(row)
    statement = (
        f"SELECT wamid FROM status_updates WHERE batch {among(tx, 'batches')}"
        " UNION SELECT s.wamid FROM attempt_outcomes AS o JOIN sends AS s ON s.message_id = o.message_id"
        f" WHERE o.batch {among(tx, 'batches')} AND s.wamid IS NOT NULL ORDER BY 1"
    )
    found = tx.all(text(statement), {"batches": given(tx, [row.batch for row in taken])})
    return News(int(taken[-1].position), tuple(row.wamid for row in found))


def _sizes(tx: ReadTx, batches: list[int]) -> dict[int, int]:
    """batch -> its status updates."""
    statement = f"SELECT batch, count(*) AS size FROM status_updates WHERE batch {among(tx, 'batches')}"
    return {
        row.batch: row.size
        for row in tx.all(text(f"{statement} GROUP BY batch"), {"batches": given(tx, batches)})
    }
