"""Every table of the installation. Importing this package fills `metadata`."""

from sqlmodel import SQLModel

from store.tables.access import ApiToken, Installation
from store.tables.columns import NAMING
from store.tables.messages import Message, Participant, StatusUpdateRow
from store.tables.others import AccountEventRow, InboundMessageRow, QuarantineRow
from store.tables.sends import AttemptOutcome, Number, RateCell, Send, SendAttempt, SentTwice
from store.tables.webhooks import Feed, ProcessorMark, Webhook, WebhookBacklog, WebhookRepeat

metadata = SQLModel.metadata

__all__ = [
    "NAMING",
    "AccountEventRow",
    "ApiToken",
    "AttemptOutcome",
    "Feed",
    "InboundMessageRow",
    "Installation",
    "Message",
    "Number",
    "Participant",
    "ProcessorMark",
    "QuarantineRow",
    "RateCell",
    "Send",
    "SendAttempt",
    "SentTwice",
    "StatusUpdateRow",
    "Webhook",
    "WebhookBacklog",
    "WebhookRepeat",
    "metadata",
]
