"""The suite's own PostgreSQL is a real server, survives a crash, and does not outlive the tests."""

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from databases import Databases, PostgresUnavailable
from postgres import chosen_databases, postgres_server
from postgres_process import PREFIX, STALE_AFTER, remove_stale_folders
from sqlalchemy import create_engine, text

DIES_WITHOUT_CLEANING_UP = """
import os, signal
from postgres import postgres_server
with postgres_server() as server:
    print(server.pid, server.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_one_address_works_for_psycopg_and_for_sqlalchemy(postgres: Databases) -> None:
    url = postgres.create_database()
    with closing(psycopg.connect(url)) as connection:
        assert connection.info.server_version >= 140000
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        assert connection.execute(text("SHOW server_encoding")).scalar() == "UTF8"
    engine.dispose()
    postgres.drop_database(url)


def test_a_database_made_from_a_template_has_its_tables_and_is_its_own(postgres: Databases) -> None:
    template = postgres.create_database()
    with closing(psycopg.connect(template, autocommit=True)) as connection:
        connection.execute("CREATE TABLE kept (n integer)")
    copy = postgres.create_database(template)
    with closing(psycopg.connect(copy, autocommit=True)) as connection:
        connection.execute("INSERT INTO kept VALUES (1)")
    with closing(psycopg.connect(template)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    postgres.drop_database(copy)
    postgres.drop_database(template)


def test_what_was_committed_survives_every_way_to_go_down() -> None:
    with postgres_server(durable=True) as server:
        url = server.create_database()
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            connection.execute("CREATE TABLE kept (n integer)")
        for n, go_down in enumerate((server.kill, server.stop_immediately, server.stop)):
            with closing(psycopg.connect(url, autocommit=True)) as connection:
                connection.execute("INSERT INTO kept VALUES (%s)", [n])
                go_down()
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(url)
            server.start()
        with closing(psycopg.connect(url)) as connection:
            assert connection.execute("SELECT array_agg(n ORDER BY n) FROM kept").fetchone() == ([0, 1, 2],)
    assert not server.folder.exists()


if sys.platform == "linux":  # elsewhere nothing tells a child that its parent died

    def test_tests_that_are_killed_leave_no_server_behind() -> None:
        done = subprocess.run(
            [sys.executable, "-c", DIES_WITHOUT_CLEANING_UP],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        pid, folder = done.stdout.split()
        deadline = time.monotonic() + 30
        while _runs(int(pid)):
            assert time.monotonic() < deadline, "PostgreSQL outlived the tests"
            time.sleep(0.02)
        _pretend_it_is_old(Path(folder))
        remove_stale_folders(Path(folder).parent, time.time())
        assert not Path(folder).exists()


def test_a_folder_in_use_is_not_taken_for_a_stale_one() -> None:
    with postgres_server() as server:
        _pretend_it_is_old(server.folder)
        assert server.folder.name.startswith(PREFIX)
        remove_stale_folders(server.folder.parent, time.time())
        psycopg.connect(server.url("postgres")).close()


def test_an_outside_server_that_cannot_be_reached_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", f"postgresql://nobody@/postgres?host={tmp_path}")
    with (
        pytest.raises(
            PostgresUnavailable, match=r"^TEST_DATABASE_URL's server does not make databases: .*\.$"
        ),
        chosen_databases(),
    ):
        raise AssertionError("there is no server there")


def test_no_setting_of_the_person_who_runs_the_tests_is_seen() -> None:
    assert [name for name in os.environ if name.startswith("WAMTRAIL_")] == []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # empty: ended, waiting to be reaped
    except (FileNotFoundError, ProcessLookupError):
        return False


def _pretend_it_is_old(folder: Path) -> None:
    long_ago = time.time() - 2 * STALE_AFTER
    os.utime(folder / "owner.lock", (long_ago, long_ago))
