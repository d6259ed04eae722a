"""`wamtrail run`: everything in one process, or one part each."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from wamtrail.settings import load

if TYPE_CHECKING:
    from wamtrail.parts import Parts

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

    _run(lambda parts: part(parts, with_processor=not no_processor))


@app.command()
def processor(
    with_parent: bool = typer.Option(
        False, "--with-parent", hidden=True, help="Stop when standard input ends."
    ),
) -> None:
    """Turn kept webhooks into rows; any number may run on one PostgreSQL."""
    from wamtrail.parts import processor as part

    _run(lambda parts: part(parts, with_parent=with_parent))


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


def _run(build: "Callable[[Parts], None]") -> None:
    """Open the database, let `build` add the parts, and serve until told to stop."""
    from wamtrail import logs, servers
    from wamtrail.opening import opened
    from wamtrail.parts import Parts

    settings = load()
    logs.configure(settings.log_format)
    with opened(settings) as database:
        parts = Parts(settings, database)
        build(parts)
        servers.run(parts.run())
