"""`wamtrail run`: everything in one process, or one part each."""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from wamtrail.settings import load

if TYPE_CHECKING:
    from wamtrail.parts import Parts

STOP_AT_LATEST = 9.0  # seconds after SIGTERM; orchestrators kill after 10

app = typer.Typer(help="Run the parts: all of them, or one each.", no_args_is_help=True)


@app.command(name="all")
def run_all() -> None:
    """Both ports, the processor and the sending worker in one process (the embedded default)."""
    from wamtrail.parts import everything

    _run(everything)


@app.command()
def receiver(no_processor: bool = typer.Option(False, "--no-processor", help="Keep webhooks only.")) -> None:
    """The webhook door on port 8080, and a processor beside it."""
    from wamtrail.parts import receiver as part

    _run(lambda parts: part(parts, with_processor=not no_processor), in_time=True)


@app.command()
def processor(
    with_parent: bool = typer.Option(
        False, "--with-parent", hidden=True, help="Stop when standard input ends."
    ),
) -> None:
    """Turn kept webhooks into rows; any number may run on one PostgreSQL."""
    from wamtrail.parts import processor as part

    _run(lambda parts: part(parts, with_parent=with_parent), in_time=True)


@app.command()
def sender() -> None:
    """Post what is queued; any number may run on one PostgreSQL."""
    from wamtrail.parts import sender as part

    _run(part)


@app.command()
def console() -> None:
    """The JSON API and the compatible API on port 8081."""
    from wamtrail.parts import console as part

    _run(part)


def _run(build: "Callable[[Parts], None]", *, in_time: bool = False) -> None:
    """Open the database, let `build` add the parts, and serve until told to stop.

    `in_time`: for parts that may end at any instant without harm, so that a database which hangs does not
    keep them from ending.
    """
    from wamtrail import logs, servers
    from wamtrail.opening import opened
    from wamtrail.parts import Parts

    settings = load()
    logs.configure(settings.log_format)
    with opened(settings) as database:
        parts = Parts(settings, database)
        build(parts)
        if in_time:
            parts.background.append(_end_in_time)
        servers.run(parts.run())


async def _end_in_time(stopping: asyncio.Event) -> None:
    """What was read is committed and answered long before; only a hanging database takes longer."""
    await stopping.wait()
    timer = threading.Timer(STOP_AT_LATEST, _give_up)
    timer.daemon = True
    timer.start()


def _give_up() -> None:
    import structlog

    structlog.get_logger("wamtrail").error("stop_took_too_long", seconds=STOP_AT_LATEST)
    os._exit(1)
