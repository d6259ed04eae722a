"""Opening the database: what is worth a warning disturbs no command's output."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path


def test_a_warning_about_newer_tables_never_stands_in_what_a_command_prints(sqlite_url: str, tmp_path: Path):
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    done = subprocess.run(
        [sys.executable, "-m", "wamtrail", "token", "create", "--role", "reporter"],
        env={"WAMTRAIL_DATABASE_URL": sqlite_url, "PATH": "/usr/bin:/bin"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("wt_")
    assert len(done.stdout.splitlines()) == 1
    assert "tables_are_newer" in done.stderr
