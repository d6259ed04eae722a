"""An open store on each of the two databases, empty at the start of every test."""

from collections.abc import Iterator

import pytest
from databases import Databases
from sqlalchemy import text

from store.database import Database
from store.tables import metadata

_TABLES = sorted(set(metadata.tables) - {"installation"})
_NAMED = ", ".join(f"CASE WHEN EXISTS (SELECT 1 FROM {one}) THEN '{one}' END" for one in _TABLES)
_FILLED = text(f"SELECT array_remove(ARRAY[{_NAMED}], NULL)")
_FROM_ONE = text("SELECT setval(CAST(seqrelid AS regclass), seqstart, false) FROM pg_sequence")


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
        if filled := tx.value(_FILLED):  # each table costs files made anew, so only these
            tx.run(text(f"TRUNCATE {', '.join(filled)}"))
        tx.all(_FROM_ONE)
        tx.run(text("DELETE FROM installation WHERE name <> 'needs_code'"))
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """The test runs once on each kind."""
    opened: Database = request.getfixturevalue(f"{request.param}_database")
    return opened
