"""What messages under way may cost. Set in the claim; gone when it is clear what the message costs.

Released when nothing left (refused, throttled, unreachable, given back); kept while the outcome is unknown;
replaced by the charge, or released, when Meta says what became of the message.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from store import ledger
from store.bulk import BIGINT, DOUBLE, TEXT, Bulk
from store.database import ReadTx, WriteTx
from store.lists import among, given

DELIVERABLE = 30 * 86_400.0  # seconds; Meta tries to deliver a message for 30 days at most


@dataclass(frozen=True, slots=True)
class Hold:
    """`until`: no delivery can come any more, so the hold ends whatever is known."""

    message_id: str
    amount: int
    at: float
    until: float


_SET = Bulk(
    table="holds",
    columns=(("message_id", TEXT), ("amount_micro", BIGINT), ("at", DOUBLE), ("until", DOUBLE)),
)


def of(tx: ReadTx, message_ids: Iterable[str]) -> dict[str, int]:
    """message_id -> what is held for it."""
    statement = f"SELECT message_id, amount_micro FROM holds WHERE message_id {among(tx, 'ids')}"
    rows = tx.all(text(statement), {"ids": given(tx, sorted(set(message_ids)))})
    return {row.message_id: int(row.amount_micro) for row in rows}


def put(tx: WriteTx, new: Sequence[Hold]) -> int:
    """Of messages that have none, with the account locked; the sum."""
    _SET.run(
        tx,
        [(one.message_id, one.amount, one.at, one.until) for one in sorted(new, key=lambda h: h.message_id)],
    )
    return sum(one.amount for one in new)


def take_away(tx: WriteTx, message_ids: Iterable[str]) -> int:
    """With the account locked; the sum."""
    known = of(tx, message_ids)
    if known:
        statement = f"DELETE FROM holds WHERE message_id {among(tx, 'ids')}"
        tx.run(text(statement), {"ids": given(tx, sorted(known))})
    return sum(known.values())


def release(tx: WriteTx, message_ids: Iterable[str]) -> None:
    """What certainly did not leave costs nothing. Looks first, so that without holds nothing is locked.

    Call it with the rows of `sends` locked: then no hold of theirs can come meanwhile.
    """
    wanted = sorted(set(message_ids))
    if wanted and of(tx, wanted):
        ledger.locked(tx)
        ledger.move(tx, held=-take_away(tx, wanted))


def release_late(tx: WriteTx, now: float, most: int = 500) -> int:
    """Release what Meta cannot deliver any more, whatever became of it; how many."""
    late = text("SELECT message_id FROM holds WHERE until <= :now ORDER BY message_id LIMIT :most")
    values = {"now": now, "most": most}
    if not tx.all(late, values):
        return 0
    ledger.locked(tx)
    ids = [row.message_id for row in tx.all(late, values)]
    ledger.move(tx, held=-take_away(tx, ids))
    return len(ids)
