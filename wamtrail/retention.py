"""`wamtrail retention`: delete what is past its age. May be stopped at any time and run again."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

if TYPE_CHECKING:
    from store.database import Database
    from store.retention import Outcome
    from store.retention_sweeps import Tell

APART = 3600.0  # seconds that two clocks may differ

app = typer.Typer(help="Delete what is past its age (WAMTRAIL_KEEP_…).", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """So that `run` keeps its name while it is the only one."""


@app.command()
def run(
    dry_run: bool = typer.Option(False, "--dry-run", help="Only tell what would go."),
) -> None:
    """Delete webhooks, messages, events and audit entries that are past their ages."""
    from store import retention
    from wamtrail.opening import clock, opened, report_zone

    settings = load()
    with opened(settings) as database, _progress() as tell:
        _same_time(database)
        zone, problem = report_zone(database, settings)
        outcome = retention.run(database, settings.ages(), zone, clock, time.sleep, dry=dry_run, tell=tell)
    print("\n".join(told(outcome, dry=dry_run)))
    for sentence in [*outcome.stays, *([problem] if problem else [])]:
        typer.echo(f"wamtrail: {sentence}", err=True)


def _same_time(database: "Database") -> None:
    """What is past its age is told by this machine's clock: a wrong one would delete what is young."""
    from store import rates
    from wamtrail.opening import clock

    with database.read() as tx:
        apart = abs(rates.clock(tx, clock()) / rates.MICRO - clock())
    if apart > APART:
        fail(
            f"The clocks of this machine and of the database differ by {apart / 3600:,.0f} hours, so nothing"
            " is deleted; set the wrong one right."
        )


def told(outcome: "Outcome", *, dry: bool) -> list[str]:
    """A line a kind, and one when there was nothing."""
    counts = {name: count for name, count in outcome.gone.items() if count}
    if not counts:
        return ["Nothing is past its age." if dry else "Nothing was past its age."]
    width = max(map(len, counts))
    lines = [f"  {name:<{width}}  {count:>12,}" for name, count in counts.items()]
    return ["Would go:" if dry else "Gone:", *lines]


@contextmanager
def _progress() -> Iterator["Tell"]:
    """One line that goes on, on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _what, _count: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda what, count: bar.update(task, description=f"{what}: {count:,}")
