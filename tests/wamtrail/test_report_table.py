"""What others have named stands in the command's tables as it is."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.report import Asked, Column, Report
from wamtrail import report
from wamtrail.main import app
from wamtrail.saying import cell

NAMES = ("[/bold]", "[red]sale", "a\x1b[2Jb", "line\nbreak")
TOLD = {
    "worked_out": True,
    "still_moving": 0,
    "unknown": 0,
    "unmatched": 0,
    "webhooks_waiting": 0,
    "news_waiting": 0,
    "buckets_waiting": 0,
    "late_for_sealed_days": 0,
    "zone_changes": False,
}


def test_a_name_with_brackets_or_signs_that_steer_a_terminal_is_shown_as_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    day = date(2026, 11, 22)
    columns = (Column("template", "text", "template"), Column("sent", "count", "sent"))
    rows = tuple({"template": name, "sent": 1} for name in NAMES)
    report._table(Report(Asked("delivery", day, day, ("template",)), "UTC", columns, rows, TOLD))
    shown = capsys.readouterr().out
    assert "[/bold]" in shown
    assert "[red]sale" in shown
    assert "\x1b[2J" not in shown
    assert "line\N{REPLACEMENT CHARACTER}break" in shown


def test_a_report_in_which_nothing_counts_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    day = date(2026, 11, 22)
    columns, rows = (Column("sent", "count", "sent"),), ({"sent": 0},)
    report._table(Report(Asked("delivery", day, day, ()), "UTC", columns, rows, TOLD))
    assert capsys.readouterr().out == "Nothing counts for 2026-11-22 to 2026-11-22.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--until", "0001-01-01"], "--until 0001-01-01 is too early: reports count from 2000-01-01 on."),
        (["--since", "0001-01-01"], "--since 0001-01-01 is too early: reports count from 2000-01-01 on."),
        (["--since", "2099-01-01"], "--since: "),
    ],
)
def test_a_day_that_no_report_has_is_one_sentence(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.setenv("WAMTRAIL_DATABASE_URL", sqlite_url)
    told = CliRunner().invoke(app, ["report", "cost", *arguments])
    assert told.exit_code == 2
    assert told.stderr.startswith(f"wamtrail: {sentence}")
    assert told.stderr.count("\n") == 1


def test_a_full_device_is_one_sentence(sqlite_url: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "wamtrail", "report", "cost", "--format", "csv"],
            env={**os.environ, "WAMTRAIL_DATABASE_URL": sqlite_url},
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 1
    assert done.stderr == b"wamtrail: The output cannot be written: No space left on device.\n"


def test_a_cell_holds_no_style() -> None:
    assert cell("[red]x").spans == []
