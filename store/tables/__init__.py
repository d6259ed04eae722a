"""Every table of the installation. Importing this package fills `metadata`."""

from sqlmodel import SQLModel

from store.tables.access import ApiToken, Installation
from store.tables.columns import NAMING
from store.tables.messages import Message, Participant, StatusUpdateRow
from store.tables.others import AccountEventRow, InboundMessageRow, QuarantineRow, Suppression
from store.tables.sends import AttemptOutcome, Number, RateCell, Send, SendAttempt, SentTwice
from store.tables.webhooks import (
    Endpoint,
    Feed,
    ProcessorMark,
    ReceiverMinute,
    Webhook,
    WebhookBacklog,
    WebhookRepeat,
)

metadata = SQLModel.metadata

__all__ = [
    "NAMING",
    "AccountEventRow",
    "ApiToken",
    "AttemptOutcome",
    "Endpoint",
    "Feed",
    "InboundMessageRow",
    "Installation",
    "Message",
    "Number",
    "Participant",
    "ProcessorMark",
    "QuarantineRow",
    "RateCell",
    "ReceiverMinute",
    "Send",
    "SendAttempt",
    "SentTwice",
    "StatusUpdateRow",
    "Suppression",
    "Webhook",
    "WebhookBacklog",
    "WebhookRepeat",
    "metadata",
]
