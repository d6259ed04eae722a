"""Cost of delivered messages on the day of their delivery: what we charged, beside what Meta said.

Without an account and a rate card there are no amounts: then they are null, and the counts still stand.
"""

from datetime import date, timedelta
from typing import Any

from reports import grouping
from reports.report import Asked, Column
from store import ledger, money, rate_cards, rollup_sums
from store.database import ReadTx

COLUMNS = (
    Column("messages", "count", "delivered"),
    Column("billable", "count", "charged"),
    Column("free", "count", "free"),
    Column("unpriced", "count", "no rate known"),
    Column("uncharged", "count", "not in the account"),
    Column("meta_billable", "count", "Meta said billable"),
    Column("meta_free", "count", "Meta said free"),
    Column("meta_silent", "count", "Meta said nothing"),
    Column("estimated", "count", "charged by an assumed category"),
    Column("amount", "money", "amount"),
    Column("estimated_amount", "money", "of it estimated"),
    Column("fee", "money", "of it fees"),
    Column("currency", "text", "currency"),
)
TRIES = 30  # days that Meta tries to deliver, at most
_KINDS = ("billable", "free", "unpriced", "uncharged")
_SAID = {"meta_billable": "billable", "meta_free": "free", "meta_silent": ""}
_COUNT = "coalesce(sum(CASE WHEN {0} = '{1}' THEN messages ELSE 0 END), 0) AS {2}"
_WANTED = (
    "coalesce(sum(messages), 0) AS messages",
    *(_COUNT.format("kind", kind, kind) for kind in _KINDS),
    *(_COUNT.format("said", word, name) for name, word in _SAID.items()),
    "coalesce(sum(estimated), 0) AS estimated",
    "coalesce(sum(amount_micro), 0) AS amount",
    "coalesce(sum(estimated_micro), 0) AS estimated_amount",
    "coalesce(sum(fee_micro), 0) AS fee",
)
_COUNTS = ("messages", *_KINDS, *_SAID, "estimated")
_AMOUNTS = ("amount", "estimated_amount", "fee")


def columns(asked: Asked) -> tuple[Column, ...]:
    return (*grouping.columns(asked), *COLUMNS)


def rows(tx: ReadTx, asked: Asked) -> list[dict[str, Any]]:
    account = ledger.peek(tx)
    return [
        {
            **grouping.key_of(asked, row),
            **{name: int(getattr(row, name)) for name in _COUNTS},
            **{name: money.plain(int(getattr(row, name))) if account else None for name in _AMOUNTS},
            "currency": account.currency if account else None,
        }
        for row in rollup_sums.costs(tx, grouping.period(asked), asked.by, _WANTED)
    ]


def taken_in_since(asked: Asked) -> date:
    """The day from which on messages may be delivered in the period."""
    return asked.since - timedelta(days=TRIES)


def basis(tx: ReadTx) -> dict[str, Any]:
    """What amounts rest on."""
    return {"account": ledger.peek(tx) is not None, "rate_card": bool(rate_cards.listed(tx))}
