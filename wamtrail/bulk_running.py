"""Working a bulk run to its end in the foreground, or taking its list in for `run sender`."""

import asyncio
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

import typer

from wamtrail.saying import fail
from wamtrail.settings import Settings

if TYPE_CHECKING:
    from sender.bulk_check import Terms
    from sender.bulk_load import Load
    from sender.bulk_progress import Standing
    from store.bulk_runs import Run
    from store.database import Database


@contextmanager
def read_or_fail(file: Path) -> Iterator[None]:
    """What is wrong with the list as a whole is one line and exit 1."""
    from sender.bulk_lines import BadList

    try:
        yield
    except BadList as problem:
        fail(f"{file.name}: {problem}")
    except OSError as problem:
        fail(f"{file} cannot be read: {problem.strerror}.")


def usable(database: "Database", file: Path, terms: "Terms") -> None:
    """Whether the first line of the list fits, before anything begins."""
    from sender import bulk_load

    with read_or_fail(file), database.read() as tx:
        bulk_load.fits(tx, file, terms)


def finish(
    settings: Settings, database: "Database", run: "Run", *, detach: bool, result: Path | None = None
) -> None:
    """Go on with a run that is preparing or running, tell how it ended, and exit."""
    from sender import bulk_result

    typer.echo(f"wamtrail: Run {run.bulk_run_id} of {run.name}.", err=True)
    with read_or_fail(Path(run.path)):
        now = asyncio.run(_work(settings, database, run, detach=detach))
    print(_sentence(now, detach=detach))
    if result is not None:
        try:
            count = bulk_result.write(database, run.bulk_run_id, result)
        except OSError as problem:
            fail(f"{result} cannot be written: {problem.strerror}.")
        print(f"{result} tells what became of each of {count:,} rows.")
    raise typer.Exit(exit_code(now, detach=detach))


def same_list(run: "Run", path: Path) -> bool:
    """Whether the file there is the list that the run was begun with."""
    from sender.bulk_list import digest

    with read_or_fail(path):
        return digest(path, run.phone_number_id, run.template, run.language, run.retry_of) == run.digest


def loading(settings: Settings, database: "Database", run: "Run") -> "Load | None":
    """What takes the rest of its list in; None when that is done."""
    from sender.bulk_again import Again
    from sender.bulk_load import Load
    from store import bulk_runs
    from wamtrail.opening import clock

    if run.loaded_at is not None:
        return None
    again = None
    if run.retry_of is not None:
        with database.read() as tx:
            before = bulk_runs.find(tx, run.retry_of)
        again = Again(before, every=run.retry_all) if before else None
    terms = terms_of(settings, run)
    return Load(database, run, terms, clock=clock, random=secrets.token_bytes, again=again)


def terms_of(settings: Settings, run: "Run") -> "Terms":
    from sender.bulk_check import Terms

    return Terms(
        bulk_run_id=run.bulk_run_id,
        phone_number_id=run.phone_number_id,
        template=run.template,
        language=run.language,
        valid_for=run.valid_for,
        default_country=settings.default_country,
    )


def exit_code(now: "Standing", *, detach: bool) -> int:
    if not detach and (now.queued or now.sending or now.run.loaded_at is None):
        return 4
    if now.refused or now.cancelled or now.run.invalid:
        return 1
    return 3 if now.unknown else 0


async def _work(settings: Settings, database: "Database", run: "Run", *, detach: bool) -> "Standing":
    from sender.bulk_work import Work
    from sender.worker import Worker
    from sender.wrapper import Wrapper
    from wamtrail import logs
    from wamtrail.bulk_bar import reporting
    from wamtrail.opening import clock
    from wamtrail.sending_part import SWITCH, wrapper_config

    logs.configure(settings.log_format)
    load = loading(settings, database, run)

    async def work(worker: Worker | None) -> "Standing":
        with reporting(clock) as report:
            one = Work(database, run.bulk_run_id, clock=clock, load=load, worker=worker, report=report)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, one.stop)
            return await one.run()

    if detach:
        return await work(None)
    sys.setswitchinterval(SWITCH)
    async with Wrapper(wrapper_config(settings)) as wrapper:
        return await work(
            Worker(
                database,
                wrapper,
                clock=clock,
                rng=SystemRandom(),
                limits=settings.limits(),
                keep_payload=settings.keep_content,
                state_dir=settings.state_dir,
                budget=settings.budget(),
            )
        )


def _sentence(now: "Standing", *, detach: bool) -> str:
    from wamtrail.bulk_bar import outcomes

    run = now.run
    if run.state == "cancelled":
        return f"Run {run.bulk_run_id} was cancelled: {outcomes(now)}."
    if now.over:
        return f"Run {run.bulk_run_id} is done: {outcomes(now)}."
    if detach and run.open:
        return (
            f"Run {run.bulk_run_id} is taken in: {now.queued:,} rows wait for `wamtrail run sender`,"
            f" unusable {run.invalid:,}. `wamtrail bulk show {run.bulk_run_id}` tells how it stands."
        )
    return (
        f"Run {run.bulk_run_id} is held: {outcomes(now)}, still queued {now.queued:,}."
        f" `wamtrail bulk resume {run.bulk_run_id}` goes on with it."
    )
