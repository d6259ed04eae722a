"""What the page of a message shows of its story: words, signs, facts, steps. Pure; masked unless revealed."""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from store import money, status
from store.explained import Explained, error_of, why
from store.message_page import Seen
from store.stories import Story
from store.summary import MARKS, erased, shown_status, summary
from store.timeline import Step, timeline
from store.times import spelled
from whatsapp import callback_data
from whatsapp.masking import mask, mask_wamid, scrub

FINAL = ("read", "played", "failed", "refused", "cancelled")
_AGAIN = {"never": "not as it is", "later": "yes, later", "now": "yes, at once"}
_IMPLIED = "Meta leaves delivered out when a message is read at once: read means that it was delivered."
_CONFLICT = (
    "Meta reported a delivery and a failure of this message."
    " Both are kept and shown below; the delivery counts."
)
_STRANGER = "This message was not sent from here: all that is known of it is what Meta reported."
_UNKNOWN = (
    "The answer to the request was lost, so Meta may or may not have the message."
    " A status that names it settles it by itself; when none comes, find out, and settle it below."
)


def page(seen: Seen, *, revealed: bool = False) -> dict[str, Any]:
    """Everything of the page that does not depend on who looks."""
    story = seen.story
    error = error_of(story)
    word = shown_status(story)
    return {
        "address": seen.address,
        "word": word,
        "stands": story.status,
        "summary": summary(story),
        "final": story.status in FINAL,
        "facts": _facts(seen),
        "hidden": hidden(story) if revealed else masked(story),
        "revealed": revealed,
        "error": _error(error, revealed=revealed) if error else None,
        "notes": _notes(story),
        "participants": [_member(one, revealed=revealed) for one in story.participants],
        "pricing": pricing(seen),
        "steps": _steps(story, revealed=revealed),
        "again_of": seen.again_of,
        "repeats": seen.repeats,
    }


def hidden(story: Story) -> list[tuple[str, str]]:
    """What a reveal shows: everything that names the recipient."""
    send, message = story.send or {}, story.message or {}
    found = (
        ("to", _recipient(story)),
        ("to, as typed", send.get("recipient_typed")),
        ("Meta's number for them", message.get("recipient_id")),
        ("Meta's user id for them", message.get("recipient_user_id")),
        ("wamid", message.get("wamid") or send.get("wamid")),
    )
    shown: dict[str, str] = {}
    for name, value in found:
        if value and (name == "wamid" or value not in shown.values()):
            shown[name] = str(value)
    return list(shown.items())


def masked(story: Story) -> list[tuple[str, str]]:
    send, message = story.send or {}, story.message or {}
    wamid = message.get("wamid") or send.get("wamid")
    found = (("to", mask(_recipient(story))), ("wamid", mask_wamid(wamid) if wamid else ""))
    return [(name, value) for name, value in found if value]


def pricing(seen: Seen) -> list[tuple[str, str]]:
    """Meta's words about the price, and what it cost by the rate card."""
    stored = (seen.story.message or {}).get("pricing")
    said = json.loads(stored) if stored else {}
    said = said if isinstance(said, dict) else {}
    billable = {True: "yes", False: "no"}.get(said.get("billable"))  # type: ignore[arg-type]
    told = [
        ("category", said.get("category")),
        ("billable", billable),
        ("type", said.get("type")),
        ("pricing model", said.get("pricing_model")),
    ]
    if seen.charge is not None:
        words = money.shown(seen.charge.amount, seen.currency)
        guess = ", estimated" if seen.charge.estimated else ""
        told.append(("charge", "no rate is known" if seen.charge.kind == "unpriced" else f"{words}{guess}"))
    return [(name, str(value)) for name, value in told if value is not None]


def _recipient(story: Story) -> str:
    send, message = story.send or {}, story.message or {}
    names = ("recipient", "recipient_id", "recipient_user_id")
    return str(send.get("recipient") or next((message[one] for one in names if message.get(one)), ""))


def _facts(seen: Seen) -> list[tuple[str, str, bool]]:
    """(name, value, whether one wants to copy it)."""
    send, message = seen.story.send or {}, seen.story.message or {}
    known = {**{name: value for name, value in message.items() if value is not None}, **send}
    language = f" ({known['language']})" if known.get("language") else ""
    callers = known.get("callback_data") if send else callback_data.split(message.get("callback_data"))[1]
    facts = (
        ("from", seen.number, False),
        ("type", known.get("type"), False),
        ("template", known.get("template") and f"{known['template']}{language}", False),
        ("reference", known.get("reference"), True),
        ("callback data", callers, False),
        ("bulk run", seen.run and f"{seen.run['name']}, row {seen.run['row_number']}", False),
        ("message_id", seen.message_id, True),
    )
    return [(name, str(value), copied) for name, value, copied in facts if value]


def _notes(story: Story) -> list[str]:
    found = (
        (bool(story.erased_on), erased(story) or ""),
        (story.conflict, _CONFLICT),
        (story.delivered_implied and not story.participants, _IMPLIED),
        (story.status == "unknown" and error_of(story) is None, _UNKNOWN),
        (story.send is None, _STRANGER),
    )
    return [sentence for true, sentence in found if true]


def _error(error: Explained, *, revealed: bool) -> dict[str, Any]:
    entry = error.entry
    return {
        "meaning": _text(entry.meaning, revealed),
        "action": _text(entry.action, revealed),
        "owner": entry.owner,
        "again": _AGAIN[entry.retryable],
        "said": _text(error.said, revealed),
        "trace": error.fbtrace_id,
    }


def _member(person: Mapping[str, Any], *, revealed: bool) -> dict[str, Any]:
    word = "conflict" if status.conflict(person) else status.status(person)
    who = str(person["participant"])
    times = [person[f"{name}_at"] for name in status.STATUSES if person.get(f"{name}_at") is not None]
    return {
        "who": who if revealed else mask(who),
        "word": word,
        "at": max(times, default=None),
        "implied": status.delivered_implied(person),
    }


def _steps(story: Story, *, revealed: bool) -> list[dict[str, Any]]:
    steps = timeline(story)
    gaps = ["", *(_gap(before, after) for before, after in pairwise(steps))]
    return [
        {
            "key": place_of(step),
            "at": step.at if step.arrived_at is None else round(step.at),
            "arrived": step.arrived_at,
            "gap": gap,
            "word": step.what if step.what in MARKS else "",
            "text": _text(step.text, revealed),
            "who": step.participant if revealed else mask(step.participant),
            "why": [_text(words, revealed) for words in why(step, story)],
        }
        for step, gap in zip(steps, gaps, strict=True)
    ]


def place_of(step: Step) -> str:
    """What stays the same of a step when the page is asked again, so that new ones can be marked."""
    return f"{round(step.at * 1000)}-{step.what if step.what.isascii() and step.what.isalnum() else 'other'}"


def _gap(before: Step, after: Step) -> str:
    """Never below 0; where Meta's clock meets ours it says `about`."""
    seconds = after.at - before.at
    if seconds < 1:
        return ""
    two_clocks = (before.arrived_at is None) != (after.arrived_at is None)
    return f"{'about ' if two_clocks else ''}+{spelled(seconds)}"


def _text(words: str, revealed: bool) -> str:
    return words if revealed else scrub(words)
