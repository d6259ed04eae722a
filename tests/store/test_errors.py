"""What is told when a database cannot do its work: one sentence, never a password; and how each is opened."""

import random
import re
import sqlite3
import threading
import traceback
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from databases import Databases
from sqlalchemy import make_url, text
from store_samples import NOW, rows, submitted

from store import engines
from store.database import Database, is_transient
from store.errors import BadDatabaseUrl, DatabaseAway, StoreError
from store.webhooks import Incoming, keep

SECRET = "geheim-7"
NOISE = random.Random(7).randbytes(500_000)  # does not compress


def told(work: Callable[[], object], kind: type[StoreError]) -> str:
    """The sentence, after a look through all that a log would show of the error."""
    with pytest.raises(kind) as caught:
        work()
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value)
    sentence = str(caught.value)
    assert re.fullmatch(r"[A-Z][^\n]+[^.]\.", sentence), sentence
    return sentence


def write(url: str) -> None:
    database = Database(url)
    try:
        with database.write() as tx:
            tx.run(text("INSERT INTO installation VALUES ('a', 'b')"))
    finally:
        database.close()


def read(url: str) -> None:
    database = Database(url)
    try:
        with database.read() as tx:
            tx.value(text("SELECT count(*) FROM installation"))
    finally:
        database.close()


# Away


@pytest.mark.parametrize("work", [write, read])
def test_a_server_that_is_not_there_is_away(tmp_path: Path, work: Callable[[str], None]) -> None:
    for place in ("@127.0.0.1:1/wamtrail", f"@/wamtrail?host={tmp_path}"):
        sentence = told(partial(work, f"postgresql://somebody:{SECRET}{place}"), DatabaseAway)
        assert sentence.startswith("PostgreSQL cannot be used")
        assert "WAMTRAIL_DATABASE_URL" in sentence


@pytest.mark.parametrize("work", [write, read])
def test_a_database_or_a_user_that_the_server_does_not_know_is_away(
    postgres: Databases, work: Callable[[str], None]
) -> None:
    for url in (postgres.url("absent"), postgres.url("postgres").replace("nobody@", f"stranger:{SECRET}@")):
        told(partial(work, url), DatabaseAway)


@pytest.mark.parametrize("work", [write, read])
def test_a_folder_that_is_not_there_is_away(tmp_path: Path, work: Callable[[str], None]) -> None:
    sentence = told(lambda: work(f"sqlite:///{tmp_path}/absent/wamtrail.db"), DatabaseAway)
    assert f"{tmp_path}/absent/wamtrail.db" in sentence
    assert "unable to open" in sentence


@pytest.mark.parametrize("work", [write, read])
def test_a_file_that_is_no_database_is_away(tmp_path: Path, work: Callable[[str], None]) -> None:
    (tmp_path / "notes.txt").write_text("These are notes, and no database at all. " * 50)
    assert "not a database" in told(lambda: work(f"sqlite:///{tmp_path}/notes.txt"), DatabaseAway)


def test_a_file_that_may_only_be_read_is_away_for_writing_and_there_for_reading(sqlite_url: str) -> None:
    path = make_url(sqlite_url).database
    read_only = f"sqlite:///file:{path}?mode=ro&uri=true"
    write(sqlite_url)
    assert "readonly" in told(lambda: write(read_only), DatabaseAway)
    read(read_only)


def test_a_full_disk_is_away_and_what_was_kept_stays(sqlite_database: Database) -> None:
    with sqlite_database.write() as tx:
        keep(tx, [Incoming(b"kept", NOW)])
        tx.driver(f"PRAGMA max_page_count={tx.value(text('PRAGMA page_count')) + 2}")

    def fill() -> None:
        with sqlite_database.write() as tx:
            keep(tx, [Incoming(NOISE[:90_000], NOW)])

    assert "full" in told(fill, DatabaseAway)
    assert [row["body"] for row in rows(sqlite_database, "webhooks")] == [b"kept"]


def test_a_file_that_stays_locked_is_away(
    sqlite_database: Database, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "SQLITE_WAIT", 0.1)
    with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in told(lambda: submitted(sqlite_database), DatabaseAway)
        other.execute("ROLLBACK")
    submitted(sqlite_database)


def test_a_file_that_is_locked_for_a_while_is_waited_for(sqlite_database: Database, sqlite_url: str) -> None:
    waiting = threading.Thread(target=submitted, args=(sqlite_database,))
    with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting.start()
        while not sqlite_database._turn._busy:
            assert waiting.is_alive()
        assert rows(sqlite_database, "sends") == []  # readers do not wait for a writer
        other.execute("ROLLBACK")
    waiting.join(30)
    assert len(rows(sqlite_database, "sends")) == 1


