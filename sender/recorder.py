"""Writes down how attempts ended, many in one commit, and does not give up easily: after a POST only this
is left between knowing and not knowing.

A database that is away is waited for; what cannot be written within `patience` is left to its lease, which
makes it unknown.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from sender.figures import SenderFigures
from store.database import Database, is_transient
from store.errors import DatabaseAway
from store.outcomes import Ended, record_outcomes

MOST = 500  # outcomes in one commit
PATIENCE = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0

log = structlog.get_logger("sender.recorder")


@dataclass(slots=True)
class _Waiting:
    ended: Ended
    future: asyncio.Future[str | None]


class Recorder:
    """`record` returns once it is durable. Belongs to one event loop; needs no start."""

    def __init__(
        self,
        database: Database,
        figures: SenderFigures,
        *,
        keep_payload: bool = False,
        patience: float = PATIENCE,
        gather: float = 0.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`gather`: seconds to wait for more outcomes before a commit, where nobody waits for the answer."""
        self._gather = gather
        self._database = database
        self._figures = figures
        self._keep_payload = keep_payload
        self._patience = patience
        self._sleep = sleep
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def record(self, ended: Ended) -> str | None:
        """The send's state afterwards; None when it could not be written."""
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(ended, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await future

    async def finish(self) -> None:
        """Return once everything given so far is written or given up."""
        while self._writer is not None and not self._writer.done():
            await asyncio.shield(self._writer)

    async def _write_all(self) -> None:
        while self._waiting:
            if self._gather and len(self._waiting) < MOST:
                await self._sleep(self._gather)
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            states = await self._written([one.ended for one in group])
            for one in group:
                if not one.future.done():
                    one.future.set_result(states.get(one.ended.message_id))

    async def _written(self, ends: list[Ended]) -> dict[str, str]:
        """Their states; without those that could not be written."""
        deadline = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while True:
            try:
                return await asyncio.to_thread(self._write, ends)
            except Exception as problem:
                again = is_transient(problem) or isinstance(problem, DatabaseAway)
                if not again and len(ends) > 1:
                    break  # one of them is bad; it must not take the others along
                if not again or time.monotonic() > deadline:
                    log.error("outcome_not_recorded", error=type(problem).__name__, count=len(ends))
                    self._figures.not_recorded.inc(len(ends))
                    return {}
                log.warning("outcome_waits", error=type(problem).__name__, count=len(ends))
            await self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        states: dict[str, str] = {}
        for one in ends:
            states |= await self._written([one])
        return states

    def _write(self, ends: Sequence[Ended]) -> dict[str, str]:
        started = time.monotonic()
        with self._database.write() as tx:
            states = record_outcomes(tx, ends, keep_payload=self._keep_payload)
        self._figures.record_seconds.observe(time.monotonic() - started)
        self._figures.record_group.observe(len(ends))
        return states
