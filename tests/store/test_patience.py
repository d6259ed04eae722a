"""A read that takes too long is stopped, and the connection is good for the next."""

import contextlib
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
    assert engines.POOL_WAIT <= 5
    monkeypatch.setattr(engines, "POOL_WAIT", 0.2)
    database = Database(database_url)
    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(database.read())
        began = time.monotonic()
        with pytest.raises(TooSlow), database.read(patience=5.0):
            pass
        assert time.monotonic() - began < 0.2 * engines.POOL_WAITS
        with pytest.raises(NoConnectionFree), database.read():
            pass
        assert time.monotonic() - began > 0.2 * engines.POOL_WAITS
    with database.read(patience=5.0) as tx:
        assert tx.value(text("SELECT 1")) == 1
    database.close()


def test_a_write_waits_no_longer_for_a_lock_or_a_connection_than_it_is_patient(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engines, "POOL_WAIT", 0.2)
    database = Database(postgresql_url)
    with database.write() as other:
        other.run(text("LOCK TABLE installation IN EXCLUSIVE MODE"))
        with pytest.raises(TooSlow), database.write(patience=0.1) as tx:
            tx.run(text("DELETE FROM installation"))
    with ExitStack() as held:
        for _ in range(16):
            held.enter_context(database.write())
        with pytest.raises(TooSlow), database.write(patience=5.0):
            pass
        with pytest.raises(NoConnectionFree), database.write():
            pass
    with database.write(patience=5.0) as tx:
        assert tx.value(text("SHOW lock_timeout")) == "5s"
        assert tx.value(text("SHOW statement_timeout")) == "0"  # it would hold for COMMIT, too
    with database.write() as tx:
        assert tx.value(text("SHOW lock_timeout")) == "0"
    database.close()


def test_an_impatient_write_is_one_transaction_like_any_other(database: Database):
    with database.write(patience=1.0) as tx:
        tx.run(text("INSERT INTO installation (name, value) VALUES ('kept', '1')"))
    with contextlib.suppress(ZeroDivisionError), database.write(patience=1.0) as tx:
        tx.run(text("INSERT INTO installation (name, value) VALUES ('lost', '1')"))
        raise ZeroDivisionError
    with database.read() as tx:
        found = tx.all(text("SELECT name FROM installation WHERE name IN ('kept', 'lost')"))
    assert [row.name for row in found] == ["kept"]
