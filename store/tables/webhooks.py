"""What the door kept, what of it still waits, and the order in which its effects became visible."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.columns import blob, clock, ident, integer, text


class Webhook(SQLModel, table=True):
    """Every authentic POST, append-only; repeats are legal. PostgreSQL: partitioned by day of received_at."""

    __tablename__ = "webhooks"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, sa_column=integer(primary_key=True, autoincrement=True))
    received_at: float = Field(sa_column=clock())
    endpoint: str = Field(sa_column=ident())  # the callback URL's name; '' is /webhooks/whatsapp
    secret: str = Field(sa_column=ident())  # which secret matched: 'current', 'previous-1' ...
    digest: bytes = Field(sa_column=blob())  # SHA-256 of the raw body
    size: int = Field(sa_column=integer())  # bytes of the raw body
    compressed: bool
    body: bytes = Field(sa_column=blob())


class WebhookBacklog(SQLModel, table=True):
    """A thin marker for each kept webhook that is not processed yet."""

    __tablename__ = "webhook_backlog"

    webhook_id: int = Field(sa_column=integer(primary_key=True, autoincrement=False))
    received_at: float = Field(sa_column=clock())  # finds the partition
    size: int = Field(sa_column=integer())  # bounds the bytes of one claim
    tries: int = Field(sa_column=integer(server_default="0"))  # times that it was tried alone


class WebhookRepeat(SQLModel, table=True):
    """Two webhooks said one thing: replaying either has to hear both. `earlier_id` < `later_id`."""

    __tablename__ = "webhook_repeats"
    __table_args__ = (Index("ix_webhook_repeats_later_id", "later_id"),)

    earlier_id: int = Field(sa_column=integer(primary_key=True, autoincrement=False))
    later_id: int = Field(sa_column=integer(primary_key=True, autoincrement=False))


class TooOld(SQLModel, table=True):
    """How much of a webhook made no row, because it was older than the age of message rows."""

    __tablename__ = "too_old"

    webhook_id: int = Field(sa_column=integer(primary_key=True, autoincrement=False))
    statuses: int = Field(sa_column=integer())
    inbound: int = Field(sa_column=integer())


class Endpoint(SQLModel, table=True):
    """A callback URL of its own, /webhooks/whatsapp/{name}; what is secret of it is sealed."""

    __tablename__ = "endpoints"

    name: str = Field(sa_column=ident(primary_key=True))
    verify_tokens: str = Field(sa_column=ident())  # sealed JSON list, the current one first
    app_secrets: str = Field(sa_column=ident())  # likewise
    created_at: float = Field(sa_column=clock())
    changed_at: float = Field(sa_column=clock())
    disabled_at: float | None = Field(sa_column=clock(nullable=True))


class ReceiverMinute(SQLModel, table=True):
    """What one process of the receiver saw in one minute, of one endpoint or one number."""

    __tablename__ = "receiver_minutes"
    __table_args__ = (Index("ix_receiver_minutes_subject", "endpoint", "phone_number_id", "minute"),)

    minute: int = Field(sa_column=integer(primary_key=True, autoincrement=False))  # Unix seconds / 60
    process: str = Field(sa_column=ident(primary_key=True))
    endpoint: str = Field(sa_column=ident(primary_key=True))
    phone_number_id: str = Field(sa_column=ident(primary_key=True))  # '' in the rows of the door
    webhooks: int = Field(sa_column=integer())
    bytes: int = Field(sa_column=integer())
    answers: str = Field(sa_column=text())  # JSON {"200": n, "401 header_missing": n, ...}
    buckets: str = Field(sa_column=text())  # JSON list: answers within the bounds of store/minutes.py
    last_good_at: float | None = Field(sa_column=clock(nullable=True))


class ProcessorMark(SQLModel, table=True):
    """A running processor; one that is found although nobody runs tells of an unclean stop."""

    __tablename__ = "processor_marks"

    owner: int = Field(sa_column=integer(primary_key=True, autoincrement=False))
    started_at: float = Field(sa_column=clock())


class Feed(SQLModel, table=True):
    """Batches of status updates and attempt outcomes in the order in which they became visible."""

    __tablename__ = "feed"
    __table_args__ = {"sqlite_autoincrement": True}

    position: int | None = Field(default=None, sa_column=integer(primary_key=True, autoincrement=True))
    batch: int = Field(sa_column=integer(unique=True))
    stamped_at: float = Field(sa_column=clock())


class Follower(SQLModel, table=True):
    """Who reads the feed for the installation itself (figures, work lists), and how far it has come."""

    __tablename__ = "followers"

    name: str = Field(sa_column=ident(primary_key=True))
    position: int = Field(sa_column=integer())
