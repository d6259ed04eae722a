"""What others have named stands in the command's tables as it is."""

from datetime import date

import pytest

from reports.report import Asked, Column, Report
from wamtrail import report
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


def test_a_cell_holds_no_style() -> None:
    assert cell("[red]x").spans == []
