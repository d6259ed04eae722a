"""One step of a follower of the feed: look while reading, then write what differs in a short transaction.

What was looked at counts only while nobody else has moved the position meanwhile, so several processes may
follow under one name. A message that changes after the look is named by the feed again, at a later position.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import text

from store import followers
from store.database import Database, ReadTx, WriteTx

Seen = TypeVar("Seen")
BATCHES = 16  # of the feed in one step
BATCHES_SQLITE = 4  # its writer's turn is the door's as well


def step(
    database: Database,
    name: str,
    look: Callable[[ReadTx, Sequence[str]], Seen],
    write: Callable[[WriteTx, Seen], None],
    batches: int | None = None,
) -> bool:
    """Take in the next news; whether there was any."""
    most = batches or (BATCHES_SQLITE if database.sqlite else BATCHES)
    with database.read() as tx:
        before = followers.position(tx, name)
        news = followers.news(tx, before, most)
        if news.position == before:
            return False
        seen = look(tx, news.wamids)
    with database.write() as tx:
        if moved(tx, name, before, news.position):
            write(tx, seen)
    return True


def moved(tx: WriteTx, name: str, before: int, after: int) -> bool:
    """Move on from `before`, which locks the place; False when somebody else was faster."""
    tx.run(
        text("INSERT INTO followers (name, position) VALUES (:name, 0) ON CONFLICT (name) DO NOTHING"),
        {"name": name},
    )
    statement = "UPDATE followers SET position = :after WHERE name = :name AND position = :before"
    return bool(tx.run(text(statement), {"name": name, "before": before, "after": after}))


def step_back(tx: WriteTx, names: Iterable[str]) -> None:
    """For whoever changes messages without news of them in the feed, before they look at them themselves.

    A follower that is between its look and its write finds the position moved, writes nothing and looks
    again; the batch that it reads twice changes nothing.
    """
    statement = (
        "INSERT INTO followers (name, position) VALUES (:name, -1) ON CONFLICT (name) DO UPDATE"
        " SET position = followers.position - 1"
    )
    for name in sorted(names):
        tx.run(text(statement), {"name": name})
