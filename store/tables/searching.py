"""What makes messages findable beyond `sends`: filled by the follower `search`, off the hot paths.

Rows are inserted and deleted, never changed, and stand beside the folded rows, so that these need no index.
"""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.columns import clock, ident, text, where


class Stranger(SQLModel, table=True):
    """A message that Meta reports and that we did not send, as far as is known by now."""

    __tablename__ = "strangers"
    __table_args__ = (
        Index("ix_strangers_address", "address"),
        Index("ix_strangers_seen_at", "seen_at", "wamid"),
        Index("ix_strangers_number", "phone_number_id", "seen_at", "wamid"),
        Index("ix_strangers_recipient", "recipient", "seen_at", **where("recipient IS NOT NULL")),
        Index("ix_strangers_user", "user_id", "seen_at", **where("user_id IS NOT NULL")),
    )

    wamid: str = Field(sa_column=ident(primary_key=True))
    address: str = Field(sa_column=ident())  # of its page, see store/strangers.py
    seen_at: float = Field(sa_column=clock())
    phone_number_id: str | None = Field(sa_column=ident(nullable=True))
    recipient: str | None = Field(sa_column=ident(nullable=True))  # phone digits or group id, as reported
    user_id: str | None = Field(sa_column=ident(nullable=True))


class KnownAs(SQLModel, table=True):
    """What Meta calls a recipient of ours, when that is not what we sent to: one row a person."""

    __tablename__ = "known_as"

    name: str = Field(sa_column=ident(primary_key=True))  # business-scoped user id, or other digits
    recipient: str = Field(sa_column=ident(primary_key=True))  # as in sends.recipient


class Search(SQLModel, table=True):
    """A search that names a person, kept for a day so that the address bar need not hold it."""

    __tablename__ = "searches"
    __table_args__ = (Index("ix_searches_at", "at"),)

    search_id: str = Field(sa_column=ident(primary_key=True))  # random
    user_id: str = Field(sa_column=ident())  # whose it is; nobody else can open it
    query: str = Field(sa_column=text())
    at: float = Field(sa_column=clock())
