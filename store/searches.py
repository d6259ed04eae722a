"""Searches that name a person, kept for a day: the address bar holds their random id and nothing else.

A row rather than a sealed token: it works without WAMTRAIL_SECRET_KEY, ends with the day, belongs to one
user, and goes when the person is erased.
"""

from sqlalchemy import text

from store.database import ReadTx, WriteTx

KEPT = 86_400.0  # seconds


def keep(tx: WriteTx, search_id: str, user_id: str, query: str, now: float) -> None:
    """`search_id`: random, made by the caller. What is past its day goes at the same time."""
    forget_old(tx, now)
    tx.run(
        text("INSERT INTO searches (search_id, user_id, query, at) VALUES (:id, :user, :query, :now)"),
        {"id": search_id, "user": user_id, "query": query, "now": now},
    )


def forget_old(tx: WriteTx, now: float) -> int:
    """What is past its day."""
    return tx.run(text("DELETE FROM searches WHERE at < :old"), {"old": now - KEPT})


def find(tx: ReadTx, search_id: str, user_id: str, now: float) -> str | None:
    """The query, for whoever asked it, within the day."""
    found: str | None = tx.value(
        text("SELECT query FROM searches WHERE search_id = :id AND user_id = :user AND at >= :old"),
        {"id": search_id, "user": user_id, "old": now - KEPT},
    )
    return found


def count(tx: ReadTx) -> int:
    return int(tx.value(text("SELECT count(*) FROM searches")) or 0)


def forget(tx: WriteTx) -> int:
    """All of them: part of erasing a person, since a query can hold a number in any spelling."""
    return tx.run(text("DELETE FROM searches"))
