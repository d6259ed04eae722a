"""What every test may ask for: a fresh, migrated database on both kinds, and a clean environment."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path

import httpx
import pytest
from databases import Databases, PostgresUnavailable
from httpx._transports import default as transports
from hypothesis import HealthCheck, settings
from postgres import chosen_databases

if "TEST_DATABASE_URL" not in os.environ:
    # PGPORT, PGOPTIONS and their like would change how the suite talks to the server that it starts itself.
    for variable in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[variable]

# Whoever starts the suite in the background may have SIGINT ignored, and the processes of tests inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure: nothing is judged by its time. In CI the examples stay the same each time.
settings.register_profile(
    "patient", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

# Each client reads the world's certificates for 24 ms, and no test goes there: one reading is enough.
httpx.create_ssl_context = transports.create_ssl_context = cache(httpx.create_ssl_context)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No WAMTRAIL_ setting of the person who runs the tests reaches a test."""
    for variable in [name for name in os.environ if name.startswith("WAMTRAIL_")]:
        monkeypatch.delenv(variable)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """A real PostgreSQL for the whole session (each pytest-xdist worker has its own)."""
    with ExitStack() as stack:
        try:
            databases = stack.enter_context(chosen_databases())
        except PostgresUnavailable as problem:
            sentence = str(problem)
        else:
            yield databases
            return
    pytest.fail(sentence, pytrace=False)


@pytest.fixture(scope="session")
def postgres_template(postgres: Databases) -> str:
    """The URL of a migrated database, to be copied."""
    from store.migrate import upgrade

    url = postgres.create_database()
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with nothing left in its write-ahead log, to be copied."""
    from store.migrate import upgrade

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated SQLite database."""
    path = tmp_path / "wamtrail.db"
    shutil.copyfile(sqlite_template, path)
    yield f"sqlite:///{path}"
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


@pytest.fixture
def postgresql_url(postgres: Databases, postgres_template: str) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database."""
    url = postgres.create_database(postgres_template)
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database on each of the two: what a conformance test asks for."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
