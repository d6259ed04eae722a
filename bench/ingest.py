"""How many webhooks a second: this receiver on both databases, a bare endpoint, and others, in one run.

bench/ingest                      the table
bench/ingest --peers              beside pywa and whatsapp-api-js (installed into a temporary folder)
bench/ingest --growth             with ten million messages in PostgreSQL already
bench/ingest --memory             peak memory at full load and with 64 clients posting 3 MB each
"""

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from bench import bodies, contenders, growth, machine, memory, peers, table, wrk
from bench.contenders import Contender
from bench.measure import Measured, measure, warm

# Statuses a body: bodies, seconds. The large ones are posted once each: the door takes them ten times faster
# than anybody could process them.
SHAPES = {1: (150_000, 8), 100: (5_000, 60), 1000: (500, 60)}


def main() -> None:
    options = _options()
    if (trouble := wrk.missing()) is not None:
        sys.exit(trouble)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wamtrail-bench-")))
        server = stack.enter_context(machine.postgres())
        print(machine.described(server))
        files = _files(folder, [1] if options.memory or options.growth else options.shapes)
        everyone = _everyone(server, folder, options)
        if options.memory:
            memory.report(everyone[1:3], files[1], folder)
        elif options.growth:
            growth.report(server, folder, files[1], options.rounds)
        else:
            for number in range(options.rounds):
                print(f"\nRound {number + 1} of {options.rounds}")
                _round(everyone, files, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1, help="repeat the table (the machine may be noisy)")
    parser.add_argument("--peers", action="store_true", help="beside pywa and whatsapp-api-js")
    parser.add_argument("--peers-folder", type=Path, help="keep their installation there")
    parser.add_argument("--growth", action="store_true", help="with ten million messages, beside empty")
    parser.add_argument("--memory", action="store_true", help="peak memory")
    parser.add_argument("--shapes", type=int, nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--only", nargs="+", help="words of the names to measure, beside the bare endpoint")
    return parser.parse_args()


def _files(folder: Path, shapes: list[int]) -> dict[int, Path]:
    files: dict[int, Path] = {}
    bodies.write(folder / "warm", 5_000, 1, start=1_000_000_000)
    for statuses in shapes:
        files[statuses] = folder / f"bodies-{statuses}"
        size = bodies.write(files[statuses], SHAPES[statuses][0], statuses)
        print(f"{SHAPES[statuses][0]} bodies of {statuses}, the first has {size} bytes")
    return files


def _everyone(server: machine.Server, folder: Path, options: argparse.Namespace) -> list[Contender]:
    found = [
        Contender("bare endpoint, keeps nothing", True, contenders.bare),
        Contender("Wamtrail, SQLite", True, contenders.ours_on_sqlite),
        Contender("Wamtrail, PostgreSQL", True, contenders.ours_on_postgres(server.database)),
    ]
    if options.peers:
        found += peers.installed(options.peers_folder or folder / "peers", server.database)
    if options.only:
        chosen = [one for one in found[1:] if any(word in one.name for word in options.only)]
        found = [found[0], *chosen]
    return found


def _round(everyone: list[Contender], files: dict[int, Path], folder: Path) -> None:
    reference: dict[int, Measured] = {}
    for statuses, file in files.items():
        table.head(statuses)
        seconds = SHAPES[statuses][1]
        for one in everyone:
            if statuses > 1 and not one.several:
                continue
            with one.start(folder) as running:
                warm(running, folder / "warm")
                found = measure(running, file, statuses, seconds)
            reference.setdefault(statuses, found)
            table.row(one.name, found, reference[statuses])
            if statuses == 1 and found.processed and one.several:
                _half(one, found, file, folder)


def _half(one: Contender, full: Measured, file: Path, folder: Path) -> None:
    """The answer's time at half of what it can acknowledge and process."""
    assert full.processed is not None
    with one.start(folder) as running:
        warm(running, folder / "warm")
        found = measure(running, file, 1, 8, rate=min(full.acknowledged, full.processed) / 2)
    table.row("  at half of that", found, None)


if __name__ == "__main__":
    main()
