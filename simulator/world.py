"""What the simulated Kaleyra and Meta know: who sent what, how it was answered, what is to be reported."""

import asyncio
import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from simulator import identities
from simulator.courier import Courier
from simulator.fates import DELIVERED, Fate, drawn_fate, fixed_fate
from simulator.lanes import Lanes, Waiting
from simulator.payload import Message
from simulator.plan import Plan, Planned, plan
from simulator.request import Send
from simulator.scenario import Scenario


@dataclass(slots=True)
class Post:
    """One request that reached the wrapper. `status` stays None when no answer left it."""

    at: float
    phone_number_id: str
    to: str | None = None
    callback_data: str | None = None
    status: int | None = None
    outcome: str = "unread"
    wamid: str | None = None


class World:
    """The state of one running simulator; one event loop only."""

    def __init__(
        self,
        scenario: Scenario,
        clock: Callable[[], float] = time.time,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scenario, self.clock, self._now = scenario, clock, now
        self.courier = Courier(scenario, clock)
        self.lanes = Lanes(scenario, self.courier, clock, now)
        self.stopping = asyncio.Event()
        self.messages: deque[Message] = deque(maxlen=scenario.remember)
        self.posts: deque[Post] = deque(maxlen=scenario.remember)
        self.posts_by_callback_data: Counter[str] = Counter()
        self.taken_by_callback_data: Counter[str] = Counter()
        self._taken = 0
        self._promised = 0  # taken, but not launched yet
        self._tries: Counter[bytes] = Counter()
        self._recent: dict[str, deque[float]] = {}
        # One source of chance a concern: what one draws does not shift what another draws.
        self._wamids, self._fates, self.traces, self._closings, self.challenges = (
            Random(f"{scenario.seed}/{concern}")  # noqa: S311  plays, guards nothing
            for concern in ("wamids", "fates", "traces", "closings", "challenges")
        )

    @property
    def idle(self) -> bool:
        """True when all that was taken is reported: the callback said 200, or was tried often enough."""
        return self._promised == 0 and self.lanes.idle

    def saw(self, phone_number_id: str) -> Post:
        """Note that somebody posts for this number."""
        post = Post(self.clock(), phone_number_id)
        self.posts.append(post)
        return post

    def closes_unread(self) -> bool:
        """Is this one of the connections that are closed before the body is read?"""
        return self._closings.random() < self.scenario.unread_share

    def over_rate(self, phone_number_id: str) -> bool:
        """Has this number used up its sends of the last second? If not, this send counts."""
        if self.scenario.rate_limit is None:
            return False
        now, recent = self._now(), self._recent.setdefault(phone_number_id, deque())
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= self.scenario.rate_limit:
            return True
        recent.append(now)
        return False

    def tries(self, phone_number_id: str, raw: bytes) -> int:
        """How often this very body was posted for this number, this time counted."""
        key = hashlib.sha256(phone_number_id.encode() + b"\n" + raw).digest()
        self._tries[key] += 1
        return self._tries[key]

    def fate_of(self, send: Send) -> tuple[Fate, bool]:
        """The fate of a send, and whether its recipient fixes it."""
        fixed = fixed_fate(send.to)
        if fixed is not None:
            return fixed, True
        return drawn_fate(self.scenario, send.type, self._fates, send.kind == "group"), False

    def take(self, phone_number_id: str, send: Send, fate: Fate, fixed: bool) -> tuple[Message, Plan]:
        """Meta takes the message: it has a wamid and a plan from now on."""
        scenario = self.scenario
        wamid = identities.wamid(send.recipient, self._wamids)
        message = Message(wamid, phone_number_id, send, fate, self.clock(), scenario.seed)
        self.messages.append(message)
        self._promised += 1
        if send.callback_data is not None:
            self.taken_by_callback_data[send.callback_data] += 1
        members: tuple[str, ...] = ()
        if send.kind == "group":
            members = identities.participants(scenario.seed, send.recipient, scenario.group_size)
        chance = Random(f"{scenario.seed}/reports/{wamid}")  # noqa: S311
        return message, plan(send, fate, fixed, members, scenario, chance)

    def launch(self, message: Message, planned: Plan) -> asyncio.Event:
        """Let the reports of a message go their way. The event is set when the first was posted."""
        number, delay = self._taken, self.scenario.status_delay
        self._taken += 1
        self._promised -= 1
        first = asyncio.Event()
        for position, report in enumerate(planned.reports):
            happens_at = message.accepted_at + report.happens * delay
            posted = first if position == 0 else asyncio.Event()
            self.lanes.add(number, report.posted * delay, Waiting(message, report, happens_at, posted))
        if planned.stranger:
            self._launch_stranger(number, message)
        return first

    def _launch_stranger(self, number: int, beside: Message) -> None:
        chance = Random(f"{self.scenario.seed}/strangers/{beside.wamid}")  # noqa: S311
        digits = identities.stranger(chance)
        body: dict[str, Any] = {"type": "text", "text": {"body": ""}}
        send = Send(digits, digits, "person", "text", None, body)
        wamid = identities.wamid(digits, chance)
        fate = Fate("nobody here sent this", steps=(DELIVERED,))
        message = Message(wamid, beside.phone_number_id, send, fate, beside.accepted_at, self.scenario.seed)
        waiting = Waiting(message, Planned(DELIVERED, 0, 0, priced=True), beside.accepted_at, asyncio.Event())
        self.lanes.add(number, 0.0, waiting)
