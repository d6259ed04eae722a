"""One POST and what follows from it: the outcome decided, the others braked or stopped, the end recorded."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from sender.brakes import Consequences, Posted, error_of
from sender.figures import SenderFigures
from sender.outcome import ErrorInfo, Outcome, outcome_of
from sender.reply import Reply
from sender.retry import next_attempt_at
from sender.wrapper import Moment, SlotMissed, Wrapper
from store.database import is_transient
from store.errors import DatabaseAway
from store.outcomes import TOO_LATE, Claim, Ended, Refusal
from store.records import AttemptEnd

log = structlog.get_logger("sender.attempt")

# Seconds after its slot; then the slot is dropped, never made up. Pacing leaves 30 ms of a second free, so
# what leaves this late does not make the next second fuller than the limit.
MISSED = 0.02
LATEST_START = 0.012  # the same before the request is made, which takes a while on a busy machine
INTERRUPTED = Outcome(
    "unknown", error=ErrorInfo(None, "The request was interrupted before its answer came; it may have left.")
)


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed message at its slot."""

    message_id: str
    phone_number_id: str
    payload: bytes
    attempt: int
    claim: Claim
    expires_at: float
    trials: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    outcome: Outcome
    reply: Reply | None  # None when the call was interrupted
    started_at: float
    ended_at: float


class Poster:
    def __init__(self, wrapper: Wrapper, figures: SenderFigures, clock: Callable[[], float]) -> None:
        self._wrapper = wrapper
        self._figures = figures
        self._clock = clock

    async def post(self, ready: Ready) -> Result:
        """Never raises: a call that is cancelled ended as unknown."""
        posted = await self.post_in(None, ready)
        assert posted is not None
        return posted

    async def post_in(self, moment: Moment | None, ready: Ready) -> Result | None:
        """None when the moment passed before anything left."""
        started_at, began = self._clock(), time.monotonic()
        self._figures.on_the_wire.inc()
        try:
            reply = await self._wrapper.post(ready.phone_number_id, ready.payload, moment=moment)
            outcome = outcome_of(reply, self._clock())
        except SlotMissed:
            return None
        except asyncio.CancelledError:
            reply, outcome = None, INTERRUPTED
        finally:
            self._figures.on_the_wire.dec()
        self._figures.posts.observe(time.monotonic() - began)
        self._figures.attempts.labels(outcome.kind).inc()
        return Result(outcome, reply, started_at, self._clock())


async def follow_up(consequences: Consequences, ready: Ready, result: Result) -> None:
    """Brake or stop the others. What fails here is only a convenience lost, so it is tried a few times."""
    posted = Posted(ready.phone_number_id, result.outcome, result.started_at, result.ended_at, ready.trials)
    if not consequences.any(posted):
        return
    for tries in range(3):
        try:
            await asyncio.to_thread(consequences.write, posted)
            return
        except Exception as problem:  # the outcome has to be recorded, whatever happens here
            if tries == 2 or not (is_transient(problem) or isinstance(problem, DatabaseAway)):
                log.error("consequence_lost", error=type(problem).__name__)
                return
            await asyncio.sleep(0.05)


def ended(ready: Ready, result: Result, jitter: float, *, repeats: bool) -> Ended:
    """What to record. `repeats`: throttled and unreachable are queued again, until the message expires."""
    outcome, now = result.outcome, result.ended_at
    again_at: float | None = None
    gives_up: Refusal | None = None
    if outcome.kind in ("throttled", "unreachable"):
        if not repeats:
            gives_up = Refusal(_who(outcome), error_of(outcome))
        else:
            again_at = next_attempt_at(outcome, ready.attempt, now, jitter)
            if again_at >= ready.expires_at:
                gives_up = Refusal("wamtrail", TOO_LATE)
    end = AttemptEnd(
        outcome=outcome.kind,
        ended_at=now,
        http_status=outcome.http_status,
        wamid=outcome.wamid,
        message_status=outcome.message_status,
        refused_by=outcome.refused_by,
        error=error_of(outcome),
        answer=result.reply.body if result.reply and result.reply.http_status is not None else None,
        again_at=again_at,
    )
    return Ended(ready.message_id, ready.attempt, ready.claim, end, gives_up)


def _who(outcome: Outcome) -> str:
    if outcome.kind == "unreachable":
        return "wamtrail"
    code = outcome.error.code if outcome.error else None
    return "meta" if isinstance(code, int) else "wrapper"


async def first_of(*waits: Awaitable[object]) -> None:
    """Wait for one of them; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in tasks:
            one.cancel()
