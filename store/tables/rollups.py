"""Figures by number and day: worked out anew from the rows whenever a bucket is dirty, never added to.

A bucket is (phone_number_id, day); a day is one of the zone that `report_state` names.
"""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.columns import clock, ident, integer, text


class ReportBucket(SQLModel, table=True):
    """The messages of a bucket that are alike: how many stand where. The statuses exclude each other."""

    __tablename__ = "report_buckets"

    day: str = Field(sa_column=ident(primary_key=True))
    phone_number_id: str = Field(sa_column=ident(primary_key=True))
    template: str = Field(sa_column=ident(primary_key=True))
    country: str = Field(sa_column=ident(primary_key=True))
    category: str = Field(sa_column=ident(primary_key=True))
    type: str = Field(sa_column=ident(primary_key=True))
    run: str = Field(sa_column=ident(primary_key=True))
    queued: int = Field(sa_column=integer())
    sending: int = Field(sa_column=integer())
    unknown: int = Field(sa_column=integer())
    refused: int = Field(sa_column=integer())
    cancelled: int = Field(sa_column=integer())
    accepted: int = Field(sa_column=integer())
    sent: int = Field(sa_column=integer())
    delivered: int = Field(sa_column=integer())
    read: int = Field(sa_column=integer())
    played: int = Field(sa_column=integer())
    failed: int = Field(sa_column=integer())
    implied: int = Field(sa_column=integer())  # reached without a `delivered`
    conflicts: int = Field(sa_column=integer())  # reached, and failed as well
    strangers: int = Field(sa_column=integer())  # not sent by us, as far as is known
    errors: str = Field(sa_column=text())  # JSON: code -> [messages, first time, an example]
    latency: str = Field(sa_column=text())  # JSON as before 0010, which wrote it last; now '{}'
    steps: str | None = Field(default=None, sa_column=text(nullable=True))  # JSON: step -> packed histogram


class ReportLatency(SQLModel, table=True):
    """Histograms of a bucket summed by one of its parts: few rows to merge for most questions.

    They hold as long as `refreshes` is that of the bucket's report_days: older code leaves them behind.
    """

    __tablename__ = "report_latency"

    day: str = Field(sa_column=ident(primary_key=True))
    phone_number_id: str = Field(sa_column=ident(primary_key=True))
    part: str = Field(sa_column=ident(primary_key=True))  # template, country ...; '' is the whole bucket
    value: str = Field(sa_column=ident(primary_key=True))
    refreshes: int = Field(sa_column=integer())
    steps: str = Field(sa_column=text())  # JSON: step -> packed histogram, see store/histogram.py


class ReportCost(SQLModel, table=True):
    """The delivered messages of a bucket that are alike, by the day (UTC) they are charged on."""

    __tablename__ = "report_costs"
    __table_args__ = (Index("ix_report_costs_charged_on", "charged_on"),)

    day: str = Field(sa_column=ident(primary_key=True))
    phone_number_id: str = Field(sa_column=ident(primary_key=True))
    charged_on: str = Field(sa_column=ident(primary_key=True))
    template: str = Field(sa_column=ident(primary_key=True))
    country: str = Field(sa_column=ident(primary_key=True))
    category: str = Field(sa_column=ident(primary_key=True))
    type: str = Field(sa_column=ident(primary_key=True))
    run: str = Field(sa_column=ident(primary_key=True))
    kind: str = Field(sa_column=ident(primary_key=True))  # billable free unpriced uncharged
    said: str = Field(sa_column=ident(primary_key=True))  # Meta's word: billable, free, '' when none
    messages: int = Field(sa_column=integer())
    estimated: int = Field(sa_column=integer())  # of them by a category that we assumed
    amount_micro: int = Field(sa_column=integer())
    estimated_micro: int = Field(sa_column=integer())
    fee_micro: int = Field(sa_column=integer())


class ReportDay(SQLModel, table=True):
    """When a bucket was worked out, and what came too late for it."""

    __tablename__ = "report_days"

    day: str = Field(sa_column=ident(primary_key=True))
    phone_number_id: str = Field(sa_column=ident(primary_key=True))
    zone: str = Field(sa_column=ident())
    refreshed_at: float = Field(sa_column=clock())
    not_before: float = Field(sa_column=clock())  # when it may be worked out again
    refreshes: int = Field(sa_column=integer())
    unfinished: int = Field(sa_column=integer())  # queued, sending or unknown
    late: int = Field(sa_column=integer())  # changes to its messages after it was sealed


class DirtyBucket(SQLModel, table=True):
    """A bucket whose figures may be old."""

    __tablename__ = "dirty_buckets"
    __table_args__ = (Index("ix_dirty_buckets_due_at", "due_at"),)

    day: str = Field(sa_column=ident(primary_key=True))
    phone_number_id: str = Field(sa_column=ident(primary_key=True))
    version: int = Field(sa_column=integer())  # counts the marks
    since: float = Field(sa_column=clock())
    due_at: float = Field(sa_column=clock())
    waiting: int = Field(sa_column=integer())  # 1: fresh, and looked at again as it holds unfinished ones


class DirtyMessage(SQLModel, table=True):
    """Thin markers: messages that changed though the feed says nothing new of them."""

    __tablename__ = "dirty_messages"

    wamid: str = Field(sa_column=ident(primary_key=True))
    marks: int = Field(sa_column=integer())


class ReportStranger(SQLModel, table=True):
    """Where a message that we did not send is counted."""

    __tablename__ = "report_strangers"
    __table_args__ = (Index("ix_report_strangers_number", "phone_number_id", "seen_at", "wamid"),)

    wamid: str = Field(sa_column=ident(primary_key=True))
    phone_number_id: str = Field(sa_column=ident())
    seen_at: float = Field(sa_column=clock())


class ReportState(SQLModel, table=True):
    """One row: the zone of the days, how far `sends` was looked through, what is sealed."""

    __tablename__ = "report_state"

    name: str = Field(sa_column=ident(primary_key=True))  # always ''
    zone: str = Field(sa_column=ident())
    sends_through: float = Field(sa_column=clock())
    sealed_before: str = Field(sa_column=ident())  # buckets of earlier days never change; '' is none
