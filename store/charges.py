"""What delivered messages cost: rows of `charges` that follow the folded rows, found through the feed.

Everything is worked out anew from the folded row and set, never added, so statuses in any order, repeated,
contradictory or replayed end in the same sums.
"""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from sqlalchemy import text

from store import charges_due, holds, ledger, pricing, rate_cards, rollup_marks
from store.bulk import BIGINT, BOOLEAN, TEXT, Bulk
from store.database import ReadTx, WriteTx
from store.holds import DELIVERABLE, Hold
from store.lists import among, given
from store.pricing import Charge, Facts
from store.rate_cards import Card

BATCHES = 100  # of the feed, looked at in one go
SLICE = 300  # messages in one transaction, which holds the account's row

_COLUMNS = (
    ("wamid", TEXT),
    ("message_id", TEXT),
    ("amount_micro", BIGINT),
    ("fee_micro", BIGINT),
    ("kind", TEXT),
    ("category", TEXT),
    ("market", TEXT),
    ("rate_id", TEXT),
    ("charged_on", TEXT),
    ("estimated", BOOLEAN),
)
_NAMES = ", ".join(name for name, _ in _COLUMNS)
_UPSERT = Bulk(
    table="charges",
    columns=_COLUMNS,
    conflict="ON CONFLICT (wamid) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name, _ in _COLUMNS[1:]),
)
_FACTS = (
    "SELECT m.wamid, m.message_id, s.recipient, s.type, s.category, s.accepted_at, s.expires_at,"
    " m.delivered_at, m.read_at, m.played_at, m.failed_at, m.pricing"
    " FROM messages AS m JOIN sends AS s ON s.message_id = m.message_id AND s.wamid = m.wamid"
)
_CHARGEABLE = (
    "(s.accepted_at >= :opened_at OR EXISTS (SELECT 1 FROM holds AS h WHERE h.message_id = m.message_id)"
    " OR EXISTS (SELECT 1 FROM charges AS c WHERE c.wamid = m.wamid))"
)


def advance(tx: WriteTx, position: int) -> None:
    """Everything up to here is charged."""
    statement = (
        "UPDATE accounts SET feed_position = :position WHERE name = :name AND feed_position < :position"
    )
    tx.run(text(statement), {"position": position, "name": ledger.ACCOUNT})


def settle_marked(tx: WriteTx, now: float) -> int:
    """The same for messages that are marked; how many."""
    if ledger.locked(tx) is None:
        return 0
    wamids = charges_due.take(tx, SLICE)
    settle(tx, wamids, now)
    return len(wamids)


def settle(tx: WriteTx, wamids: Sequence[str], now: float) -> None:
    """Bring charges and holds of these messages to what their folded rows say now."""
    account = ledger.locked(tx)
    if account is None or not wamids:
        return
    facts = _facts(tx, wamids, account.opened_at)
    card = _card(tx, account.currency, facts)
    wanted = {one.wamid: charge for one in facts if (charge := pricing.charge(one, card)) is not None}
    known = stored(tx, [one.wamid for one in facts])
    gone = [known[wamid] for wamid in sorted(known.keys() - wanted.keys())]
    changed = [wanted[wamid] for wamid in sorted(wanted) if known.get(wamid) != wanted[wamid]]
    if gone:
        statement = f"DELETE FROM charges WHERE wamid {among(tx, 'wamids')}"
        tx.run(text(statement), {"wamids": given(tx, [one.wamid for one in gone])})
    _UPSERT.run(tx, [astuple(one) for one in changed])
    rollup_marks.mark(tx, [one.wamid for one in (*gone, *changed)])
    before = sum(known[one.wamid].amount for one in (*gone, *changed) if one.wamid in known)
    ledger.move(tx, charged=sum(one.amount for one in changed) - before, held=_hold(tx, facts, card, now))


def stored(tx: ReadTx, wamids: Sequence[str]) -> dict[str, Charge]:
    """wamid -> its charge."""
    statement = f"SELECT {_NAMES} FROM charges WHERE wamid {among(tx, 'wamids')}"
    rows: Sequence[Any] = tx.all(text(statement), {"wamids": given(tx, list(wamids))})
    return {row.wamid: Charge(*row) for row in rows}


def _hold(tx: WriteTx, facts: Sequence[Facts], card: Card, now: float) -> int:
    """Release what is decided, and hold for what is under way without a hold; by how much the sum changes.

    The latter is a message that was refused or given up as far as we knew, until Meta told otherwise.
    """
    known = holds.of(tx, [one.message_id for one in facts])
    decided = [one.message_id for one in facts if not one.open and one.message_id in known]
    new = []
    for one in facts:
        until = one.expires_at + DELIVERABLE
        if one.open and one.message_id not in known and until > now:
            rate = pricing.estimate(card, one.recipient, one.type, one.category, one.accepted_at)
            if rate is not None:
                new.append(Hold(one.message_id, rate.amount, one.accepted_at, until))
    return holds.put(tx, new) - holds.take_away(tx, decided)


def _facts(tx: ReadTx, wamids: Sequence[str], opened_at: float) -> list[Facts]:
    """Of our own messages that were accepted since the account was opened, or held for: clocks may differ."""
    statement = f"{_FACTS} WHERE m.wamid {among(tx, 'wamids')} AND {_CHARGEABLE} ORDER BY 1"
    rows = tx.all(text(statement), {"wamids": given(tx, list(wamids)), "opened_at": opened_at})
    return [Facts(**row._mapping) for row in rows]


def _card(tx: ReadTx, currency: str, facts: Sequence[Facts]) -> Card:
    """The rates that these messages may need."""
    categories = {pricing.assumed(one.type, one.category) for one in facts}
    categories |= {words.category for one in facts if (words := pricing.said(one.pricing)).category}
    return rate_cards.card(tx, currency, (pricing.market_of(one.recipient) for one in facts), categories)


def unpriced(tx: ReadTx) -> int:
    """Delivered messages that no rate is known for. Reads through the charges, so it is for people only."""
    return int(tx.value(text("SELECT count(*) FROM charges WHERE kind = 'unpriced'")))
