"""Wiring of the sending worker and the wrapper's client."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import TYPE_CHECKING

from sender.balance import BalanceFigures, BalanceKeeper
from sender.desk import Desk
from sender.figures import QueueFigures, SenderFigures
from sender.worker import Worker
from sender.wrapper import Wrapper, WrapperConfig
from store import ledger
from store.ledger import Budget
from wamtrail.opening import clock
from wamtrail.settings import Settings, SettingsError

if TYPE_CHECKING:
    from wamtrail.parts import Parts

# Seconds. A claim's thread comes back from the database a dozen times, and each time it waits up to this long
# for the event loop that is posting; with Python's 5 ms a claim could take longer than what it claimed.
SWITCH = 0.0005


def wrapper_config(settings: Settings) -> WrapperConfig:
    sid, key = settings.require_wrapper()
    try:
        return WrapperConfig(
            settings.wrapper_url,
            sid,
            key,
            timeout=settings.wrapper_timeout,
            concurrency=settings.wrapper_concurrency,
        )
    except ValueError as problem:
        raise SettingsError(str(problem)) from None


def figures(parts: "Parts") -> SenderFigures:
    """Worker and APIs of one process count together."""
    if parts.sender_figures is None:
        parts.sender_figures = SenderFigures(parts.registry)
    return parts.sender_figures


def desk(parts: "Parts") -> Desk:
    """For the HTTP APIs; without the wrapper's settings it only queues."""
    settings = parts.settings
    return Desk(
        parts.database,
        wrapper_config(settings) if settings.wrapper_sid and settings.wrapper_api_key else None,
        clock=clock,
        default_country=settings.default_country,
        keep_payload=settings.keep_content,
        figures=figures(parts),
        limits=settings.limits(),
        queued=lambda: parts.queued(),
        budget=budget(parts),
    )


def budget(parts: "Parts") -> Budget | None:
    """None when the balance is off. Raises WrongCurrency now, rather than at every send."""
    found = parts.settings.budget()
    if found is not None:
        with parts.database.read() as tx:
            account = ledger.peek(tx)
        if account is not None:
            ledger.require(account, found.currency)
    return found


def balance(parts: "Parts") -> Callable[[asyncio.Event], Awaitable[None]] | None:
    """What `run sender` does beside when the balance is on: charges follow what Meta says."""
    spending = budget(parts)
    if spending is None:
        return None
    counted = BalanceFigures(parts.registry)
    parts.measures.append(counted.measure)
    keeping = BalanceKeeper(parts.database, spending, clock=clock, threshold=parts.settings.low_balance)
    return keeping.run


def worker(parts: "Parts") -> Callable[[asyncio.Event], Awaitable[None]]:
    """What `run sender` does in the background: post what is queued until it is time to stop."""
    config = wrapper_config(parts.settings)
    counted = figures(parts)
    queue = QueueFigures(parts.registry)
    parts.measures.append(lambda tx: queue.measure(tx, clock()))

    async def run(stopping: asyncio.Event) -> None:
        sys.setswitchinterval(SWITCH)
        async with Wrapper(config) as wrapper:
            working = Worker(
                parts.database,
                wrapper,
                clock=clock,
                rng=SystemRandom(),
                figures=counted,
                limits=parts.settings.limits(),
                keep_payload=parts.settings.keep_content,
                state_dir=parts.settings.state_dir,
                budget=budget(parts),
            )
            parts.queued = working.wake
            task = asyncio.create_task(working.run())
            await asyncio.wait(
                [task, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED
            )
            working.stop()
            await task

    return run
