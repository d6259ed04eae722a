"""Money on both databases: holds in the claim, charges out of what Meta said, refusals with amounts."""

import json
import threading
from typing import Any

import pytest
from balance_samples import (
    FAST,
    FEE,
    INDIA,
    INR,
    MARKETING,
    MONEY_TABLES,
    SERVICE,
    UTILITY,
    account,
    adds_up,
    asked,
    caught_up,
    charged_anew,
    charges,
    claimed,
    held,
    rated,
    topped_up,
)
from sqlalchemy import text
from store_samples import (
    M1,
    NOW,
    W1,
    ended,
    message_id,
    new_send,
    one_row,
    rows,
    status_update,
    webhook,
)

from store import ledger, rate_cards
from store.apply import apply
from store.claims import Hunt, claim_due, claim_one, submit_claimed
from store.database import Database
from store.holds import DELIVERABLE
from store.outcomes import Claim, record_outcome
from store.rate_cards import Rate
from store.records import StatusUpdate
from store.replay import replay
from store.sends import cancel, give_back, settle_by_person, submit
from store.webhooks import Incoming, keep

MINE = Claim("claim-1", NOW + 30)
EARLIER = 1_700_000_000.0  # due by the clock of PostgreSQL as well
PRICED = '{"category":"utility","type":"regular"}'


@pytest.fixture
def rich(database: Database) -> Database:
    """Ten rupees and a rate card."""
    rated(database)
    topped_up(database, 10_000_000)
    return database


def recorded(database: Database, outcome: str, n: int = 1, number: int = 1) -> str:
    with database.write() as tx:
        return record_outcome(tx, message_id(n), number, MINE, ended(outcome))


def heard(database: Database, *updates: StatusUpdate, webhook_id: int = 1) -> None:
    with database.write() as tx:
        apply(tx, [webhook(webhook_id, *updates)], NOW)


def delivered(**more: Any) -> Any:
    return status_update(W1, "delivered", **more)


# Holding


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


# Charging


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


# Limits, processes, and the switch


@pytest.mark.parametrize("by", ["single", "worker"])
def test_two_processes_at_the_limit_never_hold_more_than_there_is(database_url: str, by: str) -> None:
    databases = [Database(database_url), Database(database_url)]
    rated(databases[0])
    topped_up(databases[0], 7 * (SERVICE + FEE) + 1)
    if by == "worker":
        with databases[0].write() as tx:
            for n in range(20):
                submit(tx, new_send(n, **INDIA), EARLIER)

    def spend(which: int) -> None:
        for n in range(which, 20, 2):
            with databases[which].write() as tx:
                if by == "single":
                    submit_claimed(tx, new_send(n, **INDIA), NOW, asked(f"claim-{which}"))
                else:
                    claim_due(tx, NOW, Hunt(f"claim-{which}", 30.0, 2, FAST, budget=INR))

    threads = [threading.Thread(target=spend, args=[which]) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = [row["state"] for row in rows(databases[0], "sends")]
    assert (states.count("sending"), states.count("refused")) == (7, 13)
    assert adds_up(databases[0]).balance == 1
    assert len(held(databases[0])) == 7
    for database in databases:
        database.close()


def test_a_worker_is_told_how_many_it_could_not_pay(rich: Database) -> None:
    topped_up(rich, SERVICE + FEE - 10_000_000, "correction")
    with rich.write() as tx:
        for n in range(3):
            submit(tx, new_send(n, **INDIA), EARLIER)
        found = claim_due(tx, NOW, Hunt("claim-1", 30.0, 10, FAST, budget=INR))
    assert (len(found.claimed), found.unpaid) == (1, 2)
    assert adds_up(rich).balance == 0


def test_switched_off_nothing_of_money_is_written(database: Database) -> None:
    rated(database)
    for n, outcome in enumerate(("refused", "throttled", "accepted", "unknown")):
        assert claimed(database, n, budget=None).kind == "claimed"
        recorded(database, outcome, n)
    heard(database, delivered(pricing=PRICED))
    heard(database, delivered(pricing='{"category":"marketing"}'), webhook_id=2)
    assert [len(rows(database, table, order="1")) for table in MONEY_TABLES] == [0, 0, 0, 0, 0, 6]


def test_switched_off_nobody_waits_for_the_account(postgresql_database: Database) -> None:
    database = postgresql_database
    rated(database)
    topped_up(database, 1)
    with database.write() as spender:
        ledger.locked(spender)
        with database.write() as tx:
            tx.run(text("SET LOCAL lock_timeout = '5s'"))
            assert submit_claimed(tx, new_send(1, **INDIA), NOW, asked(budget=None)).kind == "claimed"
        with database.write() as tx:
            tx.run(text("SET LOCAL lock_timeout = '5s'"))
            assert record_outcome(tx, M1, 1, MINE, ended("refused")) == "refused"


def test_an_account_has_one_currency(rich: Database) -> None:
    with pytest.raises(ledger.WrongCurrency, match="kept in INR"), rich.write() as tx:
        ledger.opened(tx, "USD", NOW)


def test_a_low_balance_is_news_once_until_it_recovers(rich: Database) -> None:
    told = []
    for amount in (0, -9_000_000, -1, 9_000_000, -9_000_000):
        topped_up(rich, amount, "correction")
        with rich.write() as tx:
            told.append(ledger.mark_low(tx, 2_000_000, NOW))
    assert told == [None, "fell", None, "recovered", "fell"]
    assert account(rich).low_since == NOW
