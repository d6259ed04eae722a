"""A message's story in one sentence, and the sign that stands before it. Pure, and safe to show: masked.

Between two of Meta's times the difference is Meta's own; where one of the two is ours, the sentence says so,
because the clocks are two.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from store import status
from store.explained import Explained, error_of
from store.stories import Story
from store.times import spelled
from whatsapp.masking import scrub

MARKS: Mapping[str, str] = MappingProxyType(
    {
        "queued": "○",
        "sending": "◔",
        "unknown": "?",
        "refused": "⊘",
        "cancelled": "⊖",
        "accepted": "◑",
        "sent": "✓",
        "delivered": "✓✓",
        "read": "✓✓",
        "played": "▶",
        "failed": "✕",
        "conflict": "⚡",
    }
)
_REFUSERS = {"wamtrail": "here, before it left", "wrapper": "by Kaleyra", "meta": "by Meta"}


def shown_status(story: Story) -> str:
    """The status, or `conflict`: the word whose sign and colour a page shows."""
    return "conflict" if story.conflict else story.status


def erased(story: Story) -> str | None:
    """What there is to say of a message whose recipient was erased."""
    day = story.erased_on
    return day and (
        f"This person was erased on {day}: what stays says what became of the message, not to whom it went."
    )


def summary(story: Story) -> str:
    """What became of the message, for instance "Delivered 12 s after sending, not read yet"."""
    if story.participants:
        return _group(story)
    if story.conflict:
        reached = _reached(story, contradicted=True)
        return f"{reached}, but Meta reported a failure too{_reason(error_of(story), ': ', '')}"
    if story.status in ("delivered", "read", "played"):
        return _reached(story)
    if story.status == "failed":
        return _failed(story)
    return _before_meta(story)


def _reached(story: Story, *, contradicted: bool = False) -> str:
    word = story.status
    after = _after(story, (story.message or {})[f"{word}_at"])
    if word == "delivered":
        return f"Delivered{after}" if contradicted else f"Delivered{after}, not read yet"
    implied = ", so it was delivered, though Meta did not report that" if story.delivered_implied else ""
    return f"{word.capitalize()}{after}{implied}"


def _failed(story: Story) -> str:
    failed_at = (story.message or {}).get("failed_at")
    if failed_at is None:
        return "Failed, as a person has settled it"
    return f"Failed{_after(story, failed_at)}{_reason(error_of(story), ': ', '; Meta gave no reason')}"


def _before_meta(story: Story) -> str:
    send, word = story.send or {}, story.status
    if word == "queued":
        tries = [one["outcome"] for one in story.attempts if one["outcome"] is not None]
        return f"Queued again after attempt {len(tries)} was {tries[-1]}" if tries else "Queued, not sent yet"
    if word == "sending":
        return "Sending: the request may be on its way"
    if word == "unknown":
        return "Outcome unknown: Meta may or may not have it, and it is not sent again by itself"
    if word == "cancelled":
        return "Cancelled before it left"
    if word == "refused":
        by = _REFUSERS.get(str(send.get("refused_by")), "")
        return f"Refused {by}".rstrip() + _reason(error_of(story), ": ", "")
    if word == "sent":
        return "Sent, not delivered yet"
    if send.get("settled_by") == "person":
        return "Sent, as a person has settled it; Meta has said nothing yet"
    return "Accepted by Meta, no status yet"


def _group(story: Story) -> str:
    """Meta never tells how many members a group has, so the whole is those whom it has reported on."""
    people = story.participants
    told = [f"Delivered to {sum(map(status.reached, people))} of {len(people)}"]
    for words, count in (
        ("read by", sum(1 for one in people if one["read_at"] is not None or one["played_at"] is not None)),
        ("failed for", sum(1 for one in people if status.status(one) == "failed")),
        ("both delivered and failed for", sum(map(status.conflict, people))),
    ):
        if count:
            told.append(f"{words} {count}")
    return f"{', '.join(told)} (of the members that Meta has reported on)"


def _after(story: Story, at: int) -> str:
    message, send = story.message or {}, story.send or {}
    if message.get("sent_at") is not None:
        return f" {spelled(at - message['sent_at'])} after sending"
    # Accepted by a status means: when that status arrived, which says nothing about when Meta took it.
    if send.get("settled_by") == "answer" and send.get("accepted_at") is not None:
        return f" {spelled(at - send['accepted_at'])} after acceptance (Meta's clock against ours)"
    return ""


def _reason(error: Explained | None, before: str, otherwise: str) -> str:
    if error is None:
        return otherwise
    words: Any = error.entry.name if error.entry.known else error.title or error.details or error.code
    return f"{before}{scrub(str(words))}" if words is not None else otherwise
