"""docs/reporting_job.py as a user runs it: killed and resumed it ends with the figures of the reports."""

import http.server
import importlib.util
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from flows.installation import Installation
from job_traffic import SINCE, UNTIL, Traffic, stored_attempts, stored_updates
from story_seeds import Seeds

from store import rollups

SCRIPT = Path(__file__).parents[2] / "docs" / "reporting_job.py"
KILLS = 5
COLUMNS = ("accepted", "sent", "delivered", "read", "played", "failed")
Table = list[dict[str, str]]


class Job:
    """The script with a file of its own."""

    def __init__(self, folder: Path, url: str, token: str = "wt_x") -> None:
        self.file = folder / "events.db"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("EVENTS_")},
            "EVENTS_URL": url,
            "EVENTS_TOKEN": token,
            "EVENTS_FILE": str(self.file),
            "EVENTS_PAGE": "25",
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def table(self) -> Table:
        """It runs to its end; what it printed."""
        with self.start() as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        heading, *lines = [line.split("\t") for line in out.splitlines()]
        return [dict(zip(heading, line, strict=True)) for line in lines]

    def asked(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.file, timeout=60)) as file:
            return file.execute(statement).fetchall()

    def asked_once(self) -> bool:
        try:
            return bool(self.asked("SELECT 1 FROM place WHERE cursor IS NOT NULL"))
        except sqlite3.OperationalError:
            return False  # it has not begun

    def taken(self) -> int:
        try:
            return int(self.asked("SELECT events FROM place")[0][0])
        except (sqlite3.OperationalError, IndexError):
            return 0  # it has not begun


def test_killed_again_and_again_it_ends_with_the_figures_of_the_reports(
    seeds: Seeds, database_url: str, tmp_path: Path
) -> None:
    database = seeds.database
    traffic = Traffic(database, seed=7)
    for _ in range(3):
        traffic.round()
    with Installation(database_url, tmp_path) as installed:
        address = f"http://127.0.0.1:{installed.console_port}"
        installed.start("run", "console", ready=f"{address}/healthz")
        token = seeds.token()
        job = Job(tmp_path, address, token)
        for _ in range(KILLS):
            before = job.taken()
            with job.start("--follow") as process:
                while job.taken() <= before:
                    assert process.poll() is None, process.communicate()[1]
                    traffic.round()
                process.kill()
            assert process.returncode == -signal.SIGKILL
        traffic.last()
        told = job.table()
        rollups.refresh_all(database, ZoneInfo("UTC"), lambda: 1_800_000_000.0)
        report = httpx.get(
            f"{address}/api/v1/reports/delivery",
            params={"since": SINCE.isoformat(), "until": UNTIL.isoformat(), "by": "day"},
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        ).json()
    updates, attempts = stored_updates(database), stored_attempts(database)
    assert set(job.asked("SELECT * FROM updates")) == updates
    assert set(job.asked("SELECT * FROM attempts")) == attempts
    assert job.taken() == len(updates) + len(attempts)  # no event came twice, not even across a kill
    wanted = [{"day": row["day"], **{name: str(row[name]) for name in COLUMNS}} for row in report["rows"]]
    assert told == sorted(wanted, key=lambda row: row["day"])
    assert all(any(row[name] != "0" for row in told) for name in COLUMNS)


# What stands in the way, played by a server that answers from a list.

EMPTY = {"events": [], "next": "c1", "more": False}
Answer = tuple[int, dict[str, str], bytes]


def page(**more: Any) -> Answer:
    return 200, {}, json.dumps({**EMPTY, **more}).encode()


