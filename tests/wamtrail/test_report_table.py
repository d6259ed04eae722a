"""What others have named stands in the command's tables as it is."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reports import delivery, failures, grouping
from reports.report import Asked, Column, Report
from reports.sentences import sentences
from wamtrail import report_table
from wamtrail.main import app
from wamtrail.saying import cell

DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
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
    "sends_seen_until": NOW - 150.0,
}


def test_a_name_with_brackets_or_signs_that_steer_a_terminal_is_shown_as_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    day = date(2026, 11, 22)
    columns = (Column("template", "text", "template"), Column("sent", "count", "sent"))
    rows = tuple({"template": name, "sent": 1} for name in NAMES)
    report_table.show(Report(Asked("delivery", day, day, ("template",)), "UTC", columns, rows, TOLD), NOW)
    shown = capsys.readouterr().out
    assert "[/bold]" in shown
    assert "[red]sale" in shown
    assert "\x1b[2J" not in shown
    assert "line\N{REPLACEMENT CHARACTER}break" in shown


def test_a_report_in_which_nothing_counts_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    day = date(2026, 11, 22)
    columns, rows = (Column("sent", "count", "sent"),), ({"sent": 0},)
    report_table.show(Report(Asked("delivery", day, day, ()), "UTC", columns, rows, TOLD), NOW)
    assert capsys.readouterr().out == "Nothing counts for 2026-11-22.\n"


@pytest.mark.parametrize("width", [80, 120, 300])
def test_no_word_and_no_figure_is_cut_however_narrow_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(report_table, "WIDTH", width)
    asked = Asked("delivery", DAY, DAY, ("day", "number"))
    columns = (*grouping.columns(asked), *delivery.COLUMNS)
    figures = {one.name: 0.5 if one.kind == "share" else 1_234_567 for one in delivery.COLUMNS}
    rows = ({"day": "2026-11-22", "number": "106540352242922", **figures},)
    report_table.show(Report(asked, "UTC", columns, rows, TOLD), NOW)
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines()) <= width
    words = shown.replace("┃", " ").replace("│", " ").split()
    assert words.count("1,234,567") == 17
    assert {word for one in columns for word in one.title.split()} <= set(words)
    assert words.count("106540352242922") == words.count("2026-11-22") > 0
    assert (words.count("106540352242922") == 1) == (width == 300)


def test_the_code_of_a_failure_stands_in_each_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_table, "WIDTH", 80)
    row = {"code": "131026", "meaning": "Nobody " * 40, "owner": "recipient", "messages": 1, "share": 1.0}
    row |= {"before": 2, "trend": -0.5, "first_seen": 1_800_000_000, "example": "0" * 36}
    report_table.show(Report(Asked("failures", DAY, DAY), "UTC", failures.COLUMNS, (row,), TOLD), NOW)
    shown = capsys.readouterr().out
    assert shown.count("131026") == shown.count("┡") > 1
    assert "0" * 36 in shown
    assert "-50.0 %" in shown


def test_a_report_of_one_row_is_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    row = dict.fromkeys((one.name for one in delivery.COLUMNS), 0) | {"total": 2, "failed_rate": 0.125}
    report_table.show(Report(Asked("delivery", DAY, DAY), "UTC", delivery.COLUMNS, (row,), TOLD), NOW)
    lines = [line.strip("│ ").split("│") for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert [[part.strip() for part in line] for line in lines] == [
        ["taken in", "2"],
        ["failed of accepted", "12.5 %"],
    ]


def test_sentences_say_how_complete_a_report_is() -> None:
    def said(now: float = NOW, **told: Any) -> list[str]:
        return sentences(Report(Asked("delivery", DAY, DAY), "UTC", (), (), TOLD | told), now)

    assert said() == []
    assert said(still_moving=1_200, unmatched=1) == ["Still moving: 1,200.", "Not sent from here: 1."]
    assert said(news_waiting=1) == ["Not counted yet: 1 transaction."]
    assert said(webhooks_waiting=2, buckets_waiting=2, oldest_change_waiting_s=65.0) == [
        "Not counted yet: 2 webhooks, 2 days of a number, the oldest change 1 min 5 s ago."
    ]
    assert said(sends_seen_until=NOW - 3600.5) == [
        "What was taken in after 2026-11-22T10:59:59Z is not counted yet. Does the processor run?"
    ]
    assert said(NOW + 5 * 86_400, sends_seen_until=NOW + 86_400) == []  # which is after the period
    (one,) = said(worked_out=False, still_moving=1, sends_seen_until=None)
    assert one.startswith("No figures were worked out yet")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--since", "2026-W47-7"], "--since 2026-W47-7 is no day; write it as 2026-11-22."),
        (["--since", "20261122"], "--since 20261122 is no day; write it as 2026-11-22."),
        (["--since", "2026-11-31"], "--since 2026-11-31 is no day; write it as 2026-11-22."),
        (["--until", "0001-01-01"], "--until 0001-01-01 is too early: reports count from 2000-01-01 on."),
        (["--since", "0001-01-01"], "--since 0001-01-01 is too early: reports count from 2000-01-01 on."),
        (["--since", "2099-01-01"], "--since: The first day, 2099-01-01, lies after the last, "),
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
