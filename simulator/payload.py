"""Builds what Meta writes: the answer to a send, and the webhook envelope with its statuses; pure.

Shapes follow Meta's status webhook page and captured bodies of 2026: no `conversation` (gone since v24),
`contacts` beside sent, delivered and read, whole-second timestamps as strings.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from simulator import identities
from simulator.fates import Fate
from simulator.mistakes import status_error
from simulator.plan import BY_MEMBER, Planned
from simulator.request import Send


@dataclass(frozen=True, slots=True)
class Message:
    """A message that Meta took, and what it knows of it."""

    wamid: str
    phone_number_id: str
    send: Send
    fate: Fate
    accepted_at: float
    seed: int


@dataclass(frozen=True, slots=True)
class Report:
    """One status of one message, of all its members when it went to a group."""

    phone_number_id: str
    statuses: list[dict[str, Any]]
    contacts: list[dict[str, Any]]


def wa_id(message: Message) -> str:
    """The recipient's digits as Meta writes them."""
    digits = message.send.recipient
    return identities.rewritten(digits) if message.fate.rewritten else digits


def accepted(message: Message) -> dict[str, Any]:
    """The body of a 200: `{messaging_product, contacts: [{input, wa_id}], messages: [{id}]}`."""
    send = message.send
    known_as = ("user_id", send.recipient) if send.kind == "user" else ("wa_id", wa_id(message))
    item: dict[str, Any] = {"id": message.wamid}
    if send.kind == "group":
        item["group_id"] = send.recipient
    if message.fate.message_status or send.type == "template":
        item["message_status"] = message.fate.message_status or "accepted"
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": send.to, known_as[0]: known_as[1]}],
        "messages": [item],
    }


def report(message: Message, planned: Planned, at: int) -> Report:
    """What Meta says about one step of a message. `at`: Unix seconds of the event."""
    people = planned.members or (None,)
    statuses = [_status(message, planned, at, member) for member in people]
    contacts = [] if planned.step.errors else [c for m in people if (c := _contact(message, planned, m))]
    return Report(message.phone_number_id, statuses, contacts)


def envelope(waba_id: str, reports: Iterable[Report]) -> bytes:
    """One webhook body, a change a sending number; non-ASCII as lower-case \\uXXXX, as Meta signs it."""
    values: dict[str, dict[str, Any]] = {}
    for each in reports:
        value = values.setdefault(each.phone_number_id, _value(each.phone_number_id))
        value["contacts"] += [contact for contact in each.contacts if contact not in value["contacts"]]
        value["statuses"] += each.statuses
    for value in values.values():
        if not value["contacts"]:
            del value["contacts"]
    changes = [{"value": value, "field": "messages"} for value in values.values()]
    body = {"object": "whatsapp_business_account", "entry": [{"id": waba_id, "changes": changes}]}
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()


def _value(phone_number_id: str) -> dict[str, Any]:
    number = identities.display_number(phone_number_id)
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number, "phone_number_id": phone_number_id},
        "contacts": [],
        "statuses": [],
    }


def _status(message: Message, planned: Planned, at: int, member: str | None) -> dict[str, Any]:
    status: dict[str, Any] = {"id": message.wamid, "status": planned.step.status, "timestamp": str(at)}
    status |= _recipient(message, member)
    if message.send.callback_data is not None:
        status["biz_opaque_callback_data"] = message.send.callback_data
    if planned.priced:
        status["pricing"] = _pricing(message.send)
    if planned.step.errors:
        status["errors"] = [status_error(code) for code in planned.step.errors]
    return status


def _recipient(message: Message, member: str | None) -> dict[str, Any]:
    send = message.send
    if send.kind == "group":
        group = {"recipient_id": send.recipient, "recipient_type": "group"}
        if member is None:
            return group
        user = identities.user_id(message.seed, member)
        return group | {"recipient_participant_id": member, "recipient_participant_user_id": user}
    if send.kind == "user":
        return {"recipient_user_id": send.recipient}
    by_id = {"recipient_user_id": identities.user_id(message.seed, send.recipient)}
    return by_id if message.fate.user_id_only else {"recipient_id": wa_id(message)} | by_id


def _contact(message: Message, planned: Planned, member: str | None) -> dict[str, Any] | None:
    send, word = message.send, planned.step.status
    if (send.kind == "group" and member is None) or word not in ("sent", *BY_MEMBER):
        return None
    who = member or send.recipient
    contact: dict[str, Any] = {}
    if word != "sent":
        contact["profile"] = {"name": identities.profile_name(message.seed, who)}
    if send.kind == "user":
        return contact | {"user_id": who}
    if not message.fate.user_id_only:
        contact["wa_id"] = member or wa_id(message)
    return contact | {"user_id": identities.user_id(message.seed, who)}


def _pricing(send: Send) -> dict[str, Any]:
    """Free-form messages as service, templates by what their name says."""
    category, paid = "service", send.type == "template"
    if paid:
        name = str(send.body["template"].get("name", "")).lower()
        words = {
            "otp": "authentication",
            "auth": "authentication",
            "promo": "marketing",
            "offer": "marketing",
        }
        category = next((c for word, c in words.items() if word in name), "utility")
    if send.kind == "group":
        category = f"group_{'marketing' if category == 'marketing' else 'utility' if paid else 'service'}"
    free = "free_group_customer_service" if send.kind == "group" else "free_customer_service"
    return {
        "billable": paid,
        "pricing_model": "PMP",
        "category": category,
        "type": "regular" if paid else free,
    }
