"""Sends one message now: row first, wait for its slot, POST, record. The caller waits for what became of it.

Cancelled before the POST, the message is cancelled. Cancelled after, it is recorded as unknown, because the
request may have left; that bookkeeping is done before the cancellation goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import TypeVar

from sender.attempt import MISSED, Poster, Ready, Result, ended, first_of, follow_up
from sender.brakes import Consequences
from sender.database_clock import DatabaseClock
from sender.figures import SenderFigures
from sender.recorder import Recorder
from sender.sent import LEFT_OPEN, LIMIT_CODES, OVER, Sent, load, of_outcome
from sender.wrapper import Wrapper
from store import claims, placing, sends
from store.claims import OverLimit, Placed
from store.database import Database, WriteTx, is_transient
from store.errors import DatabaseAway
from store.ledger import Budget
from store.outcomes import error_json
from store.placing import Asked
from store.rates import Limits
from store.records import NewSend

LEASE_BEYOND_TIMEOUT = 45.0  # seconds; recording an outcome may have to wait for the database
EARLY = 0.05  # seconds before its slot a waiting message is claimed, and what its commits were seen to need
MOST_MISSES = 5
POLL = 0.05

T = TypeVar("T")


class Single:
    """Keep one for the life of a process: it shares commits, brakes and the measured clock."""

    def __init__(
        self,
        database: Database,
        wrapper: Wrapper,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: Random,
        limits: Limits | None = None,
        keep_payload: bool = False,
        figures: SenderFigures | None = None,
        budget: Budget | None = None,
    ) -> None:
        """`budget` None: the balance is not asked."""
        self.database, self.wrapper = database, wrapper
        self.clock, self.sleep, self.rng = clock, sleep, rng
        self.limits = limits or Limits()
        self.keep_payload = keep_payload
        self.budget = budget
        self.figures = figures or SenderFigures()
        self.recorder = Recorder(database, self.figures, keep_payload=keep_payload)
        self.consequences = Consequences(database, self.figures, clock)
        self.poster = Poster(wrapper, self.figures, clock)
        self.there = DatabaseClock(database, clock)

    async def send(
        self, new: NewSend, *, wait_at_most: float, reject: bool = False, by_hand: bool = False
    ) -> Sent:
        """Send, or say why not yet.

        `wait_at_most`: seconds to wait for the limits; beyond them the message stays queued, or with `reject`
        nothing is taken in and OverLimit is raised. With `reject` nothing is ever left for `run sender`.
        Raises IdempotencyConflict, DatabaseAway.
        """
        sending = _Sending(self, new, wait_at_most, reject=reject, by_hand=by_hand)
        work = asyncio.create_task(sending.run())
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            sending.interrupt()
            await asyncio.wait([work])
            raise


async def send_now(
    database: Database,
    wrapper: Wrapper,
    new: NewSend,
    *,
    wait_at_most: float,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    rng: Random,
    keep_payload: bool = False,
    limits: Limits | None = None,
    reject: bool = False,
    by_hand: bool = True,
    budget: Budget | None = None,
) -> Sent:
    """`Single.send` for a process that sends one message."""
    single = Single(
        database,
        wrapper,
        clock=clock,
        sleep=sleep,
        rng=rng,
        limits=limits,
        keep_payload=keep_payload,
        budget=budget,
    )
    return await single.send(new, wait_at_most=wait_at_most, reject=reject, by_hand=by_hand)


class _Sending:
    """One message on its way."""

    def __init__(
        self, single: Single, new: NewSend, wait_at_most: float, *, reject: bool, by_hand: bool
    ) -> None:
        self._single = single
        self._new = new
        self._until = single.clock() + wait_at_most
        self._reject, self._by_hand = reject, by_hand
        self._lead = 0.0
        self._interrupted = asyncio.Event()
        self._posting: asyncio.Task[Result] | None = None
        self._taken_in: Placed | None = None  # also when its commit was cut off: it may have happened

    def interrupt(self) -> None:
        self._interrupted.set()
        if self._posting is not None:
            self._posting.cancel()

    async def run(self) -> Sent:
        """DatabaseAway only when nothing was left behind that could still be sent, now or later."""
        await asyncio.to_thread(self._single.there.measure)
        try:
            placed = await self._write(self._take_in)
        except DatabaseAway:
            if self._taken_in is None or self._taken_in.kind in ("claimed", "repeat"):
                raise
            return self._open()
        try:
            return await self._go_on(placed)
        except DatabaseAway:
            if placed.kind == "repeat":
                raise
            return self._open()

    def _open(self) -> Sent:
        return Sent(self._new.message_id, "unknown", LEFT_OPEN)

    def _take_in(self, tx: WriteTx) -> Placed:
        self._taken_in = None
        self._taken_in = claims.submit_claimed(tx, self._new, self._single.clock(), self._asked())
        return self._taken_in

    async def _go_on(self, placed: Placed) -> Sent:
        misses = 0
        while True:
            if placed.kind == "repeat":
                return await self._somebody_elses(placed, created=False)
            if placed.kind in ("gone", "late", "unpaid"):
                return await self._somebody_elses(placed, created=True)
            if placed.kind == "queued":
                return await self._left_waiting(placed)
            early = EARLY + self._lead if placed.kind == "waiting" else 0.0
            await self._pause(self._single.there.here(placed.slot) - early)
            if self._interrupted.is_set():
                return await self._cancelled(placed)
            if placed.kind == "claimed" and self._late(placed) <= MISSED:
                return await self._post(placed)
            if placed.kind == "claimed":
                misses += 1
                self._single.figures.missed.inc()
                self._learn(self._late(placed))
            placed = await self._write(lambda tx, before=placed: self._again(tx, before))  # type: ignore[misc]
            if misses >= MOST_MISSES and placed.kind == "claimed" and not self._interrupted.is_set():
                return await self._post(placed)  # this machine is too slow to be too fast

    def _late(self, placed: Placed) -> float:
        return self._single.clock() - self._single.there.here(placed.slot)

    def _again(self, tx: WriteTx, before: Placed) -> Placed:
        held = before if before.kind == "waiting" else None
        if before.claim is not None:
            sends.give_back(tx, before.message_id, before.claim)
        placed = claims.claim_one(tx, before.message_id, self._single.clock(), self._asked(), held)
        self._learn(placed.at - held.slot if held else 0.0)  # seconds after its slot, which is lost then
        return placed

    def _learn(self, late: float) -> None:
        self._lead = min(self._lead + 2 * max(late, 0.0), 1.0)

    def _asked(self) -> Asked:
        single = self._single
        return Asked(
            claim_id=f"{single.rng.getrandbits(128):032x}",
            lease=single.wrapper.timeout + LEASE_BEYOND_TIMEOUT,
            wait_at_most=max(self._until - single.clock(), 0.0),
            limits=single.limits,
            reject=self._reject,
            by_hand=self._by_hand,
            lead=self._lead,
            budget=single.budget,
            keep_payload=single.keep_payload,
        )

    async def _post(self, placed: Placed) -> Sent:
        single, new = self._single, self._new
        assert placed.claim is not None
        ready = Ready(
            new.message_id,
            new.phone_number_id,
            new.payload,
            placed.attempt,
            placed.claim,
            new.expires_at,
            placed.trials,
        )
        single.figures.waits.observe(max(placed.slot - placed.at, 0.0))
        self._posting = asyncio.create_task(single.poster.post(ready))
        result = await self._posting
        await follow_up(single.consequences, ready, result)
        end = ended(ready, result, single.rng.random(), repeats=not self._reject)
        state = await single.recorder.record(end)
        if state is None:  # its lease will make it unknown, whatever we have just heard
            state = "accepted" if result.outcome.kind == "accepted" else "unknown"
        answer = result.reply.body if result.reply else b""
        if state == "accepted" and result.outcome.kind != "accepted":
            return await self._read(created=True)  # a status was faster
        by = end.gives_up.by if end.gives_up else result.outcome.refused_by
        return of_outcome(new.message_id, state, result.outcome, answer, end.end.again_at, by)

    async def _left_waiting(self, placed: Placed) -> Sent:
        if self._reject:
            error = error_json(OVER, code=LIMIT_CODES.get(placed.why or ""))
            await self._write(lambda tx: placing.refuse(tx, [placed.message_id], placed.at, error))
        found = await self._read(created=True)
        slot = self._single.there.here(placed.slot) if placed.slot else None
        said = f"{found.sentence} Sending is held: {placed.reason}" if placed.reason else found.sentence
        return replace(found, why=placed.why, again_at=slot, sentence=said)

    async def _somebody_elses(self, placed: Placed, *, created: bool) -> Sent:
        """Wait for what becomes of a message that another process, or an earlier request, is sending."""
        end = self._single.clock() + self._single.wrapper.timeout
        while True:
            over = self._interrupted.is_set() or self._single.clock() >= end
            found = await self._read(created=created, message_id=placed.message_id)
            if over or found.state not in ("queued", "sending"):
                return found
            await self._pause(self._single.clock() + POLL)

    async def _cancelled(self, placed: Placed) -> Sent:
        def undo(tx: WriteTx) -> None:
            if placed.claim is not None:
                sends.give_back(tx, placed.message_id, placed.claim)
            keep = self._single.keep_payload
            sends.cancel(tx, placed.message_id, self._single.clock(), keep_payload=keep)

        await self._write(undo)
        return await self._read(created=True)

    async def _pause(self, until: float) -> None:
        """Wait, but not longer than until somebody interrupts."""
        seconds = until - self._single.clock()
        if seconds > 0 and not self._interrupted.is_set():
            await first_of(self._single.sleep(seconds), self._interrupted.wait())

    async def _read(self, *, created: bool, message_id: str | None = None) -> Sent:
        def read() -> Sent:
            with self._single.database.read() as tx:
                return load(tx, message_id or self._new.message_id, created=created)

        return await asyncio.to_thread(read)

    async def _write(self, verb: Callable[[WriteTx], T]) -> T:
        """One transaction, again when it lost a race for locks."""

        def write() -> T:
            with self._single.database.write() as tx:
                return verb(tx)

        for tries in range(5):
            try:
                return await asyncio.to_thread(write)
            except Exception as problem:
                if tries == 4 or not is_transient(problem):
                    raise
            await self._single.sleep(0.01 * self._single.rng.random())
        raise AssertionError("the loop returns or raises")


__all__ = ["OverLimit", "Single", "send_now"]
