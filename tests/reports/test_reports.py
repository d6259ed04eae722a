"""Reports add up for every group, show only what the asker may see, and say how complete they are."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from reports import answers, delivery, failures
from reports.problems import Problem
from reports.query import read
from reports.report import DIMENSIONS, KINDS, Asked, NotAsked, Report
from reports.reports_api import ReportQuery
from reports.values import parse_day
from store import rollup_dirty, rollups, sends
from store.apply import Understood, apply
from store.database import Database
from store.records import AttemptEnd, NewSend, Parsed, StatusUpdate
from store.status import STATUSES

NOW = 1_800_000_000.25  # 2027-01-15
DAY = date(2027, 1, 15)
UTC = ZoneInfo("UTC")
ERRORS = '[{"code":131026,"title":"Message undeliverable"}]'
PRICING = '{"billable":true,"category":"utility","pricing_model":"PMP","type":"regular"}'


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def filled(database: Database) -> Database:
    """Number 100 sent four (read, delivered, failed, refused), 200 one that waits; one is a stranger's."""
    for n, number in enumerate(("100", "100", "100", "100", "200"), 1):
        _sent(database, n, number)
    _told(database, 1, "w-1", ("sent", 10), ("delivered", 12), ("read", 100))
    _told(database, 2, "w-2", ("sent", 10), ("delivered", 40))
    _told(database, 3, "w-3", ("failed", 11))
    _told(database, 4, "stranger", ("delivered", 20))
    rollups.refresh_all(database, UTC, lambda: NOW + 1000)
    return database


def _sent(database: Database, n: int, number: str) -> None:
    claim = sends.Claim("c", NOW + 30)
    new = NewSend(
        message_id=f"0197a0b1-c2d3-7000-8000-{n:012x}",
        phone_number_id=number,
        recipient_typed="+919876543210",
        recipient="919876543210",
        type="template",
        template="order_update",
        payload=b"{}",
        payload_digest=b"d" * 32,
        expires_at=NOW + 86_400,
    )
    end = AttemptEnd("accepted", NOW + 1, http_status=200, wamid=f"w-{n}", answer=b"{}")
    if n == 4:
        end = AttemptEnd("refused", NOW + 1, http_status=400, refused_by="meta", error='{"code":100}')
    with database.write() as tx:
        sends.submit(tx, new, NOW, claim)
        sends.record_outcome(tx, new.message_id, 1, claim, end)


def _told(database: Database, hook: int, wamid: str, *words: tuple[str, int]) -> None:
    updates = [
        StatusUpdate(
            wamid,
            "",
            word,
            int(NOW) + after,
            "131026" if word == "failed" else "",
            phone_number_id="100",
            errors=ERRORS if word == "failed" else None,
            pricing=PRICING if word == "delivered" else None,
        )
        for word, after in words
    ]
    with database.write() as tx:
        apply(tx, [Understood(hook, NOW + 2, Parsed(updates=tuple(updates)))], NOW + 2)


def asked(database: Database, kind: str, *by: str, numbers: tuple[str, ...] = ()) -> Report:
    with database.read() as tx:
        return answers.answer(tx, Asked(kind, DAY, DAY, by, numbers), UTC, NOW + 2000)


def test_delivery_by_number(filled: Database) -> None:
    one, two = asked(filled, "delivery", "number").rows
    wanted = {"number": "100", "total": 5, "accepted": 4, "delivered": 3, "delivered_implied": 0, "read": 1}
    assert wanted.items() <= one.items()
    assert (one["failed"], one["refused"], one["strangers"], one["failed_rate"]) == (1, 1, 1, 0.25)
    assert (two["number"], two["total"], two["waiting"], two["delivered_rate"]) == ("200", 1, 1, 0.0)


def test_a_conflict_of_a_group_is_that_of_one_member(filled: Database) -> None:
    def conflicts(hook: int, member: str, word: str) -> int:
        update = StatusUpdate("w-5", member, word, int(NOW) + 9, "", phone_number_id="200")
        with filled.write() as tx:
            apply(tx, [Understood(hook, NOW + 9, Parsed(updates=(update,)))], NOW + 9)
        rollups.refresh_all(filled, UTC, lambda: NOW + 1500)
        (row,) = asked(filled, "delivery", numbers=("200",)).rows
        return int(row["conflicts"])

    told = [conflicts(hook, *one) for hook, one in enumerate((("a", "delivered"), ("b", "failed")), 5)]
    assert told == [0, 0]
    assert conflicts(7, "b", "read") == 1


