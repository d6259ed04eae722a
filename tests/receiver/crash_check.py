"""After a crash: is everything that was answered 200 in the tables, and is nothing half there?"""

import asyncio
import time
from dataclasses import dataclass

from crash_load import Load
from sqlalchemy import text

from store.database import Database
from store.verify import verify

PATIENCE = 30.0  # seconds for a backlog to be worked off


@dataclass(frozen=True, slots=True)
class Found:
    """What a check counted; the last four must be 0 and True."""

    webhooks: int
    acknowledged: int
    lost: int  # bodies that were answered 200 and of which something is missing
    half: int  # bodies of which some statuses are there and some are not
    left_over: int  # markers that nobody works off, and processing that gave up
    verified: bool

    @property
    def good(self) -> bool:
        return not (self.lost or self.half or self.left_over) and self.verified


async def drained(database: Database) -> None:
    """Wait until the receiver's processor has worked off everything."""
    deadline = time.monotonic() + PATIENCE
    while await asyncio.to_thread(_count, database, "webhook_backlog"):
        if time.monotonic() > deadline:
            return  # the check will say so
        await asyncio.sleep(0.05)


def check(database: Database, load: Load, *, fold: bool = True) -> Found:
    """`fold`: recompute every message from its updates, too; that takes a while when there are many."""
    with database.read() as tx:
        rows = tx.all(text("SELECT wamid, status, occurred_at FROM status_updates"))
        told = {(row.wamid, row.status, row.occurred_at) for row in rows}
        messages = {row.wamid for row in tx.all(text("SELECT wamid FROM messages"))}
    lost = half = 0
    for number, body in load.posted.items():
        there = sum(said in told and said[0] in messages for said in body.said)
        half += 0 < there < len(body.said)
        lost += number in load.acknowledged and there < len(body.said)
    given_up = _count(database, "quarantine") + _count(database, "webhook_backlog")
    return Found(
        _count(database, "webhooks"),
        len(load.acknowledged),
        lost,
        half,
        given_up,
        not fold or verify(database).good,
    )


def _count(database: Database, table: str) -> int:
    with database.read() as tx:
        return int(tx.value(text(f"SELECT count(*) FROM {table}")))
