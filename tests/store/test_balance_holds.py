"""What messages under way may cost: held in the claim, refused with amounts, released when nothing left."""

import json
from typing import Any

import pytest
from balance_samples import (
    FEE,
    MARKETING,
    MINE,
    SERVICE,
    UTILITY,
    adds_up,
    asked,
    caught_up,
    claimed,
    heard,
    held,
    rated,
    recorded,
    topped_up,
)
from store_samples import (
    M1,
    NOW,
    W1,
    one_row,
    rows,
    status_update,
)

from store.claims import claim_one
from store.database import Database
from store.holds import DELIVERABLE
from store.sends import cancel, give_back, settle_by_person


@pytest.fixture
def rich(database: Database) -> Database:
    """Ten rupees and a rate card."""
    rated(database)
    topped_up(database, 10_000_000)
    return database


def test_a_claim_holds_what_the_message_may_cost(rich: Database) -> None:
    assert claimed(rich).kind == "claimed"
    assert held(rich) == {M1: SERVICE + FEE}
    assert adds_up(rich).balance == 10_000_000 - SERVICE - FEE


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({"type": "template", "template": "t", "category": "UTILITY"}, UTILITY),
        ({"type": "template", "template": "t"}, MARKETING),
        ({"type": "text"}, SERVICE),
        ({"recipient": "IN.13491208655302741918"}, SERVICE),
        ({"recipient": "4915112345678"}, 2_000_000),
        ({"recipient": "Y2FwaV9ncm91cDox"}, 2_000_000),
    ],
)
def test_the_estimate_goes_by_type_category_and_country(
    rich: Database, changes: dict[str, Any], amount: int
) -> None:
    claimed(rich, **changes)
    assert held(rich) == {M1: amount + FEE}


def test_what_cannot_be_paid_is_refused_here_with_both_amounts(database: Database) -> None:
    rated(database)
    topped_up(database, 100_000)
    placed = claimed(database)
    assert (placed.kind, placed.state, placed.claim) == ("unpaid", "refused", None)
    row = one_row(database, "sends")
    assert (row["state"], row["refused_by"], row["attempts"]) == ("refused", "wamtrail", 0)
    error = json.loads(row["error"])
    assert error["code"] == 131042
    assert "0.165 INR are needed and 0.10 INR are available" in error["details"]
    assert rows(database, "send_attempts") == rows(database, "holds") == []
    assert adds_up(database).balance == 100_000


def test_a_missing_rate_is_refused_and_says_what_to_import(rich: Database) -> None:
    assert claimed(rich, type="template", template="t", category="AUTHENTICATION").kind == "unpaid"
    error = json.loads(one_row(rich, "sends")["error"])
    assert "in INR for market IN or *, category authentication" in error["details"]


@pytest.mark.parametrize("outcome", ["refused", "throttled", "unreachable"])
def test_what_certainly_did_not_leave_holds_nothing(rich: Database, outcome: str) -> None:
    claimed(rich)
    recorded(rich, outcome)
    assert held(rich) == {}
    assert adds_up(rich).balance == 10_000_000


@pytest.mark.parametrize("outcome", ["accepted", "unknown"])
def test_what_may_have_left_stays_held(rich: Database, outcome: str) -> None:
    claimed(rich)
    recorded(rich, outcome)
    caught_up(rich)
    assert held(rich) == {M1: SERVICE + FEE}
    adds_up(rich)


def test_a_claim_given_back_holds_nothing_and_the_next_one_holds_again(rich: Database) -> None:
    claimed(rich)
    with rich.write() as tx:
        assert give_back(tx, M1, MINE)
    assert held(rich) == {}
    with rich.write() as tx:
        assert claim_one(tx, M1, NOW, asked()).kind == "claimed"
    assert held(rich) == {M1: SERVICE + FEE}
    with rich.write() as tx:
        give_back(tx, M1, MINE)
        assert cancel(tx, M1, NOW)
    assert adds_up(rich).balance == 10_000_000


@pytest.mark.parametrize("sent", [True, False])
def test_a_person_who_says_that_it_was_not_sent_frees_the_money(rich: Database, sent: bool) -> None:
    claimed(rich)
    recorded(rich, "unknown")
    with rich.write() as tx:
        assert settle_by_person(tx, M1, sent=sent, note="asked Kaleyra", now=NOW)
    assert bool(held(rich)) == sent
    adds_up(rich)


def test_a_hold_ends_when_nothing_can_be_delivered_any_more(rich: Database) -> None:
    claimed(rich)
    recorded(rich, "accepted")
    until = NOW + 86_400 + DELIVERABLE
    caught_up(rich, until - 1)
    assert held(rich) == {M1: SERVICE + FEE}
    caught_up(rich, until)
    assert held(rich) == {}
    heard(rich, status_update(W1, "sent"))
    caught_up(rich, until)
    assert held(rich) == {}
    assert adds_up(rich).balance == 10_000_000
