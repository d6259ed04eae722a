"""`wamtrail retention run`: what it tells, killed in the middle and begun anew, beside a busy door."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from store import events, open_messages, rollups, search_follow, webhooks
from store.apply import Understood, apply
from store.backlog import claim
from store.database import Database
from store.records import Parsed, StatusUpdate
from store.retention_ages import DAY, MessageAge
from store.webhooks import Incoming
from wamtrail.main import app
from wamtrail.settings import SettingsError, load

MANY = 1_000
UTC = ZoneInfo("UTC")
NOW = time.time()
OLD = NOW - 500 * DAY


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def command(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    monkeypatch.setenv("WAMTRAIL_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    return [sys.executable, "-m", "wamtrail", "retention", "run"]


def said(first: int, count: int, at: float) -> list[Understood]:
    """Each webhook tells of a message of its own, which we did not send."""
    return [
        Understood(n, at, Parsed((StatusUpdate(f"wamid.{n}", "", "sent", int(at), "", "100"),)))
        for n in range(first, first + count)
    ]


def grown(database: Database, count: int, at: float, first: int = 1) -> None:
    with database.write() as tx:
        webhooks.keep(tx, [Incoming(b"{}", at)] * count)
        apply(tx, said(first, count, at), at)


def followed(database: Database) -> None:
    while open_messages.step(database) or search_follow.step(database):
        pass
    rollups.refresh_all(database, UTC, time.time)


def counted(database: Database, table: str) -> int:
    with database.read() as tx:
        return int(tx.value(text(f"SELECT count(*) FROM {table}")))


def figures(database: Database) -> list[tuple[str, int]]:
    with database.read() as tx:
        rows = tx.all(text("SELECT day, sent FROM report_buckets ORDER BY day"))
    return [(row.day, int(row.sent)) for row in rows]


def killed_while(command: list[str], half: Callable[[], bool]) -> None:
    """Kill -9 as soon as it is half done."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not half():
        assert running.poll() is None, "it ended before it could be killed"
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL


def test_killed_at_any_instant_it_ends_the_same(database: Database, command: list[str]) -> None:
    grown(database, MANY, OLD)
    grown(database, 5, NOW, MANY + 1)
    followed(database)
    before = figures(database)
    for table in ("webhooks", "messages"):
        killed_while(command, lambda table=table: counted(database, table) < MANY)  # type: ignore[misc]
        assert counted(database, table) > 5
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Gone:" in done.stdout
    assert done.stderr == ""
    for table in ("webhooks", "messages", "status_updates", "strangers", "report_strangers"):
        assert counted(database, table) == 5, table
    assert figures(database) == before
    assert CliRunner().invoke(app, ["retention", "run"]).stdout == "Nothing was past its age.\n"
    with database.read() as tx:
        entries = tx.all(text("SELECT action FROM audit_log"))
    assert [row.action for row in entries] == ["retention"] * 2


def test_the_door_and_a_reader_of_the_feed_go_on_beside_it(database: Database, command: list[str]) -> None:
    grown(database, MANY, OLD)
    followed(database)
    stopping, written = threading.Event(), threading.Event()
    kept, read = [0], set[str]()
    slowest = [0.0]

    def door() -> None:
        while not stopping.is_set():
            started = time.monotonic()
            with database.write(urgent=True) as tx:
                webhooks.keep(tx, [Incoming(b"{}", time.time())])
            with database.write() as tx:
                markers = claim(tx, after=0, most=10, most_bytes=1 << 20)
                apply(tx, [said(one.webhook_id, 1, one.received_at)[0] for one in markers], time.time())
            slowest[0] = max(slowest[0], time.monotonic() - started)
            kept[0] += 1

    with database.read() as tx:  # before the door writes: what it writes is read below
        begin = events.page(tx, events.After(1), 1).after

    def reader() -> None:
        after = begin
        while True:
            ended = written.is_set()
            with database.read() as tx:
                page = events.page(tx, after, 100)
            read.update(row["wamid"] for row in page.updates_and_attempts)
            after = page.after
            if ended and not page.more:
                return

    working, reading = (threading.Thread(target=one) for one in (door, reader))
    working.start()
    reading.start()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    stopping.set()
    working.join()
    written.set()
    reading.join()
    assert done.returncode == 0, done.stderr
    assert kept[0] > 20
    assert slowest[0] < 5.0
    assert counted(database, "webhooks") == counted(database, "messages") == kept[0]
    assert len(read) == kept[0]


