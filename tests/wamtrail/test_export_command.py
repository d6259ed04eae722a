"""`wamtrail export` as people use it: whole files or none, masked unless revealed, pipes that may break."""

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from reports import export_xlsx
from reports.export import FIELDS
from reports.export_parquet import read_rows
from store.database import Database
from wamtrail.main import app

SEND = text(
    "INSERT INTO sends (message_id, phone_number_id, state, recipient_typed, recipient, type, payload_digest,"
    " priority, queued_at, due_at, expires_at, attempts, reference) VALUES (:id, :number, 'queued',"
    " '+919876543210', '919876543210', 'text', :digest, 0, :at, 0, 0, 0, :ref)"
)
ROWS = 6_000  # more than a page, and more than a pipe holds


@pytest.fixture(scope="module")
def template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "filled.db"
    path.write_bytes(sqlite_template.read_bytes())
    rows = [
        {
            "id": f"m{n:06d}",
            "number": "100" if n % 2 else "200",
            "digest": b"d",
            "at": 1_700_000_000.5 + n,
            "ref": f"=order+{n}",
        }
        for n in range(ROWS)
    ]
    with closing(Database(f"sqlite:///{path}")) as database, database.write() as tx:
        tx.run(SEND, rows)
    return path


@pytest.fixture
def run(template: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    def start(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command(*arguments), env=environment(template), capture_output=True, cwd=tmp_path
        )

    return start


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "wamtrail", "export", *arguments]


def environment(database: Path) -> dict[str, str]:
    return {**os.environ, "WAMTRAIL_DATABASE_URL": f"sqlite:///{database}"}


Run = Callable[..., subprocess.CompletedProcess[bytes]]


def test_standard_output_holds_every_message_once_and_no_whole_number(run: Run) -> None:
    done = run("messages")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    assert [row["message_id"] for row in rows] == [f"m{n:06d}" for n in range(ROWS)]
    assert list(rows[0]) == [field.name for field in FIELDS["messages"]]
    assert rows[0]["recipient"] == "+91 98•••••210"
    assert rows[0]["reference"] == "'=order+0"
    assert rows[0]["country"] == "IN"
    assert b"9876543210" not in done.stdout
    assert done.stderr.decode() == f"{ROWS:,} messages written.\n"


def test_what_is_revealed_is_whole_and_stands_in_the_audit_log(run: Run, template: Path) -> None:
    done = run(
        "messages", "--format", "ndjson", "--reveal", "--from", "200", "--until", "2023-11-14T22:13:30Z"
    )
    found = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [one["message_id"] for one in found] == [f"m{n:06d}" for n in range(0, 10, 2)]
    assert {one["recipient"] for one in found} == {"919876543210"}
    with closing(Database(f"sqlite:///{template}")) as database, database.read() as tx:
        noted = tx.first(text("SELECT target, reason, number FROM audit_log WHERE action = 'export'"))
    assert tuple(noted or ()) == ("messages as ndjson, revealed", "until 2023-11-14T22:13:30Z", "200")


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "xlsx"])
def test_a_file_appears_whole_under_its_name(run: Run, tmp_path: Path, form: str) -> None:
    done = run("messages", "--format", form, "--output", f"out.{form}")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("out")) == [f"out.{form}"]
    if form == "parquet":
        with (tmp_path / "out.parquet").open("rb") as file:
            assert [row["message_id"] for row in read_rows(file)] == [f"m{n:06d}" for n in range(ROWS)]


def test_a_link_stays_a_link_and_a_file_keeps_its_rights(run: Run, tmp_path: Path) -> None:
    kept, link = tmp_path / "kept.csv", tmp_path / "link.csv"
    kept.touch(mode=0o600)
    link.symlink_to(kept)
    assert run("messages", "--output", "link.csv").returncode == 0
    assert link.is_symlink()
    assert kept.read_bytes().count(b"\n") == ROWS + 1
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to_and_stays_one(template: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        command("messages", "--output", str(pipe)), env=environment(template), stderr=subprocess.PIPE
    ) as program:
        assert pipe.read_bytes().count(b"\n") == ROWS + 1
        assert program.stderr is not None
        assert program.stderr.read() == f"{ROWS:,} messages written to {pipe}.\n".encode()
    assert program.returncode == 0
    assert pipe.is_fifo()


def test_a_full_device_is_one_sentence_and_stays_a_device(run: Run) -> None:
    done = run("messages", "--output", "/dev/full")
    assert done.returncode == 1
    assert done.stderr == b"wamtrail: /dev/full cannot be written: No space left on device.\n"
    assert Path("/dev/full").is_char_device()


