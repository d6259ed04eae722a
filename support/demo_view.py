"""What the demo's pages show of rows and stories: words, signs and masked numbers. Pure."""

from collections.abc import Mapping
from typing import Any

from store import status, strangers
from store.explained import Explained, error_of, why
from store.group_rows import Conflicts
from store.stories import Story
from store.summary import MARKS, shown_status, summary
from store.timeline import Step, timeline
from store.times import rfc3339, spelled
from whatsapp.masking import mask, mask_wamid, scrub

_AGAIN = {"never": "not as it is", "later": "later", "now": "at once"}
_IMPLIED = "Meta leaves delivered out when a message is read at once: read means that it was delivered."
_CONFLICT = "Meta reported a delivery and a failure. Both are kept and shown below."
_STRANGER = "This message was not sent from here: all that is known of it is what Meta reported."


def line(row: Mapping[str, Any], conflicts: Conflicts, now: float) -> dict[str, Any]:
    """A row of the list."""
    word = "conflict" if row["message_wamid"] in conflicts else str(row["status"])
    return {
        "address": row["message_id"] or strangers.address(row["message_wamid"]),
        "word": word,
        "mark": MARKS[word],
        "to": mask(row["recipient"] or row["recipient_user_id"]),
        "reference": row["reference"] or "",
        "kind": row["template"] or row["type"] or "",
        "at": rfc3339(row["at"]),
        "ago": ago(now - row["at"]),
    }


def ago(seconds: float) -> str:
    """`12 min ago`, in one unit."""
    if seconds < 1:
        return "now"
    size = next((size for size in (86_400, 3_600, 60) if seconds >= size), 1)
    return f"{spelled(seconds // size * size)} ago"


def story(one: Story) -> dict[str, Any]:
    """The page of a message."""
    word = shown_status(one)
    error = error_of(one)
    return {
        "word": word,
        "mark": MARKS[word],
        "summary": summary(one),
        "facts": _facts(one),
        "error": _error(error) if error else None,
        "notes": [
            sentence
            for true, sentence in (
                (one.conflict, _CONFLICT),
                (one.delivered_implied, _IMPLIED),
                (one.send is None, _STRANGER),
            )
            if true
        ],
        "participants": [_member(person) for person in one.participants],
        "steps": [_step(step, one) for step in timeline(one)],
    }


def _facts(one: Story) -> list[tuple[str, str]]:
    send, message = one.send or {}, one.message or {}
    known = {**{name: value for name, value in message.items() if value is not None}, **send}
    recipient = known.get("recipient") or known.get("recipient_id") or known.get("recipient_user_id")
    wamid = message.get("wamid") or send.get("wamid")
    facts = (
        ("to", mask(recipient)),
        ("from", known.get("phone_number_id") or known.get("reported_number")),
        ("type", known.get("type")),
        ("template", known.get("template")),
        ("reference", known.get("reference")),
        ("message_id", known.get("message_id")),
        ("wamid", mask_wamid(wamid) if wamid else None),
    )
    return [(name, str(value)) for name, value in facts if value]


def _error(error: Explained) -> dict[str, Any]:
    entry = error.entry
    return {
        "meaning": scrub(entry.meaning),
        "action": scrub(entry.action),
        "owner": entry.owner,
        "again": _AGAIN[entry.retryable],
        "said": scrub(error.said),
        "trace": error.fbtrace_id,
    }


def _member(person: Mapping[str, Any]) -> dict[str, str]:
    word = "conflict" if status.conflict(person) else status.status(person)
    return {"who": mask(person["participant"]), "word": word, "mark": MARKS[word]}


def _step(step: Step, one: Story) -> dict[str, Any]:
    return {
        "at": rfc3339(step.at),
        "clock": _clock(step.at),
        "arrived": rfc3339(step.arrived_at),
        "arrived_clock": _clock(step.arrived_at),
        "word": step.what if step.what in MARKS else "",
        "mark": MARKS.get(step.what, ""),
        "text": scrub(step.text),
        "who": mask(step.participant),
        "why": [scrub(words) for words in why(step, one)],
    }


def _clock(seconds: float | None) -> str:
    return (rfc3339(seconds) or "").replace("T", " ").removesuffix("Z")