def test_failures_tell_code_meaning_owner_and_an_example(filled: Database) -> None:
    rows = {row["code"]: row for row in asked(filled, "failures").rows}
    assert rows.keys() == {"131026", "100"}
    one = rows["131026"]
    assert one["messages"] == 1
    assert one["share"] == 0.5
    assert one["meaning"]
    assert one["owner"]
    assert one["first_seen"] == int(NOW) + 11
    assert one["example"] == "0197a0b1-c2d3-7000-8000-000000000003"


def test_latency_comes_from_metas_times(filled: Database) -> None:
    rows = {row["step"]: row for row in asked(filled, "latency").rows}
    sent = rows["sent to delivered"]
    assert sent["messages"] == 2
    assert sent["p50"] == pytest.approx(2, rel=0.02)
    assert sent["within_minute"] == 1.0
    assert rows["delivered to read"]["within_minute"] == 0.0
    assert any("two clocks" in step for step in rows)


def test_cost_without_an_account_counts_and_has_no_amounts(filled: Database) -> None:
    report = asked(filled, "cost", "day", "category")
    (row,) = report.rows
    assert (row["day"], row["category"]) == ("2027-01-15", "utility")
    assert (row["messages"], row["meta_billable"], row["uncharged"]) == (3, 3, 3)
    assert row["amount"] is None
    assert report.completeness["account"] is False


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2027-01-15T19:00:00+00:00", "UTC", "2027-01-15"),
        ("2027-01-15T18:29:59+00:00", "Asia/Kolkata", "2027-01-15"),
        ("2027-01-15T18:30:00+00:00", "Asia/Kolkata", "2027-01-16"),
        ("2026-11-01T04:30:00+00:00", "America/New_York", "2026-11-01"),  # in summer time still
        ("2026-11-02T04:30:00+00:00", "America/New_York", "2026-11-01"),  # that ended on this day
    ],
)
def test_cost_stands_on_the_day_of_the_delivery_in_the_reporting_zone(
    database: Database, moment: str, zone: str, day: str
) -> None:
    _told(database, 1, "w-1", ("delivered", int(datetime.fromisoformat(moment).timestamp()) - int(NOW)))
    rollups.refresh_all(database, ZoneInfo(zone), lambda: NOW + 1000)
    with database.read() as tx:
        question = Asked("cost", date(2026, 10, 1), date(2027, 1, 31), ("day",))
        (row,) = answers.answer(tx, question, ZoneInfo(zone), NOW + 2000).rows
    assert (row["day"], row["messages"]) == (day, 1)


@pytest.mark.parametrize(
    ("pricing", "word"),
    [
        ('{"category":"utility","type":"regular"}', "meta_billable"),
        ('{"billable":true,"category":"utility"}', "meta_billable"),
        ('{"billable":false,"category":"utility"}', "meta_free"),
        ('{"category":"utility","type":"free_customer_service"}', "meta_free"),
        ('{"category":"utility","pricing_model":"PMP"}', "meta_silent"),  # neither one nor the other
        ("{", "meta_silent"),
    ],
)
def test_what_meta_said_of_the_price_is_told(filled: Database, pricing: str, word: str) -> None:
    update = StatusUpdate("w-5", "", "delivered", int(NOW) + 9, "", phone_number_id="200", pricing=pricing)
    with filled.write() as tx:
        apply(tx, [Understood(5, NOW + 9, Parsed(updates=(update,)))], NOW + 9)
    rollups.refresh_all(filled, UTC, lambda: NOW + 1500)
    (row,) = asked(filled, "cost", numbers=("200",)).rows
    said = {name: row[name] for name in ("meta_billable", "meta_free", "meta_silent")}
    assert said == dict.fromkeys(said, 0) | {word: 1}


