"""What a message costs, as a function of its folded row and the rates alone: pure, so no replay can skew it.

Charged when delivered; `read` and `played` prove a delivery. Meta's own word on category and type counts; as
long as it has said none, the category we assumed. It is an estimate: volume tiers are known to Meta alone.
"""

import json
from dataclasses import dataclass
from typing import Any

from store.money import day
from store.rate_cards import ELSEWHERE, Card, Rate
from whatsapp import pricing
from whatsapp.market import market as country


@dataclass(frozen=True, slots=True)
class Facts:
    """A message of ours: what we sent, and the fold of what Meta said. Event times in whole Unix seconds."""

    wamid: str
    message_id: str
    recipient: str
    type: str
    category: str | None  # the template's
    accepted_at: float
    expires_at: float
    delivered_at: int | None
    read_at: int | None
    played_at: int | None
    failed_at: int | None
    pricing: str | None  # canonical JSON of Meta's object

    @property
    def arrived_at(self) -> int | None:
        return min(
            (at for at in (self.delivered_at, self.read_at, self.played_at) if at is not None), default=None
        )

    @property
    def open(self) -> bool:
        """Meta has it, and nothing says what became of it."""
        return self.arrived_at is None and self.failed_at is None


@dataclass(frozen=True, slots=True)
class Charge:
    """A row of `charges`; amounts in micro, `amount` with the fee."""

    wamid: str
    message_id: str
    amount: int
    fee: int
    kind: str  # billable, free, unpriced
    category: str
    market: str
    rate_id: str | None
    charged_on: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class Said:
    """Meta's pricing object, as far as it decides anything."""

    category: str | None = None
    free: bool = False


def market_of(recipient: str) -> str:
    return country(recipient) or ELSEWHERE


def assumed(kind: str, category: str | None) -> str:
    """The category before Meta has named one."""
    if kind != "template":
        return pricing.SERVICE
    return category_word(category or pricing.MARKETING)


def said(text: str | None) -> Said:
    """Reads any JSON text. Old objects without a type say `billable` instead."""
    try:
        found = json.loads(text) if text else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return Said()
    kind, subtype, category = (_word(found.get(name)) for name in ("type", "subtype", "category"))
    free = pricing.is_free(kind, subtype) or (kind is None and found.get("billable") is False)
    return Said(category_word(category) if category else None, free)


def category_word(word: str) -> str:
    """One spelling for what Meta spells in several."""
    lower = word.strip().lower()
    return pricing.AUTHENTICATION_INTERNATIONAL if lower == "authentication_international" else lower


def estimate(card: Card, recipient: str, kind: str, category: str | None, at: float) -> Rate | None:
    """The rate of a message that is sent now; None when the card has none."""
    return card.find(market_of(recipient), assumed(kind, category), day(at))


def charge(facts: Facts, card: Card) -> Charge | None:
    """None: not delivered, as far as Meta has told."""
    at = facts.arrived_at
    if at is None:
        return None
    market, on, words = market_of(facts.recipient), day(at), said(facts.pricing)
    guess = assumed(facts.type, facts.category)
    rate = card.find(market, words.category, on) if words.category else None
    category = words.category or guess
    estimated = rate is None and not words.free
    if rate is None:
        rate = card.find(market, guess, on)
    kind = "free" if words.free else "billable" if rate else "unpriced"
    priced = rate if kind == "billable" else None
    return Charge(
        wamid=facts.wamid,
        message_id=facts.message_id,
        amount=priced.amount if priced else 0,
        fee=priced.fee_micro if priced else 0,
        kind=kind,
        category=category,
        market=market,
        rate_id=priced.rate_id if priced else None,
        charged_on=on,
        estimated=estimated,
    )


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
