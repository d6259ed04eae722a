"""A report over what was worked out equals the same counted over the rows, whatever happened before."""

import math
from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import report_histories as by_hand
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from report_histories import LATER, PRICINGS, ZONES, World, histories

from reports import answers
from reports.report import Asked
from store.database import Database

SINCE, UNTIL = date(2026, 10, 20), date(2026, 11, 10)
GROUPS = ((), ("day",), ("number", "template"), ("country",), ("day", "category", "type", "number"))
LAW = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[
        Phase.explicit,
        Phase.generate,
    ],  # shrinking takes minutes here; the example found is short enough
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def answered(world: World, kind: str, by: tuple[str, ...], zone: str) -> list[dict[str, Any]]:
    with world.database.read() as tx:
        rows = answers.answer(tx, Asked(kind, SINCE, UNTIL, by), ZoneInfo(zone), LATER).rows
    return [{**row, "group": tuple(row[name] for name in by)} for row in rows]


CHARGED = [
    ("send", 1, "accepted", 1),
    ("send", 3, "accepted", 1),
    ("send", 4, "accepted", 1),  # to a country without a rate
    (
        "hear",
        [
            (1, "read", 40, PRICINGS[1], ("", None)),
            (3, "delivered", 0, None, ("", None)),
            (4, "delivered", 0, PRICINGS[1], ("", None)),
        ],
        20,
    ),
]
TAKEN_IN_AFTER_A_REFRESH = [("refresh", "UTC"), ("send", 3, "accepted", 45), ("send", 4, None, 4)]


@pytest.mark.parametrize("zone", ZONES)
def test_what_was_charged_equals_its_rows(database: Database, zone: str) -> None:
    world = World(database)
    world.live(CHARGED)
    world.charge()
    world.refresh(zone, LATER)
    (whole,) = answered(world, "cost", (), zone)
    assert (whole["billable"], whole["unpriced"], whole["estimated"]) == (2, 1, 1)
    assert whole["amount"] == "1.0781"
    assert (whole["estimated_amount"], whole["fee"]) == ("0.9131", "0.10")
    for by in GROUPS:
        cost_agrees(world, by, zone)


@LAW
@example(history=TAKEN_IN_AFTER_A_REFRESH, zone="UTC")
@given(history=histories, zone=st.sampled_from(ZONES))
def test_every_report_equals_its_rows(database: Database, history: list[Any], zone: str) -> None:
    world = World(database)
    world.live(history)
    world.charge()
    world.refresh(zone, LATER)
    for by in GROUPS:
        delivery_agrees(world, by, zone)
        failures_agree(world, by, zone)
        latency_agrees(world, by, zone)
        cost_agrees(world, by, zone)


def delivery_agrees(world: World, by: tuple[str, ...], zone: str) -> None:
    wanted = by_hand.delivery(world.messages(zone), by)
    rows = {row["group"]: row for row in answered(world, "delivery", by, zone) if row["total"]}
    assert rows.keys() == wanted.keys()
    names = ("total", "waiting", "sent_only", "delivered_only", "read_only", "played", "failed", "refused")
    names += ("unknown", "cancelled", "delivered_implied", "conflicts", "strangers")
    for group, row in rows.items():
        assert {name: row[name] for name in names} == {name: wanted[group][name] for name in names}


def failures_agree(world: World, by: tuple[str, ...], zone: str) -> None:
    rows = answered(world, "failures", by, zone)
    found = {(row["group"], row["code"]): (row["messages"], row["first_seen"]) for row in rows}
    assert found == by_hand.failures(world.messages(zone), by)


def latency_agrees(world: World, by: tuple[str, ...], zone: str) -> None:
    wanted = by_hand.latency(world.messages(zone), by)
    rows = {(row["group"], row["step"]): row for row in answered(world, "latency", by, zone)}
    assert rows.keys() == wanted.keys()
    for key, row in rows.items():
        took = wanted[key]
        assert row["messages"] == len(took)
        for name, limit in (("within_minute", 60), ("within_hour", 3_600), ("within_day", 86_400)):
            assert row[name] == sum(one <= limit for one in took) / len(took)
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            exact = took[math.ceil(share * len(took)) - 1]
            assert row[name] == pytest.approx(exact, rel=0.0201, abs=0.001)


def cost_agrees(world: World, by: tuple[str, ...], zone: str) -> None:
    wanted = by_hand.cost(world.messages(zone), by, zone)
    rows = {row["group"]: row for row in answered(world, "cost", by, zone) if row["messages"]}
    assert rows.keys() == wanted.keys()
    counts = ("messages", "billable", "free", "unpriced", "uncharged", "estimated")
    counts += ("meta_billable", "meta_free", "meta_silent")
    for group, row in rows.items():
        assert {name: row[name] for name in counts} == {name: wanted[group][name] for name in counts}
        for name in ("amount", "fee", "estimated_amount"):
            assert round(float(row[name]) * 1_000_000) == wanted[group][name]
