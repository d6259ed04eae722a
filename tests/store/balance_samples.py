"""Small worlds with money in them: rates, an account, messages under way, and what the tables hold."""

from typing import Any

from sqlalchemy import text
from store_samples import NOW, W1, ended, message_id, new_send, rows, status_update, webhook

from sender.balance import BalanceKeeper
from store import ledger, rate_cards
from store.apply import apply
from store.claims import submit_claimed
from store.database import Database
from store.ledger import Account, Budget
from store.outcomes import Claim, record_outcome
from store.placing import Asked, Placed
from store.rate_cards import Rate
from store.rates import Limits
from store.records import StatusUpdate

INR = Budget("INR")
FAST = Limits(rate=1e6, pair_burst=10_000)
MARKETING, UTILITY, SERVICE, ELSEWHERE = 863_100, 115_000, 115_000, 2_000_000
FEE = 50_000
RATES = (
    Rate("INR", "IN", "marketing", "2020-01-01", MARKETING, FEE),
    Rate("INR", "IN", "utility", "2020-01-01", UTILITY, FEE),
    Rate("INR", "IN", "service", "2020-01-01", SERVICE, FEE),
    Rate("INR", "*", "marketing", "2020-01-01", ELSEWHERE, FEE),
    Rate("INR", "*", "service", "2020-01-01", ELSEWHERE, FEE),
    Rate("USD", "IN", "marketing", "2020-01-01", 11_800, 0),
)
MINE = Claim("claim-1", NOW + 30)
PRICED = '{"category":"utility","type":"regular"}'
MONEY_TABLES = ("accounts", "ledger_entries", "holds", "charges", "charges_due", "rate_cards")
INDIA = {"recipient": "919812345678"}


def rated(database: Database, *more: Rate) -> None:
    with database.write() as tx:
        rate_cards.put(tx, [*RATES, *more])


def topped_up(database: Database, amount: int, kind: Any = "top-up") -> Account:
    with database.write() as tx:
        return ledger.enter(tx, kind, amount, currency="INR", who="Asha", note="bank", now=NOW)


def asked(claim_id: str = "claim-1", budget: Budget | None = INR, **more: Any) -> Asked:
    return Asked(claim_id, 30.0, 0.0, FAST, budget=budget, **more)


def claimed(database: Database, n: int = 1, budget: Budget | None = INR, **changes: Any) -> Placed:
    """Taken in and claimed, or refused for want of money."""
    with database.write() as tx:
        return submit_claimed(tx, new_send(n, **{**INDIA, **changes}), NOW, asked(budget=budget))


def account(database: Database) -> Account:
    with database.read() as tx:
        found = ledger.peek(tx)
    assert found is not None
    return found


def adds_up(database: Database) -> Account:
    """The account's sums are those of its rows."""
    with database.read() as tx:
        found = ledger.peek(tx)
        counted = ledger.counted(tx)
    assert found is not None
    assert (found.credited, found.charged, found.held) == counted
    return found


def caught_up(database: Database, now: float = NOW + 100, threshold: int | None = None) -> None:
    keeper = BalanceKeeper(database, INR, clock=lambda: now, threshold=threshold)
    while keeper.catch_up():
        pass


def held(database: Database) -> dict[str, int]:
    return {row["message_id"]: row["amount_micro"] for row in rows(database, "holds")}


def charges(database: Database) -> list[dict[str, Any]]:
    return rows(database, "charges")


def charged_anew(database: Database) -> None:
    """Forget every charge, and work all of them out from what the feed names."""
    with database.write() as tx:
        tx.run(text("DELETE FROM charges"))
        tx.run(text("UPDATE accounts SET charged_micro = 0, feed_position = 0"))
    caught_up(database)


def recorded(database: Database, outcome: str, n: int = 1, number: int = 1) -> str:
    with database.write() as tx:
        return record_outcome(tx, message_id(n), number, MINE, ended(outcome))


def heard(database: Database, *updates: StatusUpdate, webhook_id: int = 1) -> None:
    with database.write() as tx:
        apply(tx, [webhook(webhook_id, *updates)], NOW)


def delivered(**more: Any) -> Any:
    return status_update(W1, "delivered", **more)
