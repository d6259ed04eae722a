"""A read that takes too long is stopped, and the connection is good for the next."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from store.database import Database
from store.errors import TooSlow

COUNT = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {}) SELECT max(x) FROM n"
ENDLESS = COUNT.format(900_000_000)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def test_a_slow_answer_is_stopped(database: Database):
    with pytest.raises(TooSlow), database.read(patience=0.1) as tx:
        tx.value(text(ENDLESS))
    with database.read() as tx:
        assert tx.value(text("SELECT 1")) == 1


def test_patience_ends_with_its_transaction(database: Database):
    for _ in range(6):
        with database.read(patience=0.05) as tx:
            tx.value(text("SELECT 1"))
    with database.read() as tx:
        assert tx.value(text(COUNT.format(1_000_000))) == 1_000_000
        if tx.postgres:
            assert tx.value(text("SHOW statement_timeout")) == "0"