def test_who_reads_only_the_first_line_sees_no_traceback(template: Path) -> None:
    program = subprocess.Popen(
        command("messages"), env=environment(template), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with program:
        assert program.stdout is not None
        program.stdout.readline()
        program.stdout.close()
        assert program.stderr is not None
        assert program.stderr.read() == b""
    assert program.returncode == 1


def test_on_a_terminal_a_bar_tells_how_far_it_is_and_elsewhere_nothing_does(
    template: Path, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        command("messages", "--output", "out.csv"),
        env={**environment(template), "TERM": "xterm", "COLUMNS": "100"},
        cwd=tmp_path,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    with suppress(OSError):  # Linux says that nobody holds the other end any more
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    assert program.wait(30) == 0
    assert f"{ROWS}/{ROWS}".encode() in said
    assert b"6,000 messages written to out.csv." in said


def test_more_rows_than_a_sheet_has_are_one_plain_sentence_and_no_file(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_xlsx, "MOST", ROWS - 1)
    monkeypatch.setenv("WAMTRAIL_DATABASE_URL", f"sqlite:///{template}")
    out = tmp_path / "out.xlsx"
    done = CliRunner().invoke(app, ["export", "messages", "--format", "xlsx", "--output", str(out)])
    assert done.exit_code == 1
    assert done.stderr == (
        "wamtrail: A sheet holds at most 5,999 rows, and these are more:"
        " choose csv, ndjson or parquet, or a shorter period.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_leaves_no_file_of_that_name(
    template: Path, tmp_path: Path, how: signal.Signals, form: str
) -> None:
    """A pipe named FILE.part stands for a slow disk: the program is surely in the middle of writing."""
    os.mkfifo(tmp_path / "out.part")
    program = subprocess.Popen(
        command("messages", "--format", form, "--output", str(tmp_path / "out")),
        env=environment(template),
        stderr=subprocess.PIPE,
    )
    with program, (tmp_path / "out.part").open("rb") as reader:
        reader.read(1)
        program.send_signal(how)
        reader.read()  # what it still has to say before it ends, or it would wait for us for ever
        program.wait()
        assert program.stderr is not None
        assert program.stderr.read() == b""
    assert not (tmp_path / "out").exists()
    if how != signal.SIGKILL:
        assert program.returncode == 128 + how
        assert not (tmp_path / "out.part").exists()


def test_a_sheet_that_is_stopped_leaves_no_rows_behind(template: Path, tmp_path: Path) -> None:
    waiting = tmp_path / "waiting"
    waiting.mkdir()
    os.mkfifo(tmp_path / "out.part")
    program = subprocess.Popen(
        command("messages", "--format", "xlsx", "--output", str(tmp_path / "out")),
        env={**environment(template), "TMPDIR": str(waiting)},
        stderr=subprocess.PIPE,
    )
    with program, (tmp_path / "out.part").open("rb") as reader:
        reader.read(1)
        assert list(waiting.iterdir()) != []
        program.terminate()
        reader.read()
        assert program.wait() == 143
    assert list(waiting.iterdir()) == []


def test_two_exports_do_not_write_one_file(run: Run, template: Path, tmp_path: Path) -> None:
    """The first waits in the middle: nobody empties the pipe that stands for its FILE.part."""
    part = tmp_path / "out.part"
    os.mkfifo(part)
    first = subprocess.Popen(
        command("messages", "--output", str(tmp_path / "out")), env=environment(template)
    )
    with first, part.open("rb") as reader:
        reader.read(1)
        second = run("messages", "--output", "out")
        first.kill()
    assert second.returncode == 1
    assert second.stderr.decode() == (
        f"wamtrail: {part} is being written by another run: wait for it, or name another file.\n"
    )
    assert part.exists()


def test_standard_output_that_is_full_is_named(template: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("messages"), env=environment(template), stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 1
    assert done.stderr == b"wamtrail: Standard output cannot be written: No space left on device.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["people"], "There is no export of people; there are messages, updates, attempts."),
        (["messages", "--format", "doc"], "--format takes csv, ndjson, parquet, xlsx."),
        (["messages", "--output", ""], "--output is empty: name a FILE, or - for standard output."),
        (["messages", "--since", "soon"], "--since is not a time"),
        (["messages", "--since", "2099-01-01"], "Nothing lies between --since and now"),
        (["messages", "--output", "absent/out.csv"], "absent/out.csv cannot be written: No such file"),
    ],
)
def test_a_mistake_is_one_sentence(run: Run, arguments: list[str], sentence: str) -> None:
    done = run(*arguments)
    assert done.returncode in (1, 2)
    assert done.stderr.decode().startswith(f"wamtrail: {sentence}")
    assert done.stderr.count(b"\n") == 1
