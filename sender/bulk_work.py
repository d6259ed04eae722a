"""Works one run in the foreground: its list is taken in by a thread while a worker of this process sends.

It returns when the run is over, held or cancelled, here or elsewhere; told to stop, it holds the run first,
so that nothing is claimed any more while what is on the wire ends.
"""

import asyncio
import time
from collections.abc import Callable

from sender.bulk_load import Load
from sender.bulk_progress import Standing, standing
from sender.worker import Worker
from store import bulk_runs
from store.database import Database, is_transient

EVERY = 0.5  # seconds between two looks
SHARE = 0.04  # of the time may go into looking


class Work:
    """`await run()`. `load` None: the list is taken in already. `worker` None: others send."""

    def __init__(
        self,
        database: Database,
        bulk_run_id: str,
        *,
        clock: Callable[[], float],
        load: Load | None,
        worker: Worker | None,
        report: Callable[[Standing], None],
    ) -> None:
        self._database, self._id, self._clock = database, bulk_run_id, clock
        self._load, self._worker, self._report = load, worker, report
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Hold the run and return. Call it in the event loop."""
        self._stopping.set()

    async def run(self) -> Standing:
        """How it stands at the end. Raises BadList, OSError, NotReading, DatabaseAway, and holds the run."""
        loading = asyncio.create_task(asyncio.to_thread(self._take_in))
        sending = asyncio.create_task(self._worker.run()) if self._worker else None
        try:
            await self._watch(loading, sending)
        finally:
            self._stopping.set()
            try:
                await asyncio.to_thread(self._hold)
            finally:
                if self._worker is not None and sending is not None:
                    self._worker.stop()
                    await asyncio.wait([sending])
                await asyncio.wait([loading])
        if (failed := loading.exception()) is not None:
            raise failed
        return await asyncio.to_thread(self._end)

    async def _watch(self, loading: asyncio.Task[None], sending: asyncio.Task[None] | None) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            now = await asyncio.to_thread(self._look)
            self._report(now)
            if not now.run.open or now.over or (loading.done() and loading.exception() is not None):
                return
            if (sending or loading).done():
                return
            took = time.monotonic() - began
            try:
                await asyncio.wait_for(self._stopping.wait(), max(EVERY, took / SHARE))
            except TimeoutError:
                continue

    def _take_in(self) -> None:
        if self._load is not None:
            self._load.take_in(self._stopping.is_set)

    def _look(self) -> Standing:
        with self._database.read() as tx:
            run = bulk_runs.find(tx, self._id)
            assert run is not None
            return standing(tx, run, self._clock())

    def _hold(self) -> None:
        """Unless it is over, or only its list had to be taken in."""
        now = self._look()
        if now.over or (self._worker is None and now.run.loaded_at is not None):
            return
        for _ in range(5):
            try:
                with self._database.write() as tx:
                    bulk_runs.pause(tx, self._id)
                return
            except Exception as problem:
                if not is_transient(problem):
                    raise

    def _end(self) -> Standing:
        with self._database.write() as tx:
            bulk_runs.finish(tx, self._clock())
        now = self._look()
        self._report(now)
        return now
