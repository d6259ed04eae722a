"""Two processes at the limit, the switch, the currency, and news of a low balance."""

import threading

import pytest
from balance_samples import (
    FAST,
    FEE,
    INDIA,
    INR,
    MINE,
    MONEY_TABLES,
    PRICED,
    SERVICE,
    account,
    adds_up,
    asked,
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
    ended,
    new_send,
    rows,
)

from store import ledger
from store.claims import Hunt, claim_due, submit_claimed
from store.database import Database
from store.outcomes import record_outcome
from store.sends import submit

EARLIER = 1_700_000_000.0  # due by the clock of PostgreSQL as well


@pytest.fixture
def rich(database: Database) -> Database:
    """Ten rupees and a rate card."""
    rated(database)
    topped_up(database, 10_000_000)
    return database


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
            if by == "single":
                with databases[which].write() as tx:
                    submit_claimed(tx, new_send(n, **INDIA), NOW, asked(f"claim-{which}"))
        while any(row["state"] == "queued" for row in rows(databases[which], "sends")):
            with databases[which].write() as tx:
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
