"""How quickly the pages answer with millions of messages there.

    bench/support                                       10,000,000 on PostgreSQL, 1,000,000 on SQLite
    bench/support --messages 200000 --only SQLite

A real `wamtrail run console` is asked over its socket by a signed-in person: searches by every kind of id,
the message page, each list. Beside each stands its ratio to `/healthz` of the same process, an empty answer.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles

import httpx

from bench import machine
from bench.processes import free_port, running
from bench.support_fill import PHONE, REFERENCE, WAMID, fill, message_id

PROJECT = Path(__file__).resolve().parent.parent
NAME, PASSWORD = f"bench-{os.getpid()}", "a password for one run only"
LISTS = ("waiting", "unknown", "unmatched", "quarantine", "failures", "suppressed", "conflicts")


def main() -> None:
    options = _options()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wamtrail-bench-")))
        if options.database:
            _measure("As given", options.database, options.messages, options.asked, folder, there=True)
            return
        server = stack.enter_context(machine.postgres())
        print(machine.described(server))
        if options.only != "SQLite":
            url = stack.enter_context(server.database())
            _measure("PostgreSQL", url, options.messages or 10_000_000, options.asked, folder)
        if options.only != "PostgreSQL":
            url = f"sqlite:///{folder}/wamtrail.db"
            _measure("SQLite", url, options.messages or 1_000_000, options.asked, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, help="how many are there already")
    parser.add_argument("--asked", type=int, default=100, help="times that each page is asked for")
    parser.add_argument("--only", choices=("PostgreSQL", "SQLite"))
    parser.add_argument("--database", metavar="URL", help="ask there; filled already, with --messages")
    options = parser.parse_args()
    if options.database and not options.messages:
        parser.error("--database needs --messages: how many were filled in")
    return options


def _measure(name: str, url: str, messages: int, asked: int, folder: Path, *, there: bool = False) -> None:
    began = time.monotonic()
    if not there:
        fill(url, messages)
    print(f"\n{name}, {messages:,} messages (filled in {time.monotonic() - began:.0f} s)")
    print(f"{'':34}{'p50 ms':>9}{'p99 ms':>9}{'of /healthz':>13}")
    with _console(url, folder) as client:
        still = _times(lambda _place: client.get("/healthz"), asked)
        for what, ask in _questions(client, messages):
            p50, p99 = _times(ask, asked)
            print(f"{what:34}{p50:9.1f}{p99:9.1f}{p50 / still[0]:13.1f}", flush=True)


@contextlib.contextmanager
def _console(url: str, folder: Path) -> Iterator[httpx.Client]:
    """A client that is signed in."""
    port = free_port()
    environment = {
        "WAMTRAIL_DATABASE_URL": url,
        "WAMTRAIL_SECRET_KEY": "a key for one run only, long enough",
        "WAMTRAIL_CONSOLE_BIND": f"127.0.0.1:{port}",
    }
    command = [sys.executable, "-m", "wamtrail"]
    create = [*command, "user", "create", NAME, "--role", "admin", "--password-stdin"]
    subprocess.run(
        create, input=f"{PASSWORD}\n", text=True, check=True, cwd=PROJECT, env={**os.environ, **environment}
    )
    with running([*command, "run", "console"], port, folder / "log", environment, PROJECT):
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, headers={"Origin": address}, trust_env=False) as client:
            answer = client.post("/sign-in", data={"name": NAME, "password": PASSWORD, "next": "/"})
            assert answer.status_code == 303, answer.status_code
            yield client


Ask = Callable[[int], httpx.Response]


def _questions(client: httpx.Client, messages: int) -> Iterator[tuple[str, Ask]]:
    def searched(words: Callable[[int], str]) -> Ask:
        """The search and, where it leads to, the page that the browser opens then."""
        return lambda place: client.post(
            "/search", data={"q": words(_spread(place, messages))}, follow_redirects=True
        )

    yield "search: message_id, then its page", searched(message_id)
    yield "search: wamid, then its page", searched(lambda n: WAMID.format(n))
    yield "search: reference, then its page", searched(lambda n: REFERENCE.format(n))
    yield "search: phone number", searched(lambda n: "+" + PHONE.format(n // 10))
    yield "search: error code", searched(lambda _n: "error:131026")
    yield "search: template and status", searched(lambda _n: "template:order_update status:read")
    yield "search: filters that nothing meets", searched(lambda _n: "template:order_update status:played")
    yield "search: last hours, one status", searched(lambda _n: "since:6h status:delivered")
    yield "message page", lambda place: client.get(f"/messages/{message_id(_spread(place, messages))}")
    yield "front page", lambda _place: client.get("/")
    for name in LISTS:
        yield f"list: {name}", lambda _place, name=name: client.get(f"/work/{name}")  # type: ignore[misc]


def _spread(place: int, messages: int) -> int:
    return (place * 7_919_317) % messages + 1


def _times(ask: Ask, asked: int) -> tuple[float, float]:
    """p50 and p99 in milliseconds; the first three, which fill caches, are left out."""
    taken = []
    for place in range(asked + 3):
        began = time.perf_counter()
        answer = ask(place)
        taken.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{answer.request.method} {answer.request.url.path}: {answer.status_code}")
    cut = quantiles(taken[3:], n=100)
    return cut[49], cut[98]


if __name__ == "__main__":
    main()