def test_it_tells_what_would_go_and_what_went(database: Database, command: list[str]) -> None:
    grown(database, 3, OLD)
    followed(database)
    dry = CliRunner().invoke(app, ["retention", "run", "--dry-run"])
    assert dry.exit_code == 0
    assert dry.stdout.startswith("Would go:\n  webhooks")
    assert counted(database, "webhooks") == 3
    real = CliRunner().invoke(app, ["retention", "run"])
    assert "strangers' messages             3" in real.stdout
    again = CliRunner().invoke(app, ["retention", "run", "--dry-run"])
    assert again.stdout == "Nothing is past its age.\n"


def test_a_zone_that_came_after_days_were_sealed_is_refused_by_all_who_count(
    database: Database, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(database, 3, OLD)
    followed(database)
    CliRunner().invoke(app, ["retention", "run"])
    monkeypatch.setenv("WAMTRAIL_REPORT_ZONE", "Asia/Kolkata")
    sentence = "Set WAMTRAIL_REPORT_ZONE back to UTC."
    for asked in (["retention", "run"], ["report", "delivery", "--format", "csv"]):
        done = CliRunner().invoke(app, asked)
        assert done.exit_code == 0
        assert sentence in done.stderr
    doctor = CliRunner().invoke(app, ["doctor"])
    assert doctor.exit_code == 1
    assert sentence in doctor.stdout
    report = CliRunner().invoke(app, ["report", "delivery", "--format", "ndjson"])
    assert "Asia/Kolkata" not in report.stdout


def test_what_stays_is_told_in_one_line(database: Database, command: list[str]) -> None:
    grown(database, 3, OLD)
    told = CliRunner().invoke(app, ["retention", "run"])
    assert told.exit_code == 0
    assert "wamtrail: The follower `rollups` is behind" in told.stderr


def test_a_wrong_clock_deletes_nothing(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WAMTRAIL_DATABASE_URL", postgresql_url)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("wamtrail.opening.clock", lambda: time.time() + 4000 * DAY)
    told = CliRunner().invoke(app, ["retention", "run"])
    assert told.exit_code == 1
    assert "clocks of this machine and of the database differ by 96,000 hours" in told.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BODIES", "500d", "WAMTRAIL_KEEP_BODIES is longer than WAMTRAIL_KEEP_MESSAGES"),
        ("EVENTS", "forever", "WAMTRAIL_KEEP_EVENTS is longer than WAMTRAIL_KEEP_MESSAGES"),
        ("AUDIT", "30d", "WAMTRAIL_KEEP_AUDIT is shorter than WAMTRAIL_KEEP_MESSAGES"),
        ("MESSAGES", "10d", "WAMTRAIL_KEEP_MESSAGES is shorter than 35d"),
        ("BODIES", "12h", "is no age; write 90d, at least 1d, or forever."),
        ("BODIES", "soon", "WAMTRAIL_KEEP_BODIES cannot be used: is no age"),
    ],
)
def test_ages_that_do_not_go_together_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"WAMTRAIL_KEEP_{name}", value)
    with pytest.raises(SettingsError) as refused:
        load(None)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [("40d", (40 * DAY, 40 * DAY, 40 * DAY, 730 * DAY)), ("forever", (90 * DAY, None, 90 * DAY, None))],
)
def test_ages_that_nobody_set_give_way_to_that_of_messages(
    monkeypatch: pytest.MonkeyPatch, messages: str, expected: tuple[float | None, ...]
) -> None:
    monkeypatch.setenv("WAMTRAIL_KEEP_MESSAGES", messages)
    ages = load(None).ages()
    assert (ages.bodies, ages.messages, ages.events, ages.audit) == expected


def test_an_age_of_messages_that_was_set_is_in_force_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(None).message_age() == MessageAge(400 * DAY, at_once=False)
    monkeypatch.setenv("WAMTRAIL_KEEP_MESSAGES", "40d")
    assert load(None).message_age() == MessageAge(40 * DAY)
    monkeypatch.setenv("WAMTRAIL_KEEP_MESSAGES", "forever")
    assert load(None).message_age() is None


def test_everything_may_be_kept_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("BODIES", "MESSAGES", "EVENTS", "AUDIT"):
        monkeypatch.setenv(f"WAMTRAIL_KEEP_{kind}", "forever")
    ages = load(None).ages()
    assert (ages.bodies, ages.messages, ages.events, ages.audit) == (None, None, None, None)
