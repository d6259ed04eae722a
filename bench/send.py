"""How fast and how exactly the sender sends, to a wrapper that answers after 200 ms.

    bench/send                        every case on both databases
    bench/send --rates 1000 --processes 2 --only PostgreSQL

The messages are queued before; then real `wamtrail run sender` processes send them, one number at its limit.
The rate is counted at the wrapper, beside the limit; `fullest` is the fullest second of all that end at a
message, `late` the longest time between two; CPU is a message's, beside that of httpx alone in the same run.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import machine
from bench.processes import free_port, running
from bench.send_case import Case, Found, run_case

PROJECT = Path(__file__).resolve().parent.parent
ANSWER_AFTER = 0.2  # seconds
HEAD = (
    f"{'':12}{'limit':>6}{'senders':>9}{'a second':>10}{'of limit':>10}{'fullest':>9}{'late ms':>9}"
    f"{'CPU us':>8}{'of bare':>9}{'database':>10}{'MB':>6}{'twice':>7}{'lost':>6}{'missed':>8}"
)


def main() -> None:
    options = _options()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wamtrail-bench-")))
        server = stack.enter_context(machine.postgres())
        print(machine.described(server))
        for number in range(options.rounds):
            print(f"\nRound {number + 1} of {options.rounds}")
            bare = {rate: _bare(rate, folder) for rate in options.rates}
            for cpu, reached in bare.values():
                print(f"httpx alone, {reached:,.0f} a second: {cpu:,.0f} us CPU a message")
            print(HEAD)
            for name, rate, processes in _cases(options):
                with _database(name, server, folder) as url, wrapper(folder) as port:
                    case = Case(url, rate, processes, options.seconds, port, options.concurrency, folder)
                    _row(name, case, run_case(case), bare[rate][0])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1, help="repeat the table (the machine may be noisy)")
    parser.add_argument("--rates", type=int, nargs="+", default=[1000, 80])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="PostgreSQL only")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--concurrency", type=int, default=384, help="WAMTRAIL_WRAPPER_CONCURRENCY")
    parser.add_argument("--only", choices=("PostgreSQL", "SQLite"))
    return parser.parse_args()


def _cases(options: argparse.Namespace) -> Iterator[tuple[str, int, int]]:
    for rate in options.rates:
        if options.only != "SQLite":
            yield from (("PostgreSQL", rate, processes) for processes in options.processes)
        if options.only != "PostgreSQL":
            yield "SQLite", rate, 1


@contextlib.contextmanager
def _database(name: str, server: machine.Server, folder: Path) -> Iterator[str]:
    if name == "PostgreSQL":
        with server.database() as url:
            yield url
    else:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            yield f"sqlite:///{own}/wamtrail.db"


@contextlib.contextmanager
def wrapper(folder: Path) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "bench.wrapper_stub", str(port), str(ANSWER_AFTER)]
    with running(command, port, folder / "log", {}, PROJECT):
        yield port


def _bare(rate: int, folder: Path) -> tuple[float, float]:
    """CPU microseconds a message, and messages a second."""
    with wrapper(folder) as port:
        url = f"http://127.0.0.1:{port}/v1/BENCH/wrapper/1/messages"
        command = [sys.executable, "-m", "bench.bare_httpx", url, str(0.97 * rate), "6"]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    cpu, reached = done.stdout.split()
    return float(cpu), float(reached)


def _row(name: str, case: Case, found: Found, bare: float) -> None:
    print(
        f"{name:12}{case.rate:6}{case.processes:9}{found.rate:10,.1f}{found.rate / case.rate:10.3f}"
        f"{found.fullest:9}{found.late * 1000:9.1f}{found.cpu:8,.0f}{found.cpu / bare:9.2f}"
        f"{found.database_cpu:10,.0f}{found.memory:6.0f}{found.twice:7}{found.lost:6}{found.missed:8.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
