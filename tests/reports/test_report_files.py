"""A report as a file and on the page: the same figures as the report itself, for every kind and format."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reports import answers, tables_out
from reports.export_parquet import read_rows
from reports.report import KINDS, Asked, Column, Report
from reports.sentences import sentences
from store import rollups, sends
from store.apply import Understood, apply
from store.database import Database
from store.records import AttemptEnd, NewSend, Parsed, StatusUpdate
from support import report_figures

NOW = 1_800_000_000.25
FIRST, DAY, UTC = date(2027, 1, 9), date(2027, 1, 15), ZoneInfo("UTC")
ERRORS = '[{"code":131026,"title":"Message undeliverable"}]'
SAMPLE = Report(
    Asked("delivery", FIRST, DAY, ("template", "day")),
    "UTC",
    (
        Column("day", "date", "day"),
        Column("template", "text", "template"),
        Column("sent", "count", "sent"),
        Column("rate", "share", "rate"),
        Column("first", "time", "first"),
        Column("amount", "money", "amount"),
    ),
    (
        {"day": DAY, "template": "=evil()", "sent": 3, "rate": 1, "first": NOW, "amount": "1.250000"},
        {"day": "2027-01-14", "template": None, "sent": 0, "rate": None, "first": None, "amount": None},
    ),
    {"still_moving": 2},
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def filled(database: Database) -> Database:
    """Three that were sent: one read, one failed, one of which nothing was heard."""
    for n in (1, 2, 3):
        new = NewSend(
            message_id=f"0197a0b1-c2d3-7000-8000-{n:012x}",
            phone_number_id="100",
            recipient_typed="+919876543210",
            recipient="919876543210",
            type="text",
            payload=b"{}",
            payload_digest=b"d" * 32,
            expires_at=NOW + 86_400,
        )
        end = AttemptEnd("accepted", NOW + 1, http_status=200, wamid=f"w-{n}", answer=b"{}")
        with database.write() as tx:
            sends.submit(tx, new, NOW, sends.Claim("c", NOW + 30))
            sends.record_outcome(tx, new.message_id, 1, "c", end)
    _told(database, 1, StatusUpdate("w-1", "", "sent", 1_800_000_002, ""))
    _told(database, 2, StatusUpdate("w-1", "", "read", 1_800_000_012, ""))
    _told(database, 3, StatusUpdate("w-2", "", "failed", 1_800_000_003, "131026", errors=ERRORS))
    rollups.refresh_all(database, UTC, lambda: NOW + 1000)
    return database


def _told(database: Database, webhook: int, update: StatusUpdate) -> None:
    with database.write() as tx:
        apply(tx, [Understood(webhook, NOW, Parsed(updates=(update,)))], NOW)


def asked(database: Database, kind: str, *by: str) -> Report:
    with database.read() as tx:
        return answers.answer(tx, Asked(kind, FIRST, DAY, by), UTC, NOW + 1000)


def written(report: Report, form: str) -> bytes:
    out = io.BytesIO()
    tables_out.write(report, form, out)
    return out.getvalue()


def test_a_report_keeps_its_types_in_every_format() -> None:
    first, second = csv.DictReader(io.StringIO(written(SAMPLE, "csv").decode(), newline=""))
    assert first["template"] == "'=evil()"
    assert (first["day"], first["sent"], first["amount"]) == ("2027-01-15", "3", "1.250000")
    assert (second["rate"], second["template"]) == ("", "")
    found = json.loads(written(SAMPLE, "json"))
    assert found["completeness"] == {"still_moving": 2}
    assert [row["day"] for row in found["rows"]] == ["2027-01-15", "2027-01-14"]
    rows = list(read_rows(io.BytesIO(written(SAMPLE, "parquet"))))
    assert (rows[0]["sent"], rows[0]["rate"], rows[0]["template"]) == (3, 1.0, "=evil()")
    assert rows[0]["first"].timestamp() == NOW
    assert written(SAMPLE, "xlsx").startswith(b"PK")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", tables_out.FORMATS)
def test_every_report_can_be_every_file(sqlite_url: str, kind: str, form: str) -> None:
    database = Database(sqlite_url)
    assert written(asked(database, kind, "day", "number"), form)
    database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_holds_the_rows_of_the_report(filled: Database, kind: str) -> None:
    report = asked(filled, kind, "day", "number")
    found = json.loads(written(report, "json"))
    assert len(found["rows"]) == len(report.rows)
    rows = list(read_rows(io.BytesIO(written(report, "parquet"))))
    assert len(rows) == len(report.rows)
    assert all(list(row) == [column.name for column in report.columns] for row in rows)


def test_the_page_shows_what_the_reports_answer(filled: Database) -> None:
    def answer(kind: str, *by: str) -> dict[str, Any]:
        report = asked(filled, kind, *by)
        return {"rows": report.rows, "zone": report.zone, "sentences": sentences(report, NOW + 1000)}

    daily = answer("delivery", "day")
    assert report_figures.funnel(daily).rows == (
        ("accepted", "3", "100.0 %"),
        ("sent", "1", "33.3 %"),
        ("delivered", "1", "33.3 %"),
        ("read", "1", "33.3 %"),
    )
    over_time = report_figures.over_time(daily, FIRST, DAY)
    assert over_time.rows[0] == ("2027-01-15", "1", "0", "0", "1", "1")
    assert len(over_time.rows) == 7
    (failure,) = report_figures.failures(answer("failures")).rows
    assert (failure[0], failure[3], failure[4]) == ("131026", "1", "100.0 %")
    assert report_figures.latency(answer("latency")).rows
    told = ["Still moving: 1.", "Times are at most 2 % off."]
    assert report_figures.caveats([daily, answer("latency")]) == told
