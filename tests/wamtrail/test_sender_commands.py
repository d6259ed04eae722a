"""`wamtrail sender`: hold, release, set a rate, and see how sending stands."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from store import numbers
from store.database import Database
from wamtrail.main import app

NUMBER = "106540352242922"


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("WAMTRAIL_DATABASE_URL", database_url)
    database = Database(database_url)
    yield database
    database.close()


def said(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["sender", *arguments])


def shown() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said("show", "--json").stdout)
    return found


def test_a_number_is_held_with_a_reason_and_released(database: Database) -> None:
    done = said("pause", "--number", NUMBER, "--reason", "moving house")
    assert (done.exit_code, NUMBER in done.stdout) == (0, True)
    assert f"held        {NUMBER} until `wamtrail sender resume`: moving house" in said("show").stdout
    [number] = shown()["numbers"]
    assert number == {
        "phone_number_id": NUMBER,
        "rate": None,
        "held": True,
        "reason": "moving house",
        "until": None,
        "on_trial": False,
    }
    everything = said("resume").stdout
    assert "Nothing to release: all sending is not held." in everything
    assert f"`wamtrail sender resume --number {NUMBER}` releases it" in everything
    assert "released" in said("resume", "--number", NUMBER).stdout
    assert "held        nothing" in said("show").stdout


def test_all_sending_is_held_once_and_released(database: Database) -> None:
    assert "held before" not in said("pause").stdout
    assert "held before" in said("pause", "--reason", "still").stdout
    with database.read() as tx:
        [account] = numbers.every(tx)
    assert account.phone_number_id == numbers.ACCOUNT
    assert account.paused(time.time() + 10 * 365 * 86_400)
    assert shown()["numbers"][0]["phone_number_id"] is None
    assert "held        all sending until" in said("show").stdout
    assert "All sending is released." in said("resume").stdout


def test_a_hold_that_ends_by_itself_says_when_and_what_then(database: Database) -> None:
    with database.write() as tx:
        numbers.pause(tx, NUMBER, "131031 Account locked", time.time(), until=2_000_000_000.0)
        numbers.pause(tx, numbers.ACCOUNT, "RBC201", time.time() - 60, until=time.time() - 30)
    text = said("show").stdout
    assert f"{NUMBER} until 2033-05-18T03:33:20Z, then one message is tried: 131031" in text
    assert "all sending until the next message goes well: RBC201" in text
    assert [(one["on_trial"], one["until"] is None) for one in shown()["numbers"]] == [
        (True, False),
        (False, False),
    ]


def test_a_number_may_have_a_rate_of_its_own(database: Database) -> None:
    assert said("rate", "--number", NUMBER, "--per-second", "20").exit_code == 0
    assert f"rate        {NUMBER}: 20 a second" in said("show").stdout
    assert said("rate", "--number", NUMBER).exit_code == 0
    assert "20 a second" not in said("show").stdout
    for wrong in ("0", "-3", "nan", "1e9"):
        assert said("rate", "--number", NUMBER, "--per-second", wrong).exit_code == 2


def test_a_phone_number_is_not_taken_for_its_id(database: Database) -> None:
    done = said("pause", "--number", "+919812340001")
    assert done.exit_code == 2
    assert "--number: this is a phone number" in done.stderr
    assert said("pause", "--reason", " ").exit_code == 2


def test_an_idle_installation_shows_zeros(database: Database) -> None:
    told = shown()
    assert (told["queued"], told["sending"], told["unknown"], told["sent_twice"]) == (0, 0, 0, 0)
    assert (told["pace"], told["default_rate"], told["oldest_due_at"], told["numbers"]) == (
        0.97,
        80,
        None,
        [],
    )
    lines = said("show").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        *("queued", "sending", "unknown", "sent twice", "pace", "held")
    ]
