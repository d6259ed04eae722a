"""How a bulk run goes on, on a terminal (a bar) or elsewhere (a plain line every few seconds). To stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from sender.bulk_progress import Standing

LINE_EVERY = 5.0  # seconds

Report = Callable[["Standing"], None]


@contextmanager
def reporting(clock: Callable[[], float]) -> Iterator[Report]:
    """What shows each look at the run."""
    from rich.console import Console

    from sender.bulk_progress import Rate

    console = Console(stderr=True)
    rate = Rate()
    if console.is_terminal:
        with _bar(console) as bar:
            task = bar.add_task("", total=None)

            def draw(now: "Standing") -> None:
                done = now.settled
                total = done + now.queued + now.sending if now.run.loaded_at is not None else None
                bar.update(task, completed=done, total=total, description=line(now, rate.see(clock(), done)))

            yield draw
        return
    last = clock()

    def tell(now: "Standing") -> None:
        nonlocal last
        found = rate.see(clock(), now.settled)
        if clock() - last >= LINE_EVERY:
            last = clock()
            typer.echo(line(now, found), err=True)

    yield tell


def line(now: "Standing", rate: float | None) -> str:
    """All that matters, in one line."""
    from sender.bulk_estimate import spelled
    from sender.bulk_progress import time_left

    whole = f"{now.settled:,} of {now.settled + now.queued + now.sending:,}"
    parts = [whole if now.run.loaded_at is not None else f"{whole}, still reading", outcomes(now)]
    if rate:
        parts.append(f"{rate:,.1f} a second")
    left = time_left(now, rate)
    if left is not None and not now.over:
        parts.append(f"{spelled(left)} left")
    if now.held is not None:
        parts.append(f"held: {now.held}")
    return " | ".join(parts)


def outcomes(now: "Standing") -> str:
    said = f"accepted {now.accepted:,}, refused {now.refused:,}, unknown {now.unknown:,}"
    if now.cancelled:
        said += f", cancelled {now.cancelled:,}"
    return f"{said}, unusable {now.run.invalid:,}"


@contextmanager
def _bar(console: "Console") -> Iterator["Progress"]:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(bar_width=24), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, refresh_per_second=4, transient=True) as bar:
        yield bar
