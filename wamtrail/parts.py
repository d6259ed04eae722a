"""The parts of an installation, and how `wamtrail run` puts them together in one process."""

import asyncio
import contextlib
import gc
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import SystemRandom
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from receiver import app as receiver_app
from receiver.backlog_figures import BacklogFigures
from receiver.directory import StoredDirectory
from receiver.figures import ProcessorFigures
from receiver.minutes import Minutes
from receiver.processor import Processor
from sender.figures import SenderFigures
from store import endpoints, partitions
from store.database import Database, ReadTx
from store.sealing import Sealer
from wamtrail import health
from wamtrail.opening import clock, report_zone
from wamtrail.servers import Listener, listen, serve
from wamtrail.settings import Settings

PARTITIONS_EVERY = 3600.0  # seconds
PARTITIONS_AGAIN = 60.0  # seconds after it failed
RESTART_AFTER = 1.0  # seconds before a child that died is started again

log = structlog.get_logger("wamtrail")
Background = Callable[[asyncio.Event], Awaitable[None]]


@dataclass
class Parts:
    """What one process is made of; the functions below add to it, `start` runs it."""

    settings: Settings
    database: Database
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    listeners: list[Listener] = field(default_factory=list)
    background: list[Background] = field(default_factory=list)
    pages: list[BaseRoute] = field(default_factory=list)
    ready: list[health.Check] = field(default_factory=list)
    measures: list[Callable[[ReadTx], None]] = field(default_factory=list)  # what SQL says, before a scrape
    queued: Callable[[], None] = lambda: None  # wakes this process's sending worker, once there is one
    sender_figures: SenderFigures | None = None  # one set for all that sends in this process
    minutes: Minutes | None = None  # what the receiver's parts of this process count together
    started: Callable[[], Awaitable[None]] | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)  # ended when the process stops

    async def run(self) -> None:
        try:
            await serve(self.listeners, started=self.started, background=self.background)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)


def everything(parts: Parts) -> None:
    """One process on SQLite, its processor a thread; on PostgreSQL the processor is a child."""
    _door(parts, _processor_thread(parts) if parts.database.sqlite else _processor_of_its_own(parts))
    console(parts)
    if parts.settings.wrapper_sid and parts.settings.wrapper_api_key:
        sender(parts)
    else:
        log.warning("sending_is_off", sentence="WAMTRAIL_WRAPPER_SID or WAMTRAIL_WRAPPER_API_KEY is not set.")


def receiver(parts: Parts, *, with_processor: bool) -> None:
    """The door, and the processor as a child process: as a thread it takes the interpreter from the door,
    measured on SQLite as 5,000 webhooks a second instead of 6,900 on two cores."""
    _door(parts, _processor_of_its_own(parts) if with_processor else _nobody)


def _door(parts: Parts, wake: Callable[[], None]) -> None:
    _require_a_secret(parts)
    _partitions_made(parts.database)  # before the first webhook, which would go to the default one
    app = receiver_app.create(
        parts.database, directory(parts), clock, parts.registry, kept=wake, minutes=_minutes(parts)
    )
    parts.listeners.append(Listener(app, listen(parts.settings.receiver_bind, "WAMTRAIL_RECEIVER_BIND")))
    parts.background.append(lambda stopping: _make_partitions(parts.database, stopping))
    parts.ready.append(health.can_commit(parts.database))
    _measure_backlog(parts)
    metrics(parts)


def directory(parts: Parts) -> StoredDirectory:
    keys = parts.settings.secret_keys()
    return StoredDirectory(parts.settings.default_endpoint(), parts.database, Sealer(keys) if keys else None)


def _require_a_secret(parts: Parts) -> None:
    """Here or on a named endpoint: without any no webhook could ever be authentic."""
    with parts.database.read() as tx:
        named = bool(parts.settings.secret_key) and endpoints.any_enabled(tx)
    if not named:
        parts.settings.require_app_secrets()


def processor(parts: Parts, *, with_parent: bool = False) -> None:
    """The processor alone."""
    _collect_garbage_rarely()
    _processor_thread(parts)
    parts.ready.append(health.lag_is_low(parts.database, clock))
    _measure_backlog(parts)
    if with_parent:
        parts.background.append(_until_parent_ends)
    else:
        metrics(parts)


