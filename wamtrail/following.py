"""What follows the feed in the background of a processor: work lists, search, figures.

Each follower is a name and a step that takes in some news and says whether there was any. A step that fails
is tried again later; nothing of what it read gets into the log.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from store import open_messages, search_follow
from store.database import Database, is_transient
from store.errors import DatabaseAway

IDLE = 1.0  # seconds until it looks again after there was no news
LONGEST = 30.0  # seconds between tries of a step that keeps failing
GENTLE = 1.0  # rests this many times as long as a step with news took, so that others get their turn

log = structlog.get_logger("wamtrail.following")
Step = Callable[[Database], bool]


@dataclass(frozen=True, slots=True)
class Follower:
    name: str
    step: Step


# What every processor follows; one more is one more line.
EVERY = (
    Follower("work", open_messages.step),
    Follower("search", search_follow.step),
)


def background(
    database: Database, followers: Sequence[Follower]
) -> Callable[[asyncio.Event], Awaitable[None]]:
    """A background task that keeps all of them going until it is time to stop."""

    async def run(stopping: asyncio.Event) -> None:
        turn = asyncio.Lock()  # one at a time: what a step has read is in memory meanwhile
        await asyncio.gather(*(follow(database, one, stopping, turn) for one in followers))

    return run


async def follow(database: Database, follower: Follower, stopping: asyncio.Event, turn: asyncio.Lock) -> None:
    """Step by step, resting in between: long when there is nothing, longer and longer while it fails."""
    failures = 0
    while not stopping.is_set():
        try:
            async with turn:
                started = time.monotonic()
                news = await asyncio.to_thread(follower.step, database)
        except Exception as problem:
            failures += 1
            _tell(follower, problem, failures)
            rest = pause(failures)
        else:
            failures = 0
            rest = (time.monotonic() - started) * GENTLE if news else IDLE
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), rest)


def pause(failures: int) -> float:
    """Seconds before the next try after so many failures in a row."""
    return min(LONGEST, 0.5 * 2.0 ** min(failures, 10))


def _tell(follower: Follower, problem: Exception, failures: int) -> None:
    """Once when it begins, then rarely: the error's type only, for its text may hold what it read."""
    if is_transient(problem) or failures & (failures - 1):
        return
    if isinstance(problem, DatabaseAway):
        log.warning("follower_waits", follower=follower.name, sentence=str(problem))
    else:
        log.error("follower_failed", follower=follower.name, error=type(problem).__name__, failures=failures)
