"""Decides when each webhook leaves: several lanes side by side, in order within a lane.

All reports of one message go through one lane, so that they arrive as planned; different messages
overtake each other, as at Meta. What is not answered 200 goes back into its lane with a growing wait.
"""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from simulator.courier import AT_ONCE, Courier, Webhook
from simulator.payload import Message, Report, envelope, report
from simulator.plan import Planned
from simulator.scenario import Scenario

LONGEST_WAIT = 60.0
SOON = 1.0  # the longest wait before a repeated webhook


@dataclass(eq=False, slots=True)
class Waiting:
    """A report that waits for its moment. `posted` is set once its webhook was tried."""

    message: Message
    planned: Planned
    happens_at: float
    posted: asyncio.Event


@dataclass(eq=False, slots=True)
class Again:
    """A webhook that is posted once more: a repeat, or a new try."""

    webhook: Webhook


Entry = Waiting | Again


class _Lane:
    def __init__(self) -> None:
        self.heap: list[tuple[float, int, Entry]] = []
        self.wake = asyncio.Event()


class Lanes:
    """The outgoing side. `now` is the monotonic time of waiting, `clock` the time that Meta writes."""

    def __init__(
        self, scenario: Scenario, courier: Courier, clock: Callable[[], float], now: Callable[[], float]
    ) -> None:
        self._scenario, self._courier, self._clock, self._now = scenario, courier, clock, now
        self._lanes = [_Lane() for _ in range(AT_ONCE)]
        self._order = count()
        self._pending = 0

    @property
    def idle(self) -> bool:
        """True when nothing waits, is under way, or is to be tried again."""
        return self._pending == 0

    def add(self, number: int, wait: float, entry: Entry) -> None:
        """Put an entry into the lane of the message with this number, to leave after `wait` seconds."""
        self._push(self._lanes[number // self._scenario.batch % AT_ONCE], wait, entry)

    def release(self) -> int:
        """Let everything that waits leave now, in the order it would have left. Gives how many there were."""
        released = 0
        for lane in self._lanes:
            lane.heap = [(0.0, next(self._order), entry) for _, _, entry in sorted(lane.heap)]
            lane.wake.set()
            released += len(lane.heap)
        return released

    async def run(self) -> None:
        """Carry webhooks until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(self._drive(lane))

    def _push(self, lane: _Lane, wait: float, entry: Entry) -> None:
        self._pending += 1
        heapq.heappush(lane.heap, (self._now() + wait, next(self._order), entry))
        lane.wake.set()

    async def _drive(self, lane: _Lane) -> None:
        while True:
            lane.wake.clear()
            wait = lane.heap[0][0] - self._now() if lane.heap else None
            if wait is not None and wait <= 0:
                await self._leave(lane)
                continue
            try:
                await asyncio.wait_for(lane.wake.wait(), wait)
            except TimeoutError:
                continue

    async def _leave(self, lane: _Lane) -> None:
        first = heapq.heappop(lane.heap)[2]
        if isinstance(first, Again):
            await self._carry(lane, first.webhook, ())
            self._pending -= 1
            return
        together = self._gather(lane, first)
        now = self._clock()
        reports = [report(w.message, w.planned, int(min(w.happens_at, now))) for w in together]
        webhook = self._courier.webhook(self._enveloped(reports))
        copies = max(waiting.planned.copies for waiting in together) - 1
        await self._carry(lane, webhook, together)
        for _ in range(copies):
            again = Again(self._courier.webhook(webhook.body))
            self._push(lane, min(self._scenario.status_delay, SOON), again)
        self._pending -= len(together)

    def _gather(self, lane: _Lane, first: Waiting) -> list[Waiting]:
        together = [first]
        while lane.heap and len(together) < self._scenario.batch and not first.planned.members:
            due, _, entry = lane.heap[0]
            if due > self._now() or isinstance(entry, Again) or entry.planned.members:
                break
            together.append(entry)
            heapq.heappop(lane.heap)
        return together

    def _enveloped(self, reports: list[Report]) -> bytes:
        return envelope(self._scenario.waba_id, reports)

    async def _carry(self, lane: _Lane, webhook: Webhook, together: tuple[()] | list[Waiting]) -> None:
        settled = await self._courier.carry(webhook)
        for waiting in together:
            waiting.posted.set()
        if not settled and webhook.attempts <= self._scenario.retry:
            wait = min(self._scenario.retry_after * 2 ** (webhook.attempts - 1), LONGEST_WAIT)
            self._push(lane, wait, Again(webhook))
