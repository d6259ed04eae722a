"""Sends what is queued, as one of any number of workers on one database.

It claims what may leave within the next 50 ms, posts each message at its slot, and records the outcomes in
groups. Nothing is open across a POST. A slot missed by more than 20 ms is dropped: its message goes back and
takes a new one. Whatever dies with its process becomes unknown when its lease ends, never queued.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import structlog

from sender import upkeep
from sender.attempt import LATEST_START, MISSED, Poster, Ready, Result, ended, follow_up
from sender.brakes import Consequences
from sender.database_clock import DatabaseClock
from sender.figures import SenderFigures
from sender.guard import Guard
from sender.recorder import Recorder
from sender.returns import Returns
from sender.wrapper import Moment, Wrapper
from store import claims
from store.claims import Claimed, Claims, Hunt
from store.database import Database, is_transient
from store.errors import DatabaseAway
from store.ledger import Budget
from store.rates import Limits

HORIZON = 0.05  # seconds; no claim takes more than leaves within them
CADENCE = 0.025  # seconds from one claim that found something to the next
IDLE_FIRST, IDLE_LONGEST = 0.02, 0.25
GATHER = 0.02  # seconds for which outcomes are gathered into one commit
AWAY = 1.0  # seconds until a database that is away is asked again
LEASE_BEYOND_TIMEOUT = 45.0
LONGEST_LEAD = 0.04
SLOW = 0.005  # seconds of a claim, from which on slots are planned later
UNRECORDED = 4  # times the wrapper's capacity may wait to be recorded, before no more is claimed

log = structlog.get_logger("sender.worker")


class Worker:
    """`await run()` until `stop()`. Belongs to one event loop."""

    def __init__(
        self,
        database: Database,
        wrapper: Wrapper,
        *,
        clock: Callable[[], float],
        rng: Random,
        figures: SenderFigures | None = None,
        limits: Limits | None = None,
        keep_payload: bool = False,
        state_dir: Path | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._database, self._wrapper = database, wrapper
        self._clock, self._rng = clock, rng
        self._figures = figures or SenderFigures()
        self._limits = limits or Limits()
        self._keep_payload = keep_payload
        self._budget = budget
        self._recorder = Recorder(database, self._figures, keep_payload=keep_payload, gather=GATHER)
        self._returns = Returns(database, self._figures)
        self._consequences = Consequences(database, self._figures, clock)
        self._poster = Poster(wrapper, self._figures, clock)
        self._there = DatabaseClock(database, clock)
        self._guard = Guard(state_dir)
        self._upkeep = upkeep.Upkeep(
            database,
            self._guard,
            self._figures,
            clock,
            keep_payload=keep_payload,
            name=f"{rng.getrandbits(128):032x}",
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._to_post = 0  # of them, those that have not come to the end of their POST
        self._late: Counter[str] = Counter()  # messages a number that left late, since the last claim
        self._served = ""
        self._lead = 0.0
        self._stopping = asyncio.Event()
        self._awake = asyncio.Event()

    def stop(self) -> None:
        """Take nothing more; `run` returns when what is on the wire has ended. Call it in the event loop."""
        self._stopping.set()
        self._awake.set()

    def wake(self) -> None:
        """Something was queued in this process. Call it in the event loop."""
        self._awake.set()

    async def run(self) -> None:
        """Send until stopped. A cancellation stops it in order; it ends bounded by the wrapper's timeout."""
        work = asyncio.create_task(self._run())
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            self.stop()
            await asyncio.wait([work])
            raise

    async def _run(self) -> None:
        idle = IDLE_FIRST
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                found = await self._claim_guarded(look_first=idle > IDLE_FIRST)
                if found is None:
                    await self._rest(AWAY)
                elif found.claimed or found.put_off or found.expired or found.unpaid:
                    self._start(found)
                    idle = IDLE_FIRST
                    await self._rest(max(began + CADENCE - time.monotonic(), 0.0))
                else:
                    await self._rest(idle)
                    idle = min(idle * 2, IDLE_LONGEST)
        finally:
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self._returns.finish()
            await self._recorder.finish()
            await asyncio.to_thread(self._upkeep.last)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._awake.wait(), seconds)
        except TimeoutError:
            return
        if not self._stopping.is_set():
            self._awake.clear()

    async def _claim_guarded(self, *, look_first: bool) -> Claims | None:
        """None: the database does not work now."""
        try:
            late, self._late = self._late, Counter()
            return await asyncio.to_thread(self._claim, look_first, late)
        except DatabaseAway as problem:
            self._figures.failures.labels("away").inc()
            log.warning("database_away", sentence=str(problem))
        except Exception as problem:
            if is_transient(problem):
                self._figures.failures.labels("again").inc()
                return Claims((), self._clock())
            self._figures.failures.labels("error").inc()
            log.error("claim_failed", error=type(problem).__name__, exc_info=True)
        return None

    def _claim(self, look_first: bool, late: Counter[str]) -> Claims:
        """In a thread. The database that is claimed from is the one that is known, or nothing is claimed."""
        self._there.measure()
        self._upkeep.when_due()
        now = self._clock()
        room = self._wrapper.capacity - self._to_post
        room = min(room, UNRECORDED * self._wrapper.capacity - len(self._tasks))
        if room < 1:
            return Claims((), now)
        if look_first:
            with self._database.read() as reading:
                if not claims.due_numbers(reading, now):
                    return Claims((), now)
        hunt = Hunt(
            claim_id=f"{self._rng.getrandbits(128):032x}",
            lease=self._wrapper.timeout + LEASE_BEYOND_TIMEOUT,
            room=room,
            limits=self._limits,
            horizon=HORIZON,
            keep_payload=self._keep_payload,
            lead=self._lead,
            budget=self._budget,
            late=late,
        )
        began = time.monotonic()
        with self._database.write() as tx:
            seen = self._guard.found(tx)
            trusted = self._guard.trusts(tx, seen)
            if trusted:
                found = claims.claim_due(tx, now, hunt, after=self._served)
            else:
                self._guard.hold(tx, now)
                found = Claims((), now)
        took = time.monotonic() - began
        if not trusted:
            self._guard.remember(seen)
        self._figures.claim_seconds.observe(took)
        # A commit that is slow for good must not make every slot a missed one.
        self._lead = min(0.9 * self._lead + 0.1 * took, LONGEST_LEAD) if took > SLOW else 0.9 * self._lead
        return found

    def _start(self, found: Claims) -> None:
        self._figures.put_off.inc(found.put_off)
        self._figures.too_late.inc(found.expired)
        self._figures.unpaid.inc(found.unpaid)
        for one in found.claimed:
            self._served = one.phone_number_id
            self._figures.waits.observe(max(one.slot - found.at, 0.0))
            self._to_post += 1
            task = asyncio.create_task(self._send(one))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, one: Claimed) -> None:
        try:
            posted = await self._post(one)
        finally:
            self._to_post -= 1
        if posted is None:
            await self._returns.give_back(one.message_id, one.claim)
            return
        ready, result = posted
        await follow_up(self._consequences, ready, result)
        await self._recorder.record(ended(ready, result, self._rng.random(), repeats=True))

    async def _post(self, one: Claimed) -> tuple[Ready, Result] | None:
        """At its slot; None when that was missed, or it is time to stop."""
        slot = self._there.here(one.slot)
        wait = slot - self._clock()
        if wait > 0:
            await asyncio.sleep(wait)
        late = self._clock() - slot
        if late > LATEST_START or self._stopping.is_set():
            self._figures.missed.inc(int(late > LATEST_START))
            return None
        moment = Moment(time.monotonic() + MISSED - late, lambda: self._left_late(one.phone_number_id))
        ready = Ready(
            one.message_id,
            one.phone_number_id,
            one.payload,
            one.attempt,
            one.claim,
            one.expires_at,
            one.trials,
        )
        result = await self._poster.post_in(moment, ready)
        if result is None:
            self._figures.missed.inc()
            return None
        return ready, result

    def _left_late(self, phone_number_id: str) -> None:
        """It leaves in the room of the next ones, so these have to make room: see `Hunt.late`."""
        self._late[phone_number_id] += 1
