"""A read that takes too long is stopped, and the connection is good for the next."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from store import engines
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


def test_a_wait_for_a_free_connection_is_short_for_who_is_impatient(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    assert engines.READ_WAIT <= 5
    monkeypatch.setattr(engines, "READ_WAIT", 0.2)
    database = Database(database_url)
    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(database.read())
        began = time.monotonic()
        with pytest.raises(TooSlow), database.read(patience=5.0):
            pass
        assert time.monotonic() - began < 0.2 * engines.READ_WAITS
        with pytest.raises(NoConnectionFree), database.read():
            pass
        assert time.monotonic() - began > 0.2 * engines.READ_WAITS
    with database.read(patience=5.0) as tx:
        assert tx.value(text("SELECT 1")) == 1
    database.close()
