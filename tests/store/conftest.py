"""An open store on each of the two databases, empty at the start of every test."""

from collections.abc import Iterator

import pytest
from databases import Databases
from sqlalchemy import text

from store.database import Database
from store.tables import metadata

_TABLES = ", ".join(sorted(set(metadata.tables) - {"installation"}))


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def reused_url(postgres: Databases, postgres_template: str) -> Iterator[str]:
    """One PostgreSQL database for all tests of the store: emptying it is quicker than making another."""
    url = postgres.create_database(postgres_template)
    yield url
    postgres.drop_database(url)


@pytest.fixture
def postgresql_database(reused_url: str) -> Iterator[Database]:
    opened = Database(reused_url)
    with opened.write() as tx:
        tx.run(text(f"TRUNCATE {_TABLES} RESTART IDENTITY"))
        tx.run(text("DELETE FROM installation WHERE name <> 'needs_code'"))
        tx.run(text("ALTER SEQUENCE feed_batches RESTART"))
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """The test runs once on each kind."""
    opened: Database = request.getfixturevalue(f"{request.param}_database")
    return opened
