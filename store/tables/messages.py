"""What Meta said about each message, and the fold of it.

The receiver's columns are a function of the status updates alone (store/fold.py). A value column has its
order beside it: occurred_at * 8 + rank of the update that it came from. None of them may be indexed: an
index on a column that the fold changes costs every HOT update.
"""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.columns import clock, ident, integer, moment, text, where


class Message(SQLModel, table=True):
    """One row a message that Meta knows; sender's and receiver's columns never overlap."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("uq_messages_message_id", "message_id", unique=True),
        Index(
            "ix_messages_reference",
            "reference",
            **where("reference IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": 80}},
    )

    wamid: str = Field(sa_column=ident(primary_key=True))
    # the sender's, copied on acceptance
    message_id: str | None = Field(sa_column=ident(nullable=True))
    reference: str | None = Field(sa_column=ident(nullable=True))
    phone_number_id: str | None = Field(sa_column=ident(nullable=True))
    recipient: str | None = Field(sa_column=ident(nullable=True))
    type: str | None = Field(sa_column=ident(nullable=True))
    template: str | None = Field(sa_column=ident(nullable=True))
    accepted_at: float | None = Field(sa_column=clock(nullable=True))
    # the receiver's
    sent_at: int | None = Field(sa_column=moment(nullable=True))
    delivered_at: int | None = Field(sa_column=moment(nullable=True))
    read_at: int | None = Field(sa_column=moment(nullable=True))
    played_at: int | None = Field(sa_column=moment(nullable=True))
    failed_at: int | None = Field(sa_column=moment(nullable=True))
    first_seen_at: float | None = Field(sa_column=clock(nullable=True))
    reported_number: str | None = Field(sa_column=ident(nullable=True))
    reported_number_order: int | None = Field(sa_column=integer(nullable=True))
    recipient_id: str | None = Field(sa_column=ident(nullable=True))
    recipient_id_order: int | None = Field(sa_column=integer(nullable=True))
    recipient_user_id: str | None = Field(sa_column=ident(nullable=True))
    recipient_user_id_order: int | None = Field(sa_column=integer(nullable=True))
    callback_data: str | None = Field(sa_column=text(nullable=True))
    callback_data_order: int | None = Field(sa_column=integer(nullable=True))
    pricing: str | None = Field(sa_column=text(nullable=True))
    pricing_order: int | None = Field(sa_column=integer(nullable=True))
    error: str | None = Field(sa_column=text(nullable=True))
    error_order: int | None = Field(sa_column=integer(nullable=True))


class Participant(SQLModel, table=True):
    """The same fold for each member of a group message."""

    __tablename__ = "participants"
    __table_args__ = ({"postgresql_with": {"fillfactor": 80}},)

    wamid: str = Field(sa_column=ident(primary_key=True))
    participant: str = Field(sa_column=ident(primary_key=True))
    sent_at: int | None = Field(sa_column=moment(nullable=True))
    delivered_at: int | None = Field(sa_column=moment(nullable=True))
    read_at: int | None = Field(sa_column=moment(nullable=True))
    played_at: int | None = Field(sa_column=moment(nullable=True))
    failed_at: int | None = Field(sa_column=moment(nullable=True))
    first_seen_at: float | None = Field(sa_column=clock(nullable=True))
    error: str | None = Field(sa_column=text(nullable=True))
    error_order: int | None = Field(sa_column=integer(nullable=True))


class StatusUpdateRow(SQLModel, table=True):
    """What Meta said, each once. Copies merge: smallest (received_at, webhook_id), greatest value."""

    __tablename__ = "status_updates"
    __table_args__ = (
        Index("ix_status_updates_webhook_id", "webhook_id"),
        Index("ix_status_updates_batch", "batch"),
        Index("ix_status_updates_errors", "error_codes", "received_at", **where("error_codes <> ''")),
    )

    wamid: str = Field(sa_column=ident(primary_key=True))
    participant: str = Field(sa_column=ident(primary_key=True))
    status: str = Field(sa_column=ident(primary_key=True))
    occurred_at: int = Field(sa_column=moment(primary_key=True, autoincrement=False))
    error_codes: str = Field(sa_column=ident(primary_key=True))
    phone_number_id: str | None = Field(sa_column=ident(nullable=True))
    recipient_id: str | None = Field(sa_column=ident(nullable=True))
    recipient_user_id: str | None = Field(sa_column=ident(nullable=True))
    errors: str | None = Field(sa_column=text(nullable=True))
    pricing: str | None = Field(sa_column=text(nullable=True))
    callback_data: str | None = Field(sa_column=text(nullable=True))
    rest: str | None = Field(sa_column=text(nullable=True))
    received_at: float = Field(sa_column=clock())
    webhook_id: int = Field(sa_column=integer())
    batch: int = Field(sa_column=integer())