def test_every_row_has_every_column(filled: Database) -> None:
    for kind in KINDS:
        for by in ((), *((name,) for name in DIMENSIONS), DIMENSIONS):
            report = asked(filled, kind, *by)
            names = [column.name for column in report.columns]
            assert report.rows
            assert all(set(row) == set(names) for row in report.rows)


def test_nothing_of_another_number_is_told(filled: Database) -> None:
    for kind in KINDS:
        theirs = asked(filled, kind, "number", numbers=("200",))
        assert {row["number"] for row in theirs.rows} <= {"200"}
        assert theirs.completeness["unmatched"] == 0


def test_groups_add_up_to_the_whole(filled: Database) -> None:
    (whole,) = asked(filled, "delivery").rows
    for name in DIMENSIONS:
        parts = asked(filled, "delivery", name).rows
        for column in ("total", *delivery.STANDING):
            assert sum(row[column] for row in parts) == whole[column]


@given(
    st.fixed_dictionaries(
        {name: st.integers(0, 10**6) for name in (*STATUSES, "implied", "conflicts", "strangers")}
    )
)
def test_the_funnel_adds_up(counts: dict[str, int]) -> None:
    row: dict[str, Any] = delivery.figures(counts)
    assert sum(row[name] for name in delivery.STANDING) == row["total"]
    assert row["total"] >= row["accepted"] >= row["sent"] >= row["delivered"] >= row["read"] >= row["played"]


def test_a_report_says_what_is_not_counted_yet(filled: Database) -> None:
    before = asked(filled, "delivery").completeness
    assert (before["still_moving"], before["unmatched"], before["news_waiting"]) == (1, 1, 0)
    _told(filled, 9, "w-5", ("read", 50))
    assert asked(filled, "delivery").completeness["news_waiting"] == 1


def test_cost_says_what_was_taken_in_before_and_may_be_delivered_in_the_period(filled: Database) -> None:
    def told(kind: str, days: int) -> tuple[int, int, int]:
        later = DAY + timedelta(days=days)
        with filled.read() as tx:
            found = answers.answer(tx, Asked(kind, later, later), UTC, NOW + 2000).completeness
        return found["still_moving"], found["buckets_waiting"], found["unmatched"]

    with filled.write() as tx:
        rollup_dirty.mark(tx, [("100", NOW)], UTC, NOW + 1500)
    assert told("cost", 0) == told("delivery", 0) == (1, 1, 1)
    assert told("cost", 30) == (1, 1, 0)
    assert told("cost", 31) == told("delivery", 1) == (0, 0, 0)


@pytest.mark.parametrize(
    ("question", "where"),
    [
        (Asked("sales", DAY, DAY), "kind"),
        (Asked("cost", DAY, date(2027, 1, 14)), "since"),
        (Asked("cost", date(1990, 1, 1), DAY), "since"),
        (Asked("cost", DAY, DAY, ("colour",)), "by"),
        (Asked("cost", DAY, DAY, ("day", "day")), "by"),
    ],
)
def test_a_question_without_an_answer_names_its_part(question: Asked, where: str) -> None:
    with pytest.raises(NotAsked) as problem:
        question.check()
    assert problem.value.where == where


@pytest.mark.parametrize(
    "typed", ["2026-W47-7", "20261122", "2026-11-31", " 2026-11-2", "1999-12-31", "٢٠٢٦-١١-٢٢"]
)
def test_what_is_no_day_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"is no day; write it as|is too early"):
        parse_day(typed)
    with pytest.raises(Problem, match="Invalid parameters"):
        read(QueryParams({"since": typed}), ReportQuery)


def test_the_period_before_is_as_long_and_ends_where_this_begins() -> None:
    before = Asked("failures", date(2027, 1, 8), date(2027, 1, 14)).before()
    assert (before.since, before.until) == (date(2027, 1, 1), date(2027, 1, 7))


def test_errors_of_several_buckets_are_one() -> None:
    merged = failures.merged([("a", '{"7":[2,5.0,"x"]}'), ("a", '{"7":[1,4.0,"y"]}')])
    assert merged == {("a", "7"): [3, 4.0, "y"]}
