"""Checks a message payload before it leaves.

`check` finds every problem at once and never raises. What leaves is the caller's own body; only `to` is
rewritten, into the full international form.
Meta's page: reference/whatsapp-business-phone-number/message-api.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sender.payload_build import template, text
from sender.payload_envelope import envelope_problems, read_recipient, recipient_key
from sender.payload_interactive import Interactive, interactive_rules
from sender.payload_media import MEDIA_MODELS, audio_rules, media_rules, sticker_rules
from sender.payload_other import Contacts, Location, Pin, Reaction, contacts_rules, no_rules, pin_rules
from sender.payload_problem import Path, Problem, listing, member, problem, shape_problems
from sender.payload_receipt import check_read_receipt, is_read_receipt
from sender.payload_sound import unsound
from sender.payload_template import Template, template_rules
from sender.payload_text import Text, text_rules
from whatsapp.recipient import Recipient

__all__ = ["Message", "Problem", "check", "check_read_receipt", "is_read_receipt", "template", "text"]

Rules = Callable[[Any, Path], Iterator[Problem]]

KINDS: dict[str, tuple[type[BaseModel], Rules]] = {
    "text": (Text, text_rules),
    **{kind: (MEDIA_MODELS[kind], media_rules) for kind in ("image", "video", "document")},
    "audio": (MEDIA_MODELS["audio"], audio_rules),
    "sticker": (MEDIA_MODELS["sticker"], sticker_rules),
    "location": (Location, no_rules),
    "contacts": (Contacts, contacts_rules),
    "reaction": (Reaction, no_rules),
    "template": (Template, template_rules),
    "interactive": (Interactive, interactive_rules),
    "pin": (Pin, pin_rules),
}


@dataclass(frozen=True, slots=True)
class Message:
    """A payload that may leave, and what the rest of the house wants to know of it."""

    payload: dict[str, Any]
    recipient: Recipient
    recipient_typed: str
    kind: str
    template: str | None = None
    language: str | None = None
    callers_callback_data: str | None = None


def check(body: object, default_country: str | None = None) -> tuple[Message | None, tuple[Problem, ...]]:
    """The message, or None and every problem. `default_country` (such as "IN") completes national numbers."""
    if not isinstance(body, dict):
        return None, (problem((), "the payload must be a JSON object"),)
    if is_read_receipt(body):
        return None, (problem(("status",), "a read receipt is no message; it has no outcome to follow"),)
    recipient, found = read_recipient(body, default_country)
    kind = _kind(body)
    problems = [*envelope_problems(body, kind), *found, *_content(body, kind), *unsound(body)]
    if problems or recipient is None or kind is None:
        return None, tuple(dict.fromkeys(problems))  # a lone surrogate is found by the model and by the walk
    return _message(body, recipient, kind), ()


def _message(body: dict[str, Any], recipient: Recipient, kind: str) -> Message:
    key = recipient_key(body)
    chosen = body.get("template") if kind == "template" else None
    return Message(
        payload={**body, key: recipient.value},
        recipient=recipient,
        recipient_typed=body[key],
        kind=kind,
        template=member(chosen, "name"),
        language=member(member(chosen, "language"), "code"),
        callers_callback_data=body.get("biz_opaque_callback_data"),
    )


def _kind(body: dict[str, Any]) -> str | None:
    kind = body.get("type", "text")
    return kind if isinstance(kind, str) and kind in KINDS else None


def _content(body: dict[str, Any], kind: str | None) -> Iterator[Problem]:
    if kind is None:
        yield problem(("type",), f"is no message type known here; known are {listing(KINDS)}")
    elif body.get(kind) is None:
        yield problem((kind,), _missing(body, kind))
    elif kind == "pin" and body.get("recipient_type") != "group":
        yield problem(("recipient_type",), "must be group; only groups have pinned messages")
    meant = kind if kind and body.get(kind) is not None else _carried(body)
    if meant is not None:
        model, rules = KINDS[meant]
        yield from shape_problems(model, body[meant], (meant,))
        yield from rules(body[meant], (meant,))


def _carried(body: dict[str, Any]) -> str | None:
    """The content that is there although the type does not name it."""
    return next((kind for kind in KINDS if body.get(kind) is not None), None)


def _missing(body: dict[str, Any], kind: str) -> str:
    other = _carried(body)
    if other is None:
        return "missing; add it"
    said = f"type is {kind}" if "type" in body else "without a type the message is a text"
    return f'missing; {said}, but the payload carries {other}; set type to "{other}" if that is meant'
