"""What every page is given: the database, the time, and the few settings that pages follow."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from store.database import Database, WriteTx

Report = Callable[[str, date, date, tuple[str, ...], tuple[str, ...]], Mapping[str, Any]]


class Refused(Exception):
    """A thing that a person asked for is not done; the text is one sentence for them."""


@dataclass(frozen=True, slots=True)
class House:
    """`clock`: Unix seconds. `secure`: cookies are Secure even when the request does not show TLS.

    `send_again` and `replay` are wired above: pages may know neither the sender nor the receiver.
    """

    database: Database
    clock: Callable[[], float]
    secure: bool = False
    reveal_reason: bool = False  # a reveal asks why
    zone: str = "UTC"  # of those whose browser did not say
    keep_content: bool = False
    default_country: str | None = None  # two letters: of numbers without a country code
    # (message_id, the how-manieth repeat, writes the audit entry of a new message's id in the transaction
    # that queues it) -> the new message's id; the same repeat twice is one message
    send_again: Callable[[str, int, Callable[[WriteTx, str], None]], Awaitable[str]] | None = None
    masked_body: Callable[[bytes], str] | None = None  # a webhook's body without people and texts
    # (field, kind, value) -> one sentence for people, and the number that it is about or ''
    account_event: Callable[[str, str, str], tuple[str, str]] | None = None
    replay: Callable[[int], None] | None = None  # webhook id
    report: Report | None = None  # (kind, first day, last day, by, numbers) -> zone, rows, sentences
