"""What delivered messages cost: out of what Meta said, whatever the order, and by the rates of the day."""

import pytest
from balance_samples import (
    FEE,
    MARKETING,
    PRICED,
    SERVICE,
    UTILITY,
    adds_up,
    caught_up,
    charged_anew,
    charges,
    claimed,
    delivered,
    heard,
    held,
    rated,
    recorded,
    topped_up,
)
from sqlalchemy import text
from store_samples import (
    M1,
    NOW,
    W1,
    rows,
    status_update,
    webhook,
)

from store import rate_cards
from store.database import Database
from store.rate_cards import Rate
from store.replay import replay
from store.webhooks import Incoming, keep


@pytest.fixture
def rich(database: Database) -> Database:
    """Ten rupees and a rate card."""
    rated(database)
    topped_up(database, 10_000_000)
    return database


def test_a_delivery_replaces_the_hold_by_a_charge(rich: Database) -> None:
    claimed(rich)
    recorded(rich, "accepted")
    heard(rich, delivered(pricing=PRICED))
    caught_up(rich)
    assert held(rich) == {}
    assert charges(rich) == [
        {
            "wamid": W1,
            "message_id": M1,
            "amount_micro": UTILITY + FEE,
            "fee_micro": FEE,
            "kind": "billable",
            "category": "utility",
            "market": "IN",
            "rate_id": "INR/IN/utility/2020-01-01",
            "charged_on": "2027-01-15",
            "estimated": False,
        }
    ]
    assert adds_up(rich).balance == 10_000_000 - UTILITY - FEE


@pytest.mark.parametrize(
    ("pricing", "kind", "category", "amount", "estimated"),
    [
        (None, "billable", "service", SERVICE + FEE, True),
        ('{"category":"authentication","type":"regular"}', "billable", "authentication", SERVICE + FEE, True),
        ('{"category":"MARKETING"}', "billable", "marketing", MARKETING + FEE, False),
        ('{"category":"service","type":"free_customer_service"}', "free", "service", 0, False),
        ('{"category":"utility","type":"free_something_new"}', "free", "utility", 0, False),
        ('{"category":"utility","subtype":"paid_exempt","type":"regular"}', "free", "utility", 0, False),
        ('{"billable":false,"category":"utility"}', "free", "utility", 0, False),
        ('["no object"]', "billable", "service", SERVICE + FEE, True),
        ('{"category":7,"type":{}}', "billable", "service", SERVICE + FEE, True),
    ],
)
def test_metas_words_decide_what_is_charged(
    rich: Database, pricing: str | None, kind: str, category: str, amount: int, estimated: bool
) -> None:
    claimed(rich)
    recorded(rich, "accepted")
    heard(rich, status_update(W1, "read", pricing=pricing))
    caught_up(rich)
    (found,) = charges(rich)
    assert (found["kind"], found["category"], found["amount_micro"]) == (kind, category, amount)
    assert bool(found["estimated"]) == estimated
    adds_up(rich)


def test_the_rate_of_the_day_of_delivery_counts(rich: Database) -> None:
    rated(
        rich,
        Rate("INR", "IN", "utility", "2027-01-15", 200_000, 0),
        Rate("INR", "IN", "utility", "2027-01-16", 9, 0),
    )
    claimed(rich)
    recorded(rich, "accepted")
    heard(rich, delivered(pricing=PRICED))
    caught_up(rich)
    assert charges(rich)[0]["rate_id"] == "INR/IN/utility/2027-01-15"
    assert adds_up(rich).charged == 200_000


def test_a_failure_frees_the_hold_and_a_delivery_beside_it_is_charged(rich: Database) -> None:
    claimed(rich)
    recorded(rich, "accepted")
    heard(rich, status_update(W1, "failed"))
    caught_up(rich)
    assert held(rich) == {}
    assert charges(rich) == []
    heard(rich, delivered(pricing=PRICED), webhook_id=2)
    caught_up(rich)
    assert adds_up(rich).balance == 10_000_000 - UTILITY - FEE


