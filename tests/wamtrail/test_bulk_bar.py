"""What people see while a list is on its way."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from sender.bulk_progress import Standing
from store.bulk_runs import Run
from wamtrail import bulk_bar
from wamtrail.bulk_running import exit_code

RUN = Run("run", "list.csv", "list.csv", b"", "1", state="running", invalid=3, loaded_at=1.0)
HALF = Standing(RUN, accepted=30, refused=2, unknown=1, queued=60, sending=7)


def test_the_line_tells_all_that_matters():
    assert bulk_bar.line(HALF, 33.5) == (
        "33 of 100 | accepted 30, refused 2, unknown 1, unusable 3 | 33.5 a second | 2 s left"
    )
    reading = replace(HALF, run=replace(RUN, loaded_at=None), held="a bad key")
    assert bulk_bar.line(reading, None) == (
        "33 of 100, still reading | accepted 30, refused 2, unknown 1, unusable 3 | held: a bad key"
    )


def test_elsewhere_than_on_a_terminal_a_plain_line_comes_every_few_seconds(
    capsys: pytest.CaptureFixture[str],
):
    moments = iter([0.0, 1.0, 1.0, 6.0, 6.0, 6.0, 7.0, 7.0])
    with bulk_bar.reporting(lambda: next(moments)) as report:
        report(HALF)
        report(replace(HALF, accepted=60, queued=30))
        report(replace(HALF, accepted=70, queued=20))
    assert capsys.readouterr().err.splitlines() == [
        "63 of 100 | accepted 60, refused 2, unknown 1, unusable 3 | 6.0 a second | 6 s left"
    ]


def test_on_a_terminal_a_bar_is_drawn(monkeypatch: pytest.MonkeyPatch):
    screen = io.StringIO()
    monkeypatch.setattr(
        "rich.console.Console", lambda **_: Console(file=screen, force_terminal=True, width=140)
    )
    clock = iter(float(n) for n in range(100))
    with bulk_bar.reporting(lambda: next(clock)) as report:
        report(HALF)
    assert "33 of 100 | accepted 30" in screen.getvalue()
    assert "━" in screen.getvalue()


@pytest.mark.parametrize(
    ("standing", "detach", "code"),
    [
        (Standing(replace(RUN, invalid=0), accepted=5), False, 0),
        (Standing(RUN, accepted=5), False, 1),
        (Standing(replace(RUN, invalid=0), accepted=5, unknown=1), False, 3),
        (Standing(replace(RUN, invalid=0), accepted=5, queued=1), False, 4),
        (Standing(replace(RUN, invalid=0), queued=5), True, 0),
    ],
)
def test_the_exit_code_tells_how_it_ended(standing: Standing, detach: bool, code: int):
    assert exit_code(standing, detach=detach) == code
