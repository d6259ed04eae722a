"""The balance in a claim: what a message may cost is held before it leaves, or it is refused and told why."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from store import holds, ledger, pricing, rate_cards
from store.database import WriteTx
from store.holds import DELIVERABLE, Hold
from store.ledger import Budget
from store.lists import among, given
from store.money import shown
from store.outcomes import error_json

NOT_ENOUGH = "The balance is not enough."  # the title of the error, by which callers know it
NO_RATE = "No rate is known for this message."
BILLING = 131042  # what Meta calls it: a program that goes by codes does the same for both


def unaffordable(
    tx: WriteTx, budget: Budget | None, message_ids: Sequence[str], now: float
) -> dict[str, str]:
    """Hold what these messages may cost, in this order; message_id -> error of those that cannot be paid.

    `now`: of the database's clock. Call it with their rows of `sends` locked, after the rate cells. Without
    a budget nothing is asked and nothing is locked.
    """
    if budget is None or not message_ids:
        return {}
    sends = _sends(tx, message_ids)
    account = ledger.opened(tx, budget.currency, now)
    known = holds.of(tx, message_ids)
    card = rate_cards.card(
        tx,
        account.currency,
        (pricing.market_of(one.recipient) for one in sends.values()),
        (pricing.assumed(one.type, one.category) for one in sends.values()),
    )
    left, new, errors = account.balance, list[Hold](), dict[str, str]()
    for message_id in message_ids:
        if message_id in known:
            continue
        one = sends[message_id]
        rate = pricing.estimate(card, one.recipient, one.type, one.category, now)
        if rate is None:
            errors[message_id] = _no_rate(one, account.currency)
        elif 0 < rate.amount > left:
            errors[message_id] = _not_enough(rate.amount, left, account.currency)
        else:
            left -= rate.amount
            new.append(Hold(message_id, rate.amount, now, one.expires_at + DELIVERABLE))
    ledger.move(tx, held=holds.put(tx, new))
    return errors


def _sends(tx: WriteTx, message_ids: Sequence[str]) -> dict[str, Row[Any]]:
    columns = "message_id, recipient, type, category, expires_at"
    statement = f"SELECT {columns} FROM sends WHERE message_id {among(tx, 'ids')}"
    rows = tx.all(text(statement), {"ids": given(tx, sorted(message_ids))})
    return {row.message_id: row for row in rows}


def _not_enough(needed: int, available: int, currency: str) -> str:
    return error_json(
        NOT_ENOUGH,
        f"{shown(needed, currency)} are needed and {shown(available, currency)} are available: top up with"
        " `wamtrail balance top-up AMOUNT --note TEXT`, then send it again.",
        BILLING,
    )


def _no_rate(send: Row[Any], currency: str) -> str:
    market, category = pricing.market_of(send.recipient), pricing.assumed(send.type, send.category)
    which = f"market {market} or *" if market != rate_cards.ELSEWHERE else "market *"
    return error_json(
        NO_RATE,
        f"Import one in {currency} for {which}, category {category}, with `wamtrail rates import FILE.csv`,"
        " then send it again.",
        BILLING,
    )