def test_a_refused_message_of_which_meta_tells_is_held_and_charged_after_all(rich: Database) -> None:
    claimed(rich)
    recorded(rich, "refused")
    heard(rich, status_update(W1, "sent", callback_data=M1))
    caught_up(rich)
    assert held(rich) == {M1: SERVICE + FEE}
    heard(rich, delivered(pricing=PRICED, callback_data=M1), webhook_id=2)
    caught_up(rich)
    assert held(rich) == {}
    assert adds_up(rich).charged == UTILITY + FEE


def test_a_copy_of_a_known_status_with_another_price_changes_the_charge(rich: Database) -> None:
    claimed(rich)
    recorded(rich, "accepted")
    heard(rich, delivered())
    caught_up(rich)
    assert adds_up(rich).charged == SERVICE + FEE
    heard(rich, delivered(pricing='{"category":"marketing"}'), webhook_id=2)
    caught_up(rich)
    assert adds_up(rich).charged == MARKETING + FEE


def test_a_replay_that_understands_otherwise_takes_the_charge_back_and_holds_again(rich: Database) -> None:
    claimed(rich)
    recorded(rich, "accepted")
    with rich.write() as tx:
        keep(tx, [Incoming(b"{}", NOW)])
        webhook_id = tx.value(text("SELECT max(webhook_id) FROM webhook_backlog"))
    heard(rich, delivered(pricing=PRICED), webhook_id=webhook_id)
    caught_up(rich)
    for understood, charged in (((delivered(pricing=PRICED),), 1), ((status_update(W1, "sent"),), 0)):
        with rich.write() as tx:
            replay(tx, webhook_id, lambda kept: webhook(kept.webhook_id, *understood), NOW)  # noqa: B023
        caught_up(rich)
        assert len(charges(rich)) == charged
        assert len(held(rich)) == 1 - charged
        adds_up(rich)


def test_a_charge_may_take_the_balance_below_zero_and_then_the_next_is_refused(database: Database) -> None:
    rated(database)
    topped_up(database, SERVICE + FEE)
    claimed(database)
    recorded(database, "accepted")
    heard(database, delivered(pricing='{"category":"marketing"}'))
    caught_up(database)
    assert adds_up(database).balance == SERVICE - MARKETING
    assert claimed(database, 2).kind == "unpaid"
    topped_up(database, 10_000_000)
    assert claimed(database, 3).kind == "claimed"


def test_what_was_accepted_before_the_account_was_opened_is_not_charged(database: Database) -> None:
    rated(database)
    claimed(database, budget=None)
    recorded(database, "accepted")
    with database.write() as tx:
        tx.run(text("UPDATE sends SET accepted_at = 1000"))
    topped_up(database, 10_000_000)
    heard(database, delivered(pricing=PRICED))
    caught_up(database)
    assert adds_up(database).balance == 10_000_000


def test_a_strangers_message_costs_us_nothing(rich: Database) -> None:
    heard(rich, delivered(pricing=PRICED))
    caught_up(rich)
    assert adds_up(rich).balance == 10_000_000


def test_a_corrected_rate_charges_anew_and_the_same_rates_again_change_nothing(rich: Database) -> None:
    claimed(rich)
    recorded(rich, "accepted")
    heard(rich, delivered(pricing=PRICED))
    caught_up(rich)
    with rich.write() as tx:
        assert rate_cards.put(tx, rate_cards.listed(tx)) == rate_cards.Put(0, 0, 6)
    assert rows(rich, "charges_due", order="1") == []
    with rich.write() as tx:
        put = rate_cards.put(tx, [Rate("INR", "IN", "utility", "2020-01-01", 1, 2)])
    assert put == rate_cards.Put(0, 1, 0)
    caught_up(rich)
    assert adds_up(rich).charged == 3
    before = charges(rich)
    charged_anew(rich)
    assert charges(rich) == before


def test_a_delivery_without_any_rate_is_kept_as_unpriced_until_there_is_one(database: Database) -> None:
    topped_up(database, 0)
    claimed(database, budget=None)
    recorded(database, "accepted")
    heard(database, delivered(pricing=PRICED))
    caught_up(database)
    assert [(one["kind"], one["amount_micro"]) for one in charges(database)] == [("unpriced", 0)]
    rated(database)
    caught_up(database)
    assert adds_up(database).charged == UTILITY + FEE