def test_a_session_that_the_server_ended_is_away_once_and_then_there_again(
    postgresql_database: Database,
) -> None:
    def ended_within() -> None:
        with postgresql_database.write() as tx:
            keep(tx, [Incoming(b"{}", NOW)])
            pid = tx.value(text("SELECT pg_backend_pid()"))
            with postgresql_database.write() as other:
                assert other.value(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            keep(tx, [Incoming(b"{}", NOW)])

    told(ended_within, DatabaseAway)
    assert rows(postgresql_database, "webhooks") == []
    submitted(postgresql_database)
    assert len(rows(postgresql_database, "sends")) == 1


def test_a_server_that_only_reads_is_away(postgresql_database: Database) -> None:
    def on_a_standby() -> None:
        with postgresql_database.write() as tx:
            tx.run(text("SET TRANSACTION READ ONLY"))
            keep(tx, [Incoming(b"{}", NOW)])

    assert "25006" in told(on_a_standby, DatabaseAway)


def test_a_fault_of_ours_is_not_told_as_a_database_that_is_away(database: Database) -> None:
    for statement in ("SELECT nothing FROM nowhere", "INSERT INTO installation VALUES (NULL, NULL)"):
        with pytest.raises(Exception, match=r"nowhere|(?i:null)") as caught, database.write() as tx:
            tx.run(text(statement))
        assert not isinstance(caught.value, StoreError)
        assert not is_transient(caught.value)


def test_a_deadlock_may_succeed_when_it_is_tried_again(postgresql_database: Database) -> None:
    from sqlalchemy.exc import DBAPIError

    submitted(postgresql_database)

    def blocked() -> None:
        with postgresql_database.write() as tx, postgresql_database.write() as other:
            for one in (tx, other):
                one.run(text("SET LOCAL lock_timeout = '10ms'"))
                one.run(text("UPDATE sends SET note = 'x'"))

    with pytest.raises(DBAPIError) as caught:
        blocked()
    assert is_transient(caught.value)


# Addresses


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "neither sqlite:///FILE nor postgresql://"),
        ("wamtrail.db", "neither sqlite:///FILE nor postgresql://"),
        (f"mysql://somebody:{SECRET}@host/wamtrail", "neither sqlite:///FILE nor postgresql://"),
        (f"postgresql+asyncpg://somebody:{SECRET}@host/wamtrail", "neither sqlite:///FILE nor postgresql://"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        (f"postgresql://somebody:{SECRET}@host:{SECRET}/wamtrail", "the port as a number"),
        (f"postgresql://somebody:12{SECRET}/34@host/wamtrail:x", None),
        (f"postgresql://somebody:{SECRET}@host/wamtrail?sslmod=require", "an option after its ?"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_with_what_to_write(url: str, words: str | None) -> None:
    if words is None:  # it can be read, if not as it was meant
        assert Database(url).url.startswith("postgresql+psycopg://")
    else:
        assert words in told(lambda: Database(url), BadDatabaseUrl)


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        (
            "postgresql+psycopg://u@h:5433/d?sslmode=require",
            "postgresql+psycopg://u@h:5433/d?sslmode=require",
        ),
        ("postgresql:///d?host=/run/postgresql", "postgresql+psycopg:///d?host=/run/postgresql"),
        ("sqlite:///wamtrail.db", "sqlite:///wamtrail.db"),
        ("sqlite:////data/wamtrail.db", "sqlite:////data/wamtrail.db"),
    ],
)
def test_every_usual_way_to_write_an_address_is_understood(url: str, normalised: str) -> None:
    assert engines.normalised(url) == normalised
    assert engines.normalised(normalised) == normalised


# How they are opened


def pragma(database: Database, name: str) -> object:
    with database.write() as tx:
        return tx.value(text(f"PRAGMA {name}"))


def test_a_new_file_is_opened_so_that_nothing_committed_can_be_lost(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new.db")
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == 2
    assert pragma(database, "auto_vacuum") == 2
    database.close()


def test_a_migrated_file_gives_space_back(sqlite_database: Database, sqlite_url: str) -> None:
    assert pragma(sqlite_database, "auto_vacuum") == 2
    with sqlite_database.write() as tx:
        keep(tx, [Incoming(NOISE, NOW)])
    with sqlite_database.write() as tx:
        tx.run(text("DELETE FROM webhooks"))
    with closing(sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None)) as file:
        before, free = (
            file.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")
        )
        file.executescript("PRAGMA incremental_vacuum")  # execute() would stop after one page
        after = file.execute("PRAGMA page_count").fetchone()[0]
    assert free > 100
    assert after <= before - free


def test_a_commit_is_on_disk_whatever_the_servers_default(postgresql_database: Database) -> None:
    with postgresql_database.read() as tx:
        default = tx.value(text("SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'"))
    assert default == "off", "the test needs a server that is set to lose commits"
    with postgresql_database.write() as tx:
        assert tx.value(text("SHOW synchronous_commit")) == "on"
        assert tx.value(text("SHOW transaction_isolation")) == "read committed"


def test_text_is_compared_byte_by_byte_on_both(database: Database) -> None:
    words = ["a", "B", "é", "Z", "ä", "\U0001f600", "￿", "aa", "a "]
    with database.write() as tx:
        for word in words:
            tx.run(text("INSERT INTO installation VALUES (:word, '')"), {"word": word})
        found = tx.all(text("SELECT name FROM installation WHERE value = '' ORDER BY name"))
    assert [row.name for row in found] == sorted(words)
