"""Gives back claims that were not posted, those of one moment in one transaction."""

import asyncio
from collections import defaultdict

import structlog

from sender.figures import SenderFigures
from store.database import Database, is_transient
from store.errors import DatabaseAway
from store.outcomes import Claim
from store.sends import give_back_all

TRIES = 8
_FIRST_PAUSE = 0.02

log = structlog.get_logger("sender.returns")


class Returns:
    """What cannot be given back (the database is away) is left to its lease: unknown, though never posted."""

    def __init__(self, database: Database, figures: SenderFigures) -> None:
        self._database = database
        self._figures = figures
        self._waiting: dict[str, list[str]] = defaultdict(list)
        self._writer: asyncio.Task[None] | None = None

    async def give_back(self, message_id: str, claim: Claim) -> None:
        """Returns at once; `finish` waits."""
        self._waiting[claim.claim_id].append(message_id)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())

    async def finish(self) -> None:
        while self._writer is not None and not self._writer.done():
            await asyncio.shield(self._writer)

    async def _write_all(self) -> None:
        await asyncio.sleep(0)  # the others of this moment
        while self._waiting:
            group, self._waiting = self._waiting, defaultdict(list)
            await self._written(group)

    async def _written(self, group: dict[str, list[str]]) -> None:
        pause = _FIRST_PAUSE
        for tries in range(TRIES):
            try:
                await asyncio.to_thread(self._write, group)
                return
            except Exception as problem:
                again = is_transient(problem) or isinstance(problem, DatabaseAway)
                if not again or tries == TRIES - 1:
                    log.error("claims_not_given_back", error=type(problem).__name__)
                    self._figures.failures.labels("give_back").inc()
                    return
            await asyncio.sleep(pause)
            pause *= 2

    def _write(self, group: dict[str, list[str]]) -> None:
        with self._database.write() as tx:
            for claim_id in sorted(group):
                give_back_all(tx, group[claim_id], claim_id)
