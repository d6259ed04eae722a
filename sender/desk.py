"""What the HTTP APIs of one process share: one wrapper client, one `Single`, and an orderly end of both."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import SystemRandom
from typing import Any

from sender import intake
from sender.callers import PATIENCE
from sender.figures import SenderFigures
from sender.intake import Taken
from sender.message_id import RANDOM_BYTES, message_id
from sender.reply import Reply
from sender.sent import Sent
from sender.single import Single
from sender.wrapper import Wrapper, WrapperConfig
from store import sends
from store.database import Database, is_transient
from store.errors import DatabaseAway
from store.ledger import Budget
from store.rates import Limits
from store.records import NewSend
from store.sends import Submitted


def _nobody() -> None:
    """No worker in this process waits for messages."""


class Desk:
    """Open it with `async with desk.opened()` in the event loop that serves the requests."""

    def __init__(
        self,
        database: Database,
        wrapper: WrapperConfig | None,
        *,
        clock: Callable[[], float],
        default_country: str | None = None,
        keep_payload: bool = False,
        figures: SenderFigures | None = None,
        limits: Limits | None = None,
        budget: Budget | None = None,
        queued: Callable[[], None] = _nobody,
    ) -> None:
        """`wrapper` None: nothing can be posted, only queued. `queued` is called after a message was."""
        self.database = database
        self.clock = clock
        self.queued = queued
        self._config = wrapper
        self._default_country = default_country
        self._keep_payload = keep_payload
        self._figures = figures or SenderFigures()
        self._limits = limits
        self._budget = budget
        self._wrapper: Wrapper | None = None
        self._single: Single | None = None
        self._under_way: set[asyncio.Task[Any]] = set()

    @property
    def sid(self) -> str | None:
        """Our account at Kaleyra; None when nothing is set up."""
        return self._config.sid if self._config else None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """At the end what is on the wire is waited for, and written down, before connections close."""
        if self._config is None:
            yield
            return
        async with Wrapper(self._config) as wrapper:
            self._wrapper = wrapper
            self._single = Single(
                self.database,
                wrapper,
                clock=self.clock,
                rng=SystemRandom(),
                limits=self._limits,
                keep_payload=self._keep_payload,
                figures=self._figures,
                budget=self._budget,
            )
            try:
                yield
            finally:
                if self._under_way:
                    await asyncio.wait(self._under_way)
                await self._single.recorder.finish()
                self._single = self._wrapper = None

    async def taken(self, body: object, phone_number_id: str, **more: Any) -> Taken:
        """`sender.intake.take` with what this process knows. Raises sender.prepare.Refused, DatabaseAway,
        TooSlow."""
        now = self.clock()
        message = message_id(now, secrets.token_bytes(RANDOM_BYTES))

        def take() -> Taken:
            with self.database.read(patience=PATIENCE) as tx:
                return intake.take(
                    tx,
                    body,
                    phone_number_id=phone_number_id,
                    message_id=message,
                    now=now,
                    default_country=self._default_country,
                    **more,
                )

        return await asyncio.to_thread(take)

    async def send(self, new: NewSend, *, wait_at_most: float) -> Sent:
        """`Single.send`, leaving nothing queued. Raises OverLimit too, and what `queue` raises."""
        assert self._single is not None
        with _Noted(self._under_way):
            return await self._single.send(new, wait_at_most=wait_at_most, reject=True)

    async def pass_through(self, phone_number_id: str, raw: bytes) -> Reply:
        """To the wrapper and back, unchanged and unrecorded: for what is no message."""
        assert self._wrapper is not None
        with _Noted(self._under_way):
            return await self._wrapper.post(phone_number_id, raw)

    async def free_key(self, message_id: str) -> None:
        """See `store.sends.free_key`. What fails here only keeps the key bound."""

        def free() -> None:
            with self.database.write() as tx:
                sends.free_key(tx, message_id)

        try:
            await asyncio.to_thread(free)
        except Exception as problem:
            if not (isinstance(problem, DatabaseAway) or is_transient(problem)):
                raise

    async def queue(self, new: NewSend) -> Submitted:
        """Take it in for `run sender`. Raises IdempotencyConflict, Refused, DatabaseAway, TooSlow."""

        def submit() -> Submitted:
            with self.database.write(patience=PATIENCE) as tx:
                return sends.submit(tx, new, self.clock())

        for tries in range(5):
            try:
                found = await asyncio.to_thread(submit)
                break
            except Exception as problem:
                if tries == 4 or not is_transient(problem):
                    raise
        if found.created:
            self.queued()
        return found


class _Noted:
    """The running task counts as under way inside the block."""

    def __init__(self, tasks: set[asyncio.Task[Any]]) -> None:
        self._tasks = tasks
        self._task = asyncio.current_task()

    def __enter__(self) -> None:
        if self._task is not None:
            self._tasks.add(self._task)

    def __exit__(self, *_ended: object) -> None:
        if self._task is not None:
            self._tasks.discard(self._task)