def _collect_garbage_rarely() -> None:
    """A processor's run makes some ten thousand records, none of them in a cycle: looking for cycles among
    them all the time took a quarter of its time. A sender's slots wait for nobody: a full look takes tens of
    ms."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def sender(parts: Parts) -> None:
    """The sending worker."""
    from wamtrail import sending_part

    _collect_garbage_rarely()
    parts.background.append(sending_part.worker(parts))
    if (keeping := sending_part.balance(parts)) is not None:
        parts.background.append(keeping)
    metrics(parts)


def console(parts: Parts) -> None:
    """The company's port: nothing without a token or a sign-in."""
    from reports import reports_api
    from support import app as support_app
    from wamtrail import api_description, sending_part
    from wamtrail import console as console_app
    from wamtrail.pages import house

    desk = sending_part.desk(parts)
    at_home = house(parts, desk)
    rates = console_app.Rates(parts.settings.api_rate, parts.settings.api_send_rate)
    description, its_page = api_description.routes(at_home, rates.read, rates.send)
    app = console_app.create(
        parts.database,
        desk,
        health=health.routes(parts),
        more=[
            *reports_api.routes(parts.database, ZoneInfo(parts.settings.report_zone), clock),
            *description,
        ],
        pages=[*support_app.routes(at_home), *its_page, *parts.pages],
        handlers=support_app.not_found(at_home),
        rates=rates,
    )
    parts.listeners.append(Listener(app, listen(parts.settings.console_bind, "WAMTRAIL_CONSOLE_BIND")))


def metrics(parts: Parts) -> None:
    """/healthz, /readyz and /metrics on a port of their own, when one is set."""
    bind = parts.settings.metrics_bind
    if bind is not None and not any(listener.port == bind.port for listener in parts.listeners):
        app = Starlette(routes=health.routes(parts))
        parts.listeners.append(Listener(app, listen(bind, "WAMTRAIL_METRICS_BIND")))


def _minutes(parts: Parts) -> Minutes:
    if parts.minutes is None:
        parts.minutes = Minutes(parts.database, clock, secrets.token_hex(8))
        parts.background.append(parts.minutes.run)
    return parts.minutes


def _measure_backlog(parts: Parts) -> None:
    figures = BacklogFigures(parts.registry)
    parts.measures.append(lambda tx: figures.measure(tx, clock()))


def _nobody() -> None:
    """There is no processor in this process to be woken."""


def _processor_of_its_own(parts: Parts) -> Callable[[], None]:
    parts.background.append(_processor_child)
    return _nobody


def _processor_thread(parts: Parts) -> Callable[[], None]:
    from store import rollups  # what the door alone does without, it does not hold in memory
    from store.rollup_refresh import Pace
    from wamtrail import following

    working = Processor(
        parts.database,
        ProcessorFigures(parts.registry),
        clock,
        keep_content=parts.settings.keep_content,
        age=parts.settings.message_age(),
        minutes=_minutes(parts),
    )

    async def run(stopping: asyncio.Event) -> None:
        thread = asyncio.create_task(asyncio.to_thread(working.run))
        await asyncio.wait(
            [thread, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED
        )
        working.stop()
        await thread

    parts.background.append(run)
    zone, trouble = report_zone(parts.database, parts.settings)
    if trouble is not None:
        log.warning("report_zone_is_sealed", sentence=trouble)
    pace = Pace(time.monotonic, SystemRandom())
    figures = following.Follower("rollups", lambda database: rollups.step(database, zone, clock(), pace=pace))
    parts.background.append(following.background(parts.database, (*following.EVERY, figures)))
    return working.wake


async def _processor_child(stopping: asyncio.Event) -> None:
    """Keep one `run processor` alive; it ends when our end of its standard input closes."""
    while not stopping.is_set():
        command = [sys.executable, "-m", "wamtrail", "run", "processor", "--with-parent"]
        environment = {"MALLOC_ARENA_MAX": "2", **os.environ}  # its threads take turns: one heap serves them
        child = await asyncio.to_thread(subprocess.Popen, command, stdin=subprocess.PIPE, env=environment)
        ended = asyncio.create_task(asyncio.to_thread(child.wait))
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait([ended, stop], return_when=asyncio.FIRST_COMPLETED)
        assert child.stdin is not None
        child.stdin.close()
        await ended
        if not stopping.is_set():
            log.error("processor_died", exit_code=child.returncode)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), RESTART_AFTER)
        stop.cancel()


async def _until_parent_ends(stopping: asyncio.Event) -> None:
    """Standard input ends when the parent does, however it ends."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch() -> None:
        with contextlib.suppress(OSError):
            while sys.stdin.buffer.read(1):
                pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    tasks = [asyncio.create_task(ended.wait()), asyncio.create_task(stopping.wait())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def _make_partitions(database: Database, stopping: asyncio.Event) -> None:
    made = True
    while not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), PARTITIONS_EVERY if made else PARTITIONS_AGAIN)
        if not stopping.is_set():
            made = await asyncio.to_thread(_partitions_made, database)


def _partitions_made(database: Database) -> bool:
    try:
        with database.write() as tx:
            partitions.ensure_ahead(tx, clock())
    except Exception as problem:  # no reason to stop: the default partition takes the rows meanwhile
        log.warning("partitions_not_made", error=type(problem).__name__)
        return False
    return True
