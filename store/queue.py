"""How the sending stands, for figures and `doctor`: what waits, what is open, what is held."""

from dataclasses import dataclass

from sqlalchemy import text

from store.database import ReadTx

MOST = 100_000  # rows counted at most, so that a scrape costs the same whatever happened


@dataclass(frozen=True, slots=True)
class Queue:
    waiting: int
    sending: int
    unknown: int
    oldest_due_at: float | None  # of what is due; Unix seconds
    sent_twice: int
    held_numbers: int
    account_held: bool


def queue(tx: ReadTx, now: float) -> Queue:
    held = tx.all(text("SELECT phone_number_id FROM numbers WHERE paused_until > :now"), {"now": now})
    names = {row.phone_number_id for row in held}
    return Queue(
        waiting=_count(tx, "sends WHERE state = 'queued'"),
        sending=_count(tx, "sends WHERE state = 'sending'"),
        unknown=_count(tx, "sends WHERE state = 'unknown'"),
        oldest_due_at=_oldest(tx, now),
        sent_twice=_count(tx, "sent_twice"),
        held_numbers=len(names - {""}),
        account_held="" in names,
    )


def _count(tx: ReadTx, rows: str) -> int:
    statement = f"SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT :most) AS counted"
    return int(tx.value(text(statement), {"most": MOST}) or 0)


def _oldest(tx: ReadTx, now: float) -> float | None:
    inner = "SELECT due_at FROM sends WHERE state = 'queued' LIMIT :most"
    statement = f"SELECT min(due_at) FROM ({inner}) AS counted WHERE due_at <= :now"
    found = tx.value(text(statement), {"most": MOST, "now": now})
    return None if found is None else float(found)
