"""What we were asked to send, each POST of it, and what paces the sending."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from store.tables.columns import blob, clock, ident, integer, text, where

STATES = ("queued", "sending", "accepted", "refused", "unknown", "cancelled")


class Send(SQLModel, table=True):
    """One row a message that we were asked to send; it never moves and is never deleted by sending."""

    __tablename__ = "sends"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("uq_sends_idempotency", "phone_number_id", "idempotency_key", unique=True),
        Index("uq_sends_bulk_row", "bulk_run_id", "row_number", unique=True),
        Index("uq_sends_wamid", "wamid", unique=True),
        Index("ix_sends_due", "phone_number_id", "priority", "due_at", **where("state = 'queued'")),
        Index(
            "ix_sends_run_due",
            "bulk_run_id",
            "due_at",
            **where("state = 'queued' AND bulk_run_id IS NOT NULL"),
        ),
        Index("ix_sends_lease", "lease_until", **where("state = 'sending'")),
        Index("ix_sends_unknown", "queued_at", **where("state = 'unknown'")),
        Index("ix_sends_reference", "reference", "queued_at", **where("reference IS NOT NULL")),
        Index("ix_sends_queued_at", "queued_at", "message_id"),
        Index("ix_sends_recipient", "recipient", "queued_at"),
        Index("ix_sends_template", "template", "queued_at", "message_id", **where("template IS NOT NULL")),
        Index("ix_sends_number", "phone_number_id", "queued_at", "message_id"),
        Index("ix_sends_refused", "queued_at", "message_id", **where("state = 'refused'")),
        Index("ix_sends_unsettled", "queued_at", "message_id", **where("state = 'unknown'")),
    )

    message_id: str = Field(sa_column=ident(primary_key=True))  # UUIDv7, so it sorts by time
    phone_number_id: str = Field(sa_column=ident())
    state: str = Field(sa_column=ident())
    recipient_typed: str = Field(sa_column=text())
    recipient: str = Field(sa_column=ident())  # as sent: phone digits without '+', BSUID or group id
    type: str = Field(sa_column=ident())
    template: str | None = Field(sa_column=ident(nullable=True))
    language: str | None = Field(sa_column=ident(nullable=True))
    category: str | None = Field(sa_column=ident(nullable=True))  # the template's, where it is known
    payload: bytes | None = Field(sa_column=blob(nullable=True))  # what leaves; emptied once final
    payload_digest: bytes = Field(sa_column=blob())  # of what the caller gave: same key, same body?
    callback_data: str | None = Field(sa_column=text(nullable=True))  # the caller's own part
    reference: str | None = Field(sa_column=ident(nullable=True))  # the caller's own id, not unique
    idempotency_key: str | None = Field(sa_column=ident(nullable=True))
    priority: int = Field(sa_column=integer())  # 0 transactional, 1 bulk, 2 row of a bulk run
    bulk_run_id: str | None = Field(sa_column=ident(nullable=True))
    row_number: int | None = Field(sa_column=integer(nullable=True))
    queued_at: float = Field(sa_column=clock())
    due_at: float = Field(sa_column=clock())
    expires_at: float = Field(sa_column=clock())
    attempts: int = Field(sa_column=integer())  # how many POSTs were started
    claim_id: str | None = Field(sa_column=ident(nullable=True))
    lease_until: float | None = Field(sa_column=clock(nullable=True))
    wamid: str | None = Field(sa_column=ident(nullable=True))
    accepted_at: float | None = Field(sa_column=clock(nullable=True))
    message_status: str | None = Field(sa_column=ident(nullable=True))  # Meta's word in the answer
    refused_by: str | None = Field(sa_column=ident(nullable=True))  # wamtrail, wrapper, meta
    settled_by: str | None = Field(sa_column=ident(nullable=True))  # answer, status, person
    settled_at: float | None = Field(sa_column=clock(nullable=True))
    note: str | None = Field(sa_column=text(nullable=True))  # what the person who settled it wrote
    error: str | None = Field(sa_column=text(nullable=True))  # JSON, see records.AttemptEnd
    again_of: str | None = Field(default=None, sa_column=ident(nullable=True))  # message_id of the first


class SendAttempt(SQLModel, table=True):
    """One POST, written before it leaves."""

    __tablename__ = "send_attempts"

    message_id: str = Field(sa_column=ident(primary_key=True))
    number: int = Field(sa_column=integer(primary_key=True, autoincrement=False))
    claim_id: str = Field(sa_column=ident())
    started_at: float = Field(sa_column=clock())


class AttemptOutcome(SQLModel, table=True):
    """How a POST ended, an inserted row. An attempt without one is on the wire or was cut off by a crash."""

    __tablename__ = "attempt_outcomes"
    __table_args__ = (Index("ix_attempt_outcomes_batch", "batch"),)

    message_id: str = Field(sa_column=ident(primary_key=True))
    number: int = Field(sa_column=integer(primary_key=True, autoincrement=False))
    ended_at: float = Field(sa_column=clock())
    outcome: str = Field(sa_column=ident())  # accepted refused throttled unreachable unknown
    http_status: int | None = Field(sa_column=integer(nullable=True))
    error: str | None = Field(sa_column=text(nullable=True))
    answer: bytes | None = Field(sa_column=blob(nullable=True))  # the wrapper's bytes, for a while
    batch: int = Field(sa_column=integer())


class SentTwice(SQLModel, table=True):
    """A second wamid for one message_id. Must stay empty."""

    __tablename__ = "sent_twice"

    message_id: str = Field(sa_column=ident(primary_key=True))
    wamid: str = Field(sa_column=ident(primary_key=True))
    seen_at: float = Field(sa_column=clock())


class Number(SQLModel, table=True):
    """One of our sending numbers: its pace, and whether it is held."""

    __tablename__ = "numbers"

    phone_number_id: str = Field(sa_column=ident(primary_key=True))  # '' stands for the whole account
    waba_id: str | None = Field(sa_column=ident(nullable=True))  # as learnt from webhooks
    display_number: str | None = Field(sa_column=ident(nullable=True))
    rate: float | None = Field(sa_column=clock(nullable=True))  # messages a second; null is the default
    default_country: str | None = Field(sa_column=ident(nullable=True))
    paused_until: float | None = Field(sa_column=clock(nullable=True))
    paused_reason: str | None = Field(sa_column=text(nullable=True))


class RateCell(SQLModel, table=True):
    """A throttle's whole state: the theoretical arrival time of GCRA."""

    __tablename__ = "rate_cells"

    key: str = Field(sa_column=ident(primary_key=True))
    arrival: int = Field(sa_column=integer())  # Unix microseconds
