"""Does something slow the receiver? With and without it, in turn, on equal copies of a filled database."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import bodies, contenders, table
from bench.measure import Measured, measure, warm

Copy = Callable[[], contextlib.AbstractContextManager[str]]  # of the filled database; its URL
# What goes on while the receiver runs at this URL; what comes out tells what has been done so far.
Meanwhile = Callable[[str], contextlib.AbstractContextManager[Callable[[], str]]]

BODIES, SECONDS = 200_000, 15


@contextlib.contextmanager
def nothing(_url: str) -> Iterator[Callable[[], str]]:
    yield lambda: "without"


def compare(
    folder: Path, copy: Copy, meanwhile: Meanwhile, rounds: int, without: Meanwhile = nothing
) -> list[float]:
    """For each round the smaller ratio, with of without, of acknowledged and processed statuses a second."""
    bodies.write(folder / "warm", 5_000, 1, start=1_000_000_000)
    bodies.write(folder / "bodies", BODIES, 1)
    table.head(1)
    ratios = []
    for number in range(rounds):
        found = {}
        for beside in (True, False) if number % 2 == 0 else (False, True):  # neither is always the first
            found[beside] = _measured(folder, copy, meanwhile if beside else without)
        ratios.append(_ratio(found[True], found[False]))
    return ratios


def told(name: str, ratios: list[float], least: float | None) -> str:
    middle = sorted(ratios)[len(ratios) // 2]
    must = "" if least is None else f" (at least {least})"
    every = ", ".join(f"{one:.2f}" for one in ratios)
    return f"{name}, with of without: {every}; median {middle:.2f}{must}"


def _measured(folder: Path, copy: Copy, meanwhile: Meanwhile) -> Measured:
    with copy() as url, meanwhile(url) as done:
        with contenders.ours_at(url)(folder) as running:
            warm(running, folder / "warm")
            found = measure(running, folder / "bodies", 1, SECONDS)
        table.row(done(), found, None)
    return found


def _ratio(beside: Measured, without: Measured) -> float:
    assert beside.processed is not None
    assert without.processed is not None
    return min(beside.acknowledged / without.acknowledged, beside.processed / without.processed)
