"""What a list will cost and how long it will take, before anything leaves."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from store import ledger, numbers, rate_cards
from store.database import ReadTx
from store.money import day
from store.pricing import assumed, market_of
from store.rates import MICRO, Limits
from store.records import NewSend

Kinds = Counter[tuple[str, str]]  # (market, category) -> messages


@dataclass(frozen=True, slots=True)
class Cost:
    """Amounts in micro. `unpriced`: messages of a (market, category) without a rate, by these."""

    currency: str
    amount: int
    unpriced: Mapping[tuple[str, str], int]
    balance: int | None  # what is there; None when nobody opened the account


def count(kinds: Kinds, sends: Iterable[NewSend]) -> None:
    """Add these messages."""
    kinds.update((market_of(one.recipient), assumed(one.type, one.category)) for one in sends)


def cost(tx: ReadTx, kinds: Kinds, currency: str, now: float) -> Cost:
    """By the rates of today."""
    card = rate_cards.card(tx, currency, (market for market, _ in kinds), (word for _, word in kinds))
    rates = {kind: card.find(*kind, day(now)) for kind in kinds}
    amount = sum(rate.amount * kinds[kind] for kind, rate in rates.items() if rate is not None)
    unpriced = {kind: kinds[kind] for kind, rate in rates.items() if rate is None}
    account = ledger.peek(tx)
    return Cost(currency, amount, unpriced, account.balance if account else None)


def seconds(tx: ReadTx, phone_number_id: str, messages: int, limits: Limits | None = None) -> float:
    """At the number's pace, if nothing else is sent from it."""
    rate = numbers.standing(tx, [phone_number_id])[phone_number_id].rate
    return messages * (limits or Limits()).of_number(rate).period / MICRO


def spelled(duration: float) -> str:
    """Seconds for people: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = max(round(duration), 0)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h" + (f" {minutes} min" if minutes else "")
