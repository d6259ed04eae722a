"""What is done to a receiver under load, round after round; each way ends with everything up again."""

import asyncio
import os
import random
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from crash_check import Found, check, drained
from crash_load import Load
from receiver_process import ReceiverProcess

from store.database import Database

Way = Callable[["Trial"], Awaitable[None]]
VERIFY_EACH = 5  # rounds, and after the last
BACK = 30.0  # seconds within which a door has to recover by itself


@dataclass
class Trial:
    """One receiver, its load, and a connection of our own to look at the tables."""

    receiver: ReceiverProcess
    load: Load
    database: Database
    chance: random.Random
    slowest_stop: float = 0.0
    notes: list[str] = field(default_factory=list)

    async def pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self.chance.uniform(least, most))

    async def acknowledging(self) -> None:
        """Wait until bodies are answered 200 (again)."""
        before, deadline = len(self.load.acknowledged), time.monotonic() + BACK
        while len(self.load.acknowledged) < before + 20:
            assert time.monotonic() < deadline, f"no 200 for {BACK} s: {self.receiver.log[-1500:]}"
            await asyncio.sleep(0.01)

    async def refusing(self) -> None:
        """Wait until bodies are answered 503."""
        before, deadline = self.load.refused, time.monotonic() + BACK
        while self.load.refused < before + 5:
            assert time.monotonic() < deadline, f"no 503 for {BACK} s: {self.receiver.log[-1500:]}"
            await asyncio.sleep(0.01)

    async def rounds(self, way: Way, count: int) -> Found:
        """`count` times under load, each time followed by a look at the tables."""
        for number in range(count):
            async with self.load.running(self.receiver.port):
                await self.acknowledging()
                await way(self)
            await drained(self.database)
            fold = number % VERIFY_EACH == 0
            found = await asyncio.to_thread(check, self.database, self.load, fold=fold)
            assert found.good, (number, found, self.receiver.log[-1500:])
        await self.load.post_again(self.receiver.port)
        await drained(self.database)
        found = await asyncio.to_thread(check, self.database, self.load)
        assert found.good, found
        assert found.acknowledged == len(self.load.posted)
        assert not self.load.odd, self.load.odd
        return found


async def sigkill(trial: Trial) -> None:
    """The receiver, the processor beside it, or both at once; at any instant."""
    await trial.pause(0.0, 0.4)
    victim = trial.chance.choice(["receiver", "both", "processor"])
    if victim == "processor" and trial.receiver.children():
        trial.receiver.kill_processor()
        await trial.acknowledging()
        return
    trial.receiver.kill_all() if victim == "both" else trial.receiver.kill()
    await asyncio.to_thread(trial.receiver.start)
    await trial.acknowledging()


async def sigterm(trial: Trial) -> None:
    """An orderly stop: in time, with exit code 0, and answers to all that was read."""
    await trial.pause(0.1, 0.4)
    code, seconds = await asyncio.to_thread(trial.receiver.terminate)
    assert code == 0, trial.receiver.log[-1500:]
    assert seconds < 10, seconds
    trial.slowest_stop = max(trial.slowest_stop, seconds)
    await asyncio.to_thread(trial.receiver.start)
    await trial.acknowledging()


def down_and_up(down: Callable[[], None], up: Callable[[], None]) -> Way:
    """Take the database away under load, see the door refuse, bring it back, see the door recover."""

    async def way(trial: Trial) -> None:
        await trial.pause(0.0, 0.3)
        await asyncio.to_thread(down)
        await trial.refusing()
        await trial.pause(0.0, 0.3)
        await asyncio.to_thread(up)
        await trial.acknowledging()

    return way


def moved_away(path: Path) -> Way:
    away = path.parent.with_name(path.parent.name + "-away")
    return down_and_up(lambda: path.parent.rename(away) and None, lambda: away.rename(path.parent) and None)


def file_size_limit(trial: Trial, path: Path) -> Way:
    """No file of the receiver may grow: to SQLite that is a disk on which nothing more fits."""

    def down() -> None:
        wal = path.with_name(path.name + "-wal")
        largest = max(path.stat().st_size, wal.stat().st_size if wal.exists() else 0)
        resource.prlimit(trial.receiver.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

    def up() -> None:
        resource.prlimit(trial.receiver.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

    return down_and_up(down, up)


def full_disk(folder: Path, up_again: Callable[[], None]) -> Way:
    """Fill the file system that `folder` is on to its last byte, for real."""
    filler = folder / "filler"

    def down() -> None:
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def up() -> None:
        filler.unlink()
        os.sync()
        up_again()

    return down_and_up(down, up)
