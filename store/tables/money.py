"""What sending costs: the account and its entries, what is held for messages under way, what was charged.

Money is whole millionths of the currency's unit (micro) everywhere. `accounts` carries the sums of the other
three tables; whoever writes to one of those holds the account's row, so the sums are exact at every commit.
"""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from store.tables.columns import clock, ident, integer, text

KINDS = ("billable", "free", "unpriced")


class Account(SQLModel, table=True):
    """One row an installation; without it nothing is held or charged."""

    __tablename__ = "accounts"

    name: str = Field(sa_column=ident(primary_key=True))  # '' is the installation's
    currency: str = Field(sa_column=ident())  # ISO 4217, three capitals
    opened_at: float = Field(sa_column=clock())  # messages accepted before are not charged
    credited_micro: int = Field(sa_column=integer())  # top-ups and corrections
    charged_micro: int = Field(sa_column=integer())
    held_micro: int = Field(sa_column=integer())
    charged_gone_micro: int = Field(sa_column=integer(server_default="0"))  # of charges past their age
    feed_position: int = Field(sa_column=integer())  # up to here the charges follow the feed
    low_since: float | None = Field(sa_column=clock(nullable=True))  # below the threshold, and said so


class LedgerEntry(SQLModel, table=True):
    """A top-up or a correction by a person; never changed, never deleted."""

    __tablename__ = "ledger_entries"
    __table_args__ = (Index("ix_ledger_entries_at", "at"), {"sqlite_autoincrement": True})

    entry_id: int | None = Field(default=None, sa_column=integer(primary_key=True, autoincrement=True))
    at: float = Field(sa_column=clock())
    kind: str = Field(sa_column=ident())  # top-up, correction
    amount_micro: int = Field(sa_column=integer())
    who: str = Field(sa_column=text())
    note: str = Field(sa_column=text())


class Hold(SQLModel, table=True):
    """What a message under way may cost, from its claim until Meta says what became of it."""

    __tablename__ = "holds"
    __table_args__ = (Index("ix_holds_until", "until"),)

    message_id: str = Field(sa_column=ident(primary_key=True))
    amount_micro: int = Field(sa_column=integer())
    at: float = Field(sa_column=clock())
    until: float = Field(sa_column=clock())  # after it no delivery can come any more


class Charge(SQLModel, table=True):
    """What a delivered message costs: a function of its folded row and of the rate cards."""

    __tablename__ = "charges"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        Index("uq_charges_message_id", "message_id", unique=True),
        Index("ix_charges_charged_on", "charged_on"),
    )

    wamid: str = Field(sa_column=ident(primary_key=True))
    message_id: str = Field(sa_column=ident())
    amount_micro: int = Field(sa_column=integer())  # the fee included
    fee_micro: int = Field(sa_column=integer())
    kind: str = Field(sa_column=ident())  # billable, free, unpriced: no rate for it
    category: str = Field(sa_column=ident())
    market: str = Field(sa_column=ident())  # ISO country of the recipient; '*' when it cannot be told
    rate_id: str | None = Field(sa_column=ident(nullable=True))
    charged_on: str = Field(sa_column=ident())  # the day it was delivered, UTC, such as 2026-11-22
    estimated: bool  # Meta named no category, or one that has no rate: the category we assumed


class ChargeDue(SQLModel, table=True):
    """Thin markers: messages whose charge has to be worked out again though the feed says nothing new."""

    __tablename__ = "charges_due"

    wamid: str = Field(sa_column=ident(primary_key=True))
    marks: int = Field(sa_column=integer())  # how often; counting it locks the row


class RateCard(SQLModel, table=True):
    """What one message costs in a market from a day on."""

    __tablename__ = "rate_cards"
    __table_args__ = (
        Index("uq_rate_cards_rate", "currency", "market", "category", "valid_from", unique=True),
    )

    rate_id: str = Field(sa_column=ident(primary_key=True))  # CURRENCY/MARKET/CATEGORY/DAY
    currency: str = Field(sa_column=ident())
    market: str = Field(sa_column=ident())  # ISO country, two capitals; '*' for all others
    category: str = Field(sa_column=ident())  # Meta's word, in lower case
    valid_from: str = Field(sa_column=ident())  # day, UTC, such as 2026-10-01
    meta_micro: int = Field(sa_column=integer())
    fee_micro: int = Field(sa_column=integer())  # Kaleyra's, for each message charged
