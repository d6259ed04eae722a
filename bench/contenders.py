"""Who is measured: how each is started on a fresh database, and how many statuses it has stored."""

import contextlib
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.bodies import SECRET
from bench.processes import free_port, running
from store import migrate

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Running:
    port: int
    pid: int
    stored: Callable[[], int] | None  # statuses in the tables
    waiting: Callable[[], bool] | None  # whether kept webhooks are not processed yet; None: cannot be told


Start = Callable[[Path], contextlib.AbstractContextManager[Running]]


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    several: bool  # whether it takes more than the first status of a body
    start: Start


@contextlib.contextmanager
def bare(folder: Path) -> Iterator[Running]:
    port = free_port()
    environment = {"PORT": str(port)}
    with _python("bench.bare", [], port, folder, environment) as pid:
        yield Running(port, pid, None, None)


@contextlib.contextmanager
def ours_on_sqlite(folder: Path) -> Iterator[Running]:
    file = folder / "wamtrail.db"
    for old in folder.glob("wamtrail.db*"):
        old.unlink()
    with ours_at(f"sqlite:///{file}")(folder) as found:
        yield found


def ours_on_postgres(
    new_database: Callable[[], contextlib.AbstractContextManager[str]],
) -> Start:
    @contextlib.contextmanager
    def start(folder: Path) -> Iterator[Running]:
        with new_database() as url, ours_at(url)(folder) as found:
            yield found

    return start


def ours_at(url: str) -> Start:
    """On this database, as it is."""

    @contextlib.contextmanager
    def start(folder: Path) -> Iterator[Running]:
        with _asking(url) as value, _ours(url, folder, value) as found:
            yield found

    return start


@contextlib.contextmanager
def _asking(url: str) -> Iterator[Callable[[str], int]]:
    if url.startswith("sqlite"):

        def value(statement: str) -> int:
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
                return int(connection.execute(statement).fetchone()[0])

        yield value
        return
    with psycopg.connect(url, autocommit=True) as connection:

        def answer(statement: str) -> int:
            row = connection.execute(statement).fetchone()
            assert row is not None
            return int(row[0])

        yield answer


@contextlib.contextmanager
def _ours(url: str, folder: Path, value: Callable[[str], int]) -> Iterator[Running]:
    migrate.upgrade(url)
    port = free_port()
    environment = {
        "WAMTRAIL_DATABASE_URL": url,
        "WAMTRAIL_APP_SECRETS": SECRET,
        "WAMTRAIL_VERIFY_TOKENS": "bench",
        "WAMTRAIL_RECEIVER_BIND": f"127.0.0.1:{port}",
        "WAMTRAIL_STATE_DIR": str(folder / "state"),
    }
    with _python("wamtrail", ["run", "receiver"], port, folder, environment) as pid:
        yield Running(
            port,
            pid,
            lambda: value("SELECT count(*) FROM status_updates WHERE batch > 0"),  # 0: filled in
            lambda: bool(value("SELECT EXISTS (SELECT 1 FROM webhook_backlog)")),
        )


@contextlib.contextmanager
def _python(
    module: str, arguments: list[str], port: int, folder: Path, environment: dict[str, str]
) -> Iterator[int]:
    command = [sys.executable, "-m", module, *arguments]
    with running(command, port, folder / "log", environment, PROJECT) as process:
        yield process.pid
