"""The order in which effects became visible, so that a reader with a cursor never skips and never repeats.

A transaction that writes feed rows asks for a batch number first, and as its very last statement takes the
feed lock and inserts the batch: positions are then given, and become visible, in one order.
"""

from sqlalchemy import text

from store.database import WriteTx

LOCK = 0x57414D46  # 'WAMF'


def next_batch(tx: WriteTx) -> int:
    if tx.postgres:
        return int(tx.value(text("SELECT nextval('feed_batches')")))
    return int(
        tx.value(text("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'feed'), 0) + 1"))
    )


def stamp(tx: WriteTx, batch: int, now: float) -> None:
    """Must be the last statement of its transaction: what follows would be done under the feed lock."""
    if tx.postgres:
        tx.run(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    tx.run(text("INSERT INTO feed (batch, stamped_at) VALUES (:batch, :now)"), {"batch": batch, "now": now})
