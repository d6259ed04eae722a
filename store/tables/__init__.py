"""Every table of the installation. Importing this package fills `metadata`."""

from sqlmodel import SQLModel

from store.tables.access import ApiToken, AuditEntry, Installation, Session, SignInFailure, User
from store.tables.bulk import BulkProblem, BulkRun
from store.tables.columns import NAMING
from store.tables.messages import Message, Participant, StatusUpdateRow
from store.tables.money import Account, Charge, ChargeDue, Hold, LedgerEntry, RateCard
from store.tables.others import AccountEventRow, InboundMessageRow, QuarantineRow, Suppression
from store.tables.rollups import (
    DirtyBucket,
    DirtyMessage,
    ReportBucket,
    ReportCost,
    ReportDay,
    ReportState,
    ReportStranger,
)
from store.tables.searching import KnownAs, Search, Stranger
from store.tables.sends import AttemptOutcome, Number, RateCell, Send, SendAttempt, SentTwice
from store.tables.templates import TemplateRow
from store.tables.webhooks import (
    Endpoint,
    Feed,
    Follower,
    ProcessorMark,
    ReceiverMinute,
    TooOld,
    Webhook,
    WebhookBacklog,
    WebhookRepeat,
)
from store.tables.work import OpenMessage

metadata = SQLModel.metadata

__all__ = [
    "NAMING",
    "Account",
    "AccountEventRow",
    "ApiToken",
    "AttemptOutcome",
    "AuditEntry",
    "BulkProblem",
    "BulkRun",
    "Charge",
    "ChargeDue",
    "DirtyBucket",
    "DirtyMessage",
    "Endpoint",
    "Feed",
    "Follower",
    "Hold",
    "InboundMessageRow",
    "Installation",
    "KnownAs",
    "LedgerEntry",
    "Message",
    "Number",
    "OpenMessage",
    "Participant",
    "ProcessorMark",
    "QuarantineRow",
    "RateCard",
    "RateCell",
    "ReceiverMinute",
    "ReportBucket",
    "ReportCost",
    "ReportDay",
    "ReportState",
    "ReportStranger",
    "Search",
    "Send",
    "SendAttempt",
    "SentTwice",
    "Session",
    "SignInFailure",
    "StatusUpdateRow",
    "Stranger",
    "Suppression",
    "TemplateRow",
    "TooOld",
    "User",
    "Webhook",
    "WebhookBacklog",
    "WebhookRepeat",
    "metadata",
]
