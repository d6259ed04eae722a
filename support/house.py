"""What every page is given: the database, the time, and the few settings that pages follow."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from store.database import Database


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
    send_again: Callable[[str], Awaitable[str]] | None = None  # message_id -> that of the new message
    replay: Callable[[int], None] | None = None  # webhook id