def refusal(status: int, detail: str = "No.", **headers: str) -> Answer:
    return status, headers, json.dumps({"title": "x", "status": status, "detail": detail}).encode()


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[str, list[str]]]:
    """Each answer once, in order; the address, and what was asked for."""
    asked: list[str] = []
    left = list(answers)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, body = left.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if "Content_Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The script as a module; its pauses are written down in `slept` and take no time."""
    spec = importlib.util.spec_from_file_location("reporting_job", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.slept = []  # type: ignore[attr-defined]
    monkeypatch.setattr(module.time, "sleep", module.slept.append)
    monkeypatch.setenv("no_proxy", "*")
    return module


def test_it_waits_as_long_as_it_is_told_and_asks_for_the_same_again(script: ModuleType) -> None:
    with answering(refusal(429, Retry_After="17"), page()) as (url, asked):
        assert script.fetch(url, "wt_x", "c0", 25) == EMPTY
    assert script.slept == [17.0]
    assert asked == ["/api/v1/events?limit=25&after=c0"] * 2


@pytest.mark.parametrize(
    "passing",
    [
        refusal(503, Retry_After="5"),
        refusal(502),
        (200, {}, b'{"events": [], "ne'),
        (200, {"Content_Length": "99"}, b"{"),
    ],
    ids=["503", "502", "half a text", "cut off"],
)
def test_what_passes_is_tried_again(script: ModuleType, passing: Answer) -> None:
    with answering(passing, page()) as (url, _):
        assert script.fetch(url, "wt_x", None, 25) == EMPTY
    assert len(script.slept) == 1


def test_with_nobody_there_it_tries_for_longer_and_longer_and_then_gives_up(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"Gave up after 8 tries.*Nothing is lost"):
        script.fetch("http://127.0.0.1:9", "wt_x", None, 25)
    assert len(script.slept) == script.TRIES - 1
    assert all(2.0**n / 2 <= pause <= 2.0**n for n, pause in enumerate(script.slept[:6]))
    assert max(script.slept) <= script.LONGEST


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (refusal(410, "They are gone."), "410: They are gone.*--begin-again.*/api/v1/reports/delivery"),
        (refusal(401, "This token is not known here."), "401: This token is not known here."),
        ((404, {}, b"<html>"), "404: Not Found"),
    ],
)
def test_what_does_not_pass_ends_it_with_a_sentence(
    script: ModuleType, answer: Answer, sentence: str
) -> None:
    with answering(answer) as (url, _), pytest.raises(SystemExit, match=sentence):
        script.fetch(url, "wt_x", "c0", 25)
    assert script.slept == []


def test_begun_again_it_keeps_what_it_has_and_counts_nothing_twice(tmp_path: Path) -> None:
    message = {"wamid": "w", "message_id": None, "reference": None, "phone_number_id": "1"}
    event = {
        **message,
        "kind": "status",
        "status": "read",
        "participant": None,
        "occurred_at": "2026-11-22T10:00:00Z",
        "queued_at": "2026-11-22T09:00:00Z",
        "error": None,
    }
    with answering(page(events=[event]), page(), page(events=[event], next="c1")) as (url, asked):
        job = Job(tmp_path, url)
        first, second = job.table(), job.table()
        with job.start("--begin-again") as process:
            out, _ = process.communicate(timeout=60)
    assert first == second
    assert first[0]["read"] == "1"
    assert out.splitlines()[1].split("\t") == list(first[0].values())
    assert ["after=c1" in one for one in asked] == [False, True, False]


@pytest.mark.parametrize("url", ["", "console:8081", "http://", "http://console:http", "ftp://console"])
def test_without_an_address_it_says_what_to_set(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("EVENTS_URL", url)
    monkeypatch.setenv("EVENTS_TOKEN", "wt_x")
    with pytest.raises(SystemExit, match=r"^Set EVENTS_URL to the console's address, https://…, and"):
        script.address()


@pytest.mark.parametrize("token", ["", " ", "wt_ä", "wt_x\nwt_y"])
def test_what_can_be_no_token_is_refused_before_it_is_sent(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("EVENTS_URL", "https://console/")
    monkeypatch.setenv("EVENTS_TOKEN", token)
    with pytest.raises(SystemExit, match="EVENTS_TOKEN to a reporter's token"):
        script.address()
    monkeypatch.setenv("EVENTS_TOKEN", "wt_x\n")  # as a file holds it
    assert script.address() == ("https://console", "wt_x")


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    job = Job(tmp_path, "http://127.0.0.1:9")
    job.file.write_text("Once upon a time there was no database.")
    with job.start() as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "EVENTS_FILE cannot be used: file is not a database.\n")


def test_stopped_while_it_follows_it_prints_its_totals(tmp_path: Path) -> None:
    with answering(page(), page(), page()) as (url, _), Job(tmp_path, url).start("--follow") as process:
        job = Job(tmp_path, url)
        while not job.asked_once():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "Stopped. The next run goes on from here.\n")
    assert out.split() == ["day", *COLUMNS]
