"""Deadlines: what takes too long is cut, and nobody else's cancellation is taken for it."""

import asyncio

import pytest

from receiver.deadlines import Deadlines


async def test_what_takes_too_long_is_cut() -> None:
    deadlines = Deadlines()
    with pytest.raises(TimeoutError), deadlines.of(0.01):
        await asyncio.Event().wait()
    await asyncio.sleep(0)  # and the task goes on as if nothing had been


async def test_what_is_in_time_is_left_alone_and_later_waits_too() -> None:
    deadlines = Deadlines()
    with deadlines.of(0.01):
        pass
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await asyncio.Event().wait()


async def test_an_extended_deadline_is_the_one_that_counts() -> None:
    deadlines = Deadlines()
    with deadlines.of(0.01) as deadline:
        deadline.extend(30)
        await asyncio.sleep(0.2)

    async def cut_short() -> None:
        with deadlines.of(30) as deadline:
            deadline.extend(0.01)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await cut_short()


async def test_a_cancellation_by_somebody_else_stays_one() -> None:
    deadlines = Deadlines()
    begun = asyncio.Event()

    async def waits() -> None:
        with deadlines.of(30):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(waits())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_each_of_many_is_cut_by_its_own_time() -> None:
    deadlines = Deadlines()

    async def cut(seconds: float) -> bool:
        try:
            with deadlines.of(seconds):
                await asyncio.sleep(0.5)
        except TimeoutError:
            return True
        return False

    assert await asyncio.gather(cut(0.01), cut(30), cut(0.1)) == [True, False, True]
