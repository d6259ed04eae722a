"""Reads the body of a send, as strictly as the simulated Meta does; pure.

Only what Meta refuses at once is refused here. What it accepts and fails later is a fate.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

from simulator.identities import digits_of

Kind = Literal["person", "user", "group"]

MEDIA = ("audio", "document", "image", "sticker", "video")
TYPES = frozenset((*MEDIA, "contacts", "interactive", "location", "pin", "reaction", "template", "text"))
_TYPED_NUMBER = re.compile(r"\+?[0-9 ().-]+")
_LISTED = ", ".join(sorted(TYPES)).upper()


@dataclass(frozen=True, slots=True)
class Send:
    """A message that Meta would look at. `recipient`: phone digits, user id or group id, by `kind`."""

    to: str  # as it was typed
    recipient: str
    kind: Kind
    type: str
    callback_data: str | None
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """ "I have read this", with or without "I am typing": no message, so no wamid."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Meta answers: its code and the details, HTTP 400."""

    code: int
    details: str


def read_request(raw: bytes) -> Send | Receipt | Refusal:
    """What a request body asks for."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or "messaging_product" not in body:
        return Refusal(100, "The parameter messaging_product is required.")
    if body["messaging_product"] != "whatsapp":
        return Refusal(100, "Param messaging_product must be one of {WHATSAPP}.")
    if "status" in body:
        return _read_receipt(body)
    return _addressed(body)


def _read_receipt(body: dict[str, Any]) -> Receipt | Refusal:
    if body["status"] != "read":
        return Refusal(100, "Param status must be one of {READ}.")
    if not _text(body.get("message_id")):
        return Refusal(131008, "The parameter message_id is required.")
    return Receipt()


def _addressed(body: dict[str, Any]) -> Send | Refusal:
    to, by_user_id = body.get("to"), body.get("recipient")
    addressed_to = body.get("recipient_type", "individual")
    if addressed_to not in ("individual", "group"):
        return Refusal(100, "Param recipient_type must be one of {INDIVIDUAL, GROUP}.")
    if _text(to):
        if addressed_to == "group":
            return _typed(body, to, to, "group")
        recipient = digits_of(to)
        if not _TYPED_NUMBER.fullmatch(to.strip()) or not 5 <= len(recipient) <= 15:
            return Refusal(131009, "Parameter value is not valid: to is not a phone number.")
        return _typed(body, to, recipient, "person")
    if _text(by_user_id):
        return _typed(body, by_user_id, by_user_id, "user")
    return Refusal(131008, "The parameter to is required.")


def _typed(body: dict[str, Any], to: str, recipient: str, kind: Kind) -> Send | Refusal:
    message_type = body.get("type", "text")
    if message_type not in TYPES:
        return Refusal(100, f"Param type must be one of {{{_LISTED}}}.")
    if not isinstance(body.get(message_type), dict if message_type != "contacts" else list):
        return Refusal(131008, f"The parameter {message_type} is required.")
    refusal = _content(message_type, body[message_type])
    if refusal:
        return refusal
    callback_data = body.get("biz_opaque_callback_data")
    if callback_data is not None and (not isinstance(callback_data, str) or len(callback_data) > 512):
        return Refusal(100, "Param biz_opaque_callback_data must be at most 512 characters long.")
    return Send(to, recipient, kind, message_type, callback_data, body)


def _content(message_type: str, content: Any) -> Refusal | None:
    if message_type == "text":
        if not _text(content.get("body")):
            return Refusal(131008, "The parameter text.body is required.")
        if len(content["body"]) > 4096:
            return Refusal(131009, "Param text['body'] must be at most 4096 characters long.")
    if message_type == "template":
        language = content.get("language")
        if not _text(content.get("name")):
            return Refusal(131008, "The parameter template.name is required.")
        if not isinstance(language, dict) or not _text(language.get("code")):
            return Refusal(131008, "The parameter template.language.code is required.")
    if message_type in MEDIA and _text(content.get("id")) == _text(content.get("link")):
        return Refusal(100, f"Param {message_type} needs either id or link.")
    return None


def _text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value.strip() != ""
