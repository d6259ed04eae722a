"""Sending a message again because a person says so: as a new message, linked to the old by `again_of`.

Only what certainly reached nobody may go again (law 4). Each repeat has a number, and its idempotency key is
made of it: pressing twice, or two people at once, sends once. The key also finds the repeats by its index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store import sends, stories
from store.database import ReadTx, WriteTx
from store.errors import Refused
from store.records import NewSend
from store.sends import Submitted
from store.stories import Story

KEEP_IT = "Set WAMTRAIL_KEEP_CONTENT=true to keep what is sent from now on."
_OVER = ("failed", "refused", "cancelled")


@dataclass(frozen=True, slots=True)
class Original:
    """What a repeat is made of. `payload` None: its content is not kept."""

    message_id: str
    phone_number_id: str
    recipient_typed: str
    payload: bytes | None
    callback_data: str | None
    reference: str | None
    valid_for: float


@dataclass(frozen=True, slots=True)
class Link:
    """A message beside: `number` counts the repeats of one message from 1."""

    message_id: str
    number: int
    queued_at: float
    status: str


def original(tx: ReadTx, message_id: str) -> Original | None:
    row = tx.first(
        text(
            "SELECT message_id, phone_number_id, recipient_typed, payload, callback_data, reference,"
            " expires_at - queued_at AS valid_for FROM sends WHERE message_id = :id"
        ),
        {"id": message_id},
    )
    if row is None:
        return None
    found = dict(row._mapping)
    return Original(**{**found, "payload": None if row.payload is None else bytes(row.payload)})


def key(message_id: str, number: int) -> str:
    """The idempotency key of a repeat."""
    return f"again:{message_id}:{number:06d}"


def repeats(tx: ReadTx, message_id: str) -> list[Link]:
    """What was sent again from this message, oldest first."""
    rows = tx.all(
        text(
            "SELECT again.message_id, again.idempotency_key, again.queued_at FROM sends"
            " JOIN sends AS again ON again.phone_number_id = sends.phone_number_id"
            " AND again.idempotency_key >= :low AND again.idempotency_key < :high"
            " AND again.again_of = sends.message_id"
            " WHERE sends.message_id = :id ORDER BY again.idempotency_key"
        ),
        {"id": message_id, "low": f"again:{message_id}:", "high": f"again:{message_id};"},
    )
    return [
        Link(row.message_id, int(row.idempotency_key[-6:]), row.queued_at, _status(tx, row.message_id))
        for row in rows
    ]


def repeated(tx: ReadTx, message_id: str) -> str | None:
    """The message that this one repeats."""
    found: str | None = tx.value(
        text("SELECT again_of FROM sends WHERE message_id = :id"), {"id": message_id}
    )
    return found


def why_not(story: Story, kept: bool, before: Sequence[Link], *, twice: bool = False) -> str | None:
    """Why this message may not go again, in one sentence; None when it may. Pure."""
    if story.send is None:
        return "It was not sent from here, so it cannot be sent again from here."
    if story.erased_on:
        return "Whom it was sent to was erased."
    if story.status not in ("failed", "refused"):
        return "Only what failed or was refused can be sent again: any other may have reached the recipient."
    if story.conflict or story.participants or twice:
        return "Some of it may have arrived, so it is not sent again."
    if before and before[-1].status not in _OVER:
        return f"It was sent again already; that message is {before[-1].status}."
    if not kept:
        return f"Its content is gone: it is not kept once a message is final. {KEEP_IT}"
    return None


def standing(tx: ReadTx, message_id: str) -> tuple[str | None, int]:
    """(why it may not go again, the number that its next repeat would have)."""
    story = stories.story(tx, message_id)
    if story is None or story.send is None:
        return "There is no such message.", 1
    before = repeats(tx, message_id)
    kept: Any = tx.value(
        text("SELECT payload IS NOT NULL FROM sends WHERE message_id = :id"), {"id": message_id}
    )
    twice = tx.value(text("SELECT 1 FROM sent_twice WHERE message_id = :id LIMIT 1"), {"id": message_id})
    number = before[-1].number + 1 if before else 1
    return why_not(story, bool(kept), before, twice=twice is not None), number


def submit(tx: WriteTx, new: NewSend, number: int, now: float) -> Submitted:
    """Queue the repeat, unless its number was used: then it is the one that was queued. Raises Refused."""
    assert new.again_of is not None
    lock = " FOR UPDATE" if tx.postgres else ""
    tx.first(text(f"SELECT 1 FROM sends WHERE message_id = :id{lock}"), {"id": new.again_of})
    known = sends.same_key(tx, new.phone_number_id, key(new.again_of, number))
    if known is not None:
        return Submitted(known.message_id, False, known.state)
    reason, next_number = standing(tx, new.again_of)
    if reason is None and number != next_number:
        reason = "This form is of another time; open the message again."
    if reason is not None:
        raise Refused(reason)
    return sends.submit(tx, new, now)


def _status(tx: ReadTx, message_id: str) -> str:
    story = stories.story(tx, message_id)
    return story.status if story else "unknown"
