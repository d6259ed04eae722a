"""What came besides statuses: inbound messages, account events, and what could not be understood."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.columns import blob, clock, ident, integer, moment, text, where


class InboundMessageRow(SQLModel, table=True):
    """Who wrote to us and when; the content only if so configured."""

    __tablename__ = "inbound_messages"
    __table_args__ = (
        Index("ix_inbound_messages_webhook_id", "webhook_id"),
        Index(
            "ix_inbound_messages_replies_to",
            "replies_to",
            **where("replies_to IS NOT NULL"),
        ),
        Index("ix_inbound_messages_sender", "sender_id", "phone_number_id", "occurred_at"),
        Index(
            "ix_inbound_messages_user",
            "sender_user_id",
            "phone_number_id",
            "occurred_at",
            **where("sender_user_id IS NOT NULL"),
        ),
        Index("ix_inbound_messages_number", "phone_number_id", "occurred_at"),
    )

    wamid: str = Field(sa_column=ident(primary_key=True))
    occurred_at: int = Field(sa_column=moment())
    type: str = Field(sa_column=ident())
    phone_number_id: str | None = Field(sa_column=ident(nullable=True))
    sender_id: str | None = Field(sa_column=ident(nullable=True))
    sender_user_id: str | None = Field(sa_column=ident(nullable=True))
    group_id: str | None = Field(sa_column=ident(nullable=True))
    replies_to: str | None = Field(sa_column=ident(nullable=True))
    content: str | None = Field(sa_column=text(nullable=True))
    received_at: float = Field(sa_column=clock())
    webhook_id: int = Field(sa_column=integer())


class AccountEventRow(SQLModel, table=True):
    """Every other webhook field, whole, each once."""

    __tablename__ = "account_events"
    __table_args__ = (
        Index("ix_account_events_webhook_id", "webhook_id"),
        Index("ix_account_events_field", "field", "received_at"),
    )

    digest: bytes = Field(sa_column=blob(primary_key=True))  # of entry id, time, field and value
    entry_id: str = Field(sa_column=ident())
    field: str = Field(sa_column=ident())
    kind: str = Field(sa_column=ident())
    occurred_at: int | None = Field(sa_column=moment(nullable=True))
    value: str = Field(sa_column=text())
    received_at: float = Field(sa_column=clock())
    webhook_id: int = Field(sa_column=integer())


class Suppression(SQLModel, table=True):
    """The newest word of a person about a kind of message; stopped ones get no more of it."""

    __tablename__ = "suppressions"

    identity: str = Field(sa_column=ident(primary_key=True))  # phone digits or business-scoped user id
    category: str = Field(sa_column=ident(primary_key=True))  # marketing_messages
    stopped: bool
    occurred_at: int = Field(sa_column=moment())
    source: str = Field(sa_column=ident())  # meta, person
    note: str | None = Field(sa_column=text(nullable=True))


class QuarantineRow(SQLModel, table=True):
    """What could not be understood; closed, not deleted, when a replay understands it."""

    __tablename__ = "quarantine"
    __table_args__ = (
        Index("ix_quarantine_webhook_id", "webhook_id"),
        Index(
            "ix_quarantine_open",
            "received_at",
            **where("closed_at IS NULL"),
        ),
    )

    digest: bytes = Field(sa_column=blob(primary_key=True))  # of part and reason
    pointer: str = Field(sa_column=text())
    reason: str = Field(sa_column=text())
    part: str = Field(sa_column=text())
    received_at: float = Field(sa_column=clock())
    webhook_id: int = Field(sa_column=integer())
    closed_at: float | None = Field(sa_column=clock(nullable=True))
