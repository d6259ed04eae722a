"""What stands around every message's content: product, recipient, quoted message, callback data."""

from collections.abc import Iterator
from typing import Any, Literal

from sender.payload_problem import Problem, member, problem
from whatsapp.callback_data import LIMIT
from whatsapp.recipient import InvalidRecipient, Recipient, parse_recipient

ROOM_FOR_CALLBACK_DATA = LIMIT - 37  # our own id of 36 characters and a colon go before the caller's value


def recipient_key(body: dict[str, Any]) -> Literal["to", "recipient"]:
    """The field that decides: when both are given Meta takes `to`."""
    return "to" if body.get("to") is not None else "recipient"


def read_recipient(
    body: dict[str, Any], default_country: str | None
) -> tuple[Recipient | None, tuple[Problem, ...]]:
    """Who it goes to, or what is wrong with that."""
    key = recipient_key(body)
    typed, group = body.get(key), body.get("recipient_type") == "group"
    if typed is None:
        return None, (problem(("to",), "missing; add the recipient's number with + and the country code"),)
    if not isinstance(typed, str):
        return None, (problem((key,), 'must be text in quotes, such as "+919876543210"'),)
    try:
        recipient = parse_recipient(typed, default_country, group)
    except InvalidRecipient as error:
        return None, (problem((key,), str(error)),)
    if key == "to" and recipient.kind == "user_id":
        sentence = "is a business-scoped user id, which belongs in `recipient`; in `to` it would be lost"
        return None, (problem((key,), sentence),)
    if key == "recipient" and recipient.kind != "user_id":
        return None, (
            problem((key,), "is no business-scoped user id; a phone number or group belongs in `to`"),
        )
    return recipient, ()


def envelope_problems(body: dict[str, Any], kind: str | None) -> Iterator[Problem]:
    if body.get("messaging_product") != "whatsapp":
        yield problem(("messaging_product",), 'must be "whatsapp"')
    if body.get("recipient_type", "individual") not in ("individual", "group"):
        yield problem(("recipient_type",), "must be individual or group, or left out")
    data = body.get("biz_opaque_callback_data")
    if data is not None and not isinstance(data, str):
        yield problem(("biz_opaque_callback_data",), "must be text")
    if isinstance(data, str) and len(data) > ROOM_FOR_CALLBACK_DATA:
        sentence = (
            f"{len(data):,} characters, the limit is {ROOM_FOR_CALLBACK_DATA} beside the message's own id"
        )
        yield problem(("biz_opaque_callback_data",), sentence)
    yield from _context(body.get("context"), kind)


def _context(context: object, kind: str | None) -> Iterator[Problem]:
    if context is None:
        return
    quoted = member(context, "message_id")
    if not isinstance(quoted, str) or not quoted:
        yield problem(("context", "message_id"), "must be the id of the message that is quoted")
    if kind == "reaction":
        yield problem(("context",), "a reaction quotes nothing; its message_id says what it belongs to")
