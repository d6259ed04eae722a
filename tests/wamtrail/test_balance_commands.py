"""`wamtrail balance` and `wamtrail rates`: what people type, and what they are told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from wamtrail.main import app
from wamtrail.settings import SettingsError, load

Run = Callable[..., Result]


@pytest.fixture
def wamtrail(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("WAMTRAIL_DATABASE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def written(folder: Path, text: str) -> Path:
    path = folder / "rates.csv"
    path.write_text("market,category,valid_from,rate,fee,currency\n" + text, encoding="utf-8")
    return path


def test_top_ups_and_corrections_make_the_balance(wamtrail: Run) -> None:
    said = wamtrail("balance", "top-up", "5000", "--note", "bank transfer 17", "--who", "Asha")
    assert said.stdout == "The balance is 5,000.00 INR.\n"
    assert wamtrail("balance", "correct", "-0.5", "--note", "invoice of November").exit_code == 0
    shown = json.loads(wamtrail("balance", "show", "--json").stdout)
    assert shown == {
        "balance": "4999.50",
        "credited": "4999.50",
        "charged": "0.00",
        "held": "0.00",
        "currency": "INR",
        "unpriced_messages": 0,
    }
    for_people = wamtrail("balance", "show").stdout
    assert "4,999.50 INR" in for_people
    assert "Asha: bank transfer 17" in for_people
    assert "WAMTRAIL_BALANCE is off" in for_people


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("top-up", "-5", "--note", "x"), "A top-up is more than 0"),
        (("top-up", "0", "--note", "x"), "A top-up is more than 0"),
        (("top-up", "1,5", "--note", "x"), "1,5 is no amount"),
        (("top-up", "5", "--note", " "), "The note is empty"),
        (("correct", "0", "--note", "x"), "corrects nothing"),
        (("show",), "There is no account yet"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(wamtrail: Run, words: tuple[str, ...], said: str) -> None:
    result = wamtrail("balance", *words)
    assert result.exit_code in (1, 2)
    assert said in result.stderr
    assert wamtrail("balance", "show", "--json").exit_code == 1


def test_rates_are_imported_once(wamtrail: Run, tmp_path: Path) -> None:
    file = written(tmp_path, "IN,utility,2026-10-01,0.115,0.05,INR\n*,marketing,2026-10-01,1,,\n")
    assert wamtrail("rates", "import", file).stdout == "2 new, 0 changed, 0 as they were.\n"
    assert wamtrail("rates", "import", file).stdout == "0 new, 0 changed, 2 as they were.\n"
    changed = written(tmp_path, "IN,utility,2026-10-01,0.116,0.05,INR\n")
    assert wamtrail("rates", "import", changed).stdout.startswith("0 new, 1 changed, 0 as they were.\n")
    shown = wamtrail("rates", "show", "--market", "IN").stdout
    assert "0.116" in shown
    assert "marketing" not in shown


def test_a_file_with_bad_lines_imports_nothing_and_names_each(wamtrail: Run, tmp_path: Path) -> None:
    file = written(
        tmp_path, "IN,utility,2026-10-01,0.115,0,INR\nIN,utility,soon,1,0,INR\nX,utility,2026-10-01,1,0,\n"
    )
    result = wamtrail("rates", "import", file)
    assert result.exit_code == 1
    assert [line[:16] for line in result.stderr.splitlines()] == [
        "wamtrail: line 3",
        "wamtrail: line 4",
        "wamtrail: Nothin",
    ]
    assert "There are no such rates" in wamtrail("rates", "show").stderr


def test_a_word_that_may_be_a_slip_and_a_foreign_currency_are_pointed_out(
    wamtrail: Run, tmp_path: Path
) -> None:
    said = wamtrail("rates", "import", written(tmp_path, "IN,maketing,2026-10-01,1,0,USD\n")).stdout
    assert "Is maketing right?" in said
    assert "Rates in USD are kept and not used" in said


def test_the_balance_is_off_until_it_is_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(env_file=None).budget() is None
    monkeypatch.setenv("WAMTRAIL_BALANCE", "on")
    monkeypatch.setenv("WAMTRAIL_CURRENCY", "USD")
    monkeypatch.setenv("WAMTRAIL_LOW_BALANCE", "99.5")
    settings = load(env_file=None)
    budget = settings.budget()
    assert budget is not None
    assert (budget.currency, settings.low_balance) == ("USD", 99_500_000)
    monkeypatch.setenv("WAMTRAIL_LOW_BALANCE", "much")
    with pytest.raises(SettingsError, match=r"WAMTRAIL_LOW_BALANCE cannot be used: is no amount"):
        load(env_file=None)
