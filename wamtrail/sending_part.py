"""Wiring of the sending worker and the wrapper's client."""

import asyncio
from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import TYPE_CHECKING

from sender.figures import QueueFigures, SenderFigures
from sender.worker import Worker
from sender.wrapper import Wrapper, WrapperConfig
from wamtrail.opening import clock
from wamtrail.settings import Settings

if TYPE_CHECKING:
    from wamtrail.parts import Parts


def wrapper_config(settings: Settings) -> WrapperConfig:
    sid, key = settings.require_wrapper()
    return WrapperConfig(settings.wrapper_url, sid, key, timeout=settings.wrapper_timeout)


def worker(parts: "Parts") -> Callable[[asyncio.Event], Awaitable[None]]:
    """What `run sender` does in the background: post what is queued until it is time to stop."""
    config = wrapper_config(parts.settings)
    figures = SenderFigures(parts.registry)
    queue = QueueFigures(parts.registry)
    parts.measures.append(lambda tx: queue.measure(tx, clock()))

    async def run(stopping: asyncio.Event) -> None:
        async with Wrapper(config) as wrapper:
            working = Worker(
                parts.database,
                wrapper,
                clock=clock,
                rng=SystemRandom(),
                figures=figures,
                keep_payload=parts.settings.keep_content,
                state_dir=parts.settings.state_dir,
            )
            task = asyncio.create_task(working.run())
            await asyncio.wait(
                [task, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED
            )
            working.stop()
            await task

    return run
