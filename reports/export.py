"""What an export holds: the columns of each kind, in order, and how a stored row becomes their values.

Numbers, user ids and wamids are masked unless they are revealed; docs/columns.md is made from these columns.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import phonenumbers

from store import status
from store.explained import deciding, explain
from whatsapp import callback_data
from whatsapp.market import COUNTRIES, market
from whatsapp.masking import calling_code, mask, mask_wamid

Row = dict[str, Any]
TYPES = ("text", "integer", "number", "flag", "time")  # time: Unix seconds


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a file. `meaning`: one sentence for its reader."""

    name: str
    type: str
    meaning: str


MESSAGES = (
    Field("message_id", "text", "Our id; empty for a message that was not sent through this installation."),
    Field("wamid", "text", "Meta's id, once accepted. It holds the number: masked unless revealed."),
    Field("reference", "text", "The caller's own id; several messages may share one."),
    Field("callback_data", "text", "The caller's part of biz_opaque_callback_data."),
    Field("phone_number_id", "text", "The sending number at Meta."),
    Field("recipient", "text", "Phone digits, user id or group id; masked unless revealed."),
    Field(
        "recipient_user_id",
        "text",
        "The business-scoped user id, if told; masked unless revealed.",
    ),
    Field("country", "text", "ISO 3166 country of the recipient; empty for groups."),
    Field("type", "text", "text, template, image and so on."),
    Field("template", "text", "The template's name."),
    Field("language", "text", "The template's language."),
    Field("category", "text", "The template's category as it was known when the message was taken in."),
    Field("bulk_run_id", "text", "The bulk run whose row it is."),
    Field("row_number", "integer", "The line of that run's list."),
    Field(
        "status",
        "text",
        "Where it stands: queued to played, or failed, refused, cancelled, unknown.",
    ),
    Field("conflict", "flag", "Both a delivery and a failure were reported for one person."),
    Field("delivered_implied", "flag", "Read or played, although Meta never said delivered."),
    Field("queued_at", "time", "When it was handed to us; of a stranger's when we first heard of it."),
    Field("accepted_at", "time", "When Meta took it, by our clock."),
    Field("sent_at", "time", "By Meta's clock, whole seconds."),
    Field("delivered_at", "time", "By Meta's clock, whole seconds."),
    Field("read_at", "time", "By Meta's clock, whole seconds."),
    Field("played_at", "time", "By Meta's clock, whole seconds."),
    Field("failed_at", "time", "By Meta's clock, whole seconds."),
    Field("error_code", "text", "The reason of the status, where it has one."),
    Field("error_meaning", "text", "What that code means, from the catalogue."),
    Field("error_owner", "text", "Who can do something about it."),
    Field("refused_by", "text", "wamtrail, wrapper or meta, where the message was refused."),
    Field("settled_by", "text", "answer, status or person: what told the outcome of the send."),
    Field("attempts", "integer", "How many times it was posted."),
    Field("pricing_category", "text", "Meta's word on the category that is charged."),
    Field("pricing_type", "text", "Meta's word: regular, free_customer_service and so on."),
    Field("pricing_billable", "flag", "Meta's word on whether it is charged."),
)
UPDATES = (
    Field("message_id", "text", "Our id, where the message is ours."),
    Field("wamid", "text", "Meta's id of the message; masked unless revealed."),
    Field("participant", "text", "Who of a group; empty when it went to one person. Masked unless revealed."),
    Field("phone_number_id", "text", "The sending number at Meta."),
    Field("recipient", "text", "Phone digits, user id or group id as reported; masked unless revealed."),
    Field("recipient_user_id", "text", "The business-scoped user id; masked unless revealed."),
    Field("status", "text", "Meta's word as it came, also an unknown one."),
    Field("occurred_at", "time", "By Meta's clock, whole seconds."),
    Field("received_at", "time", "When the webhook reached us."),
    Field("error_code", "text", "The codes of its errors, separated by commas."),
    Field("error_meaning", "text", "What the first of them means, from the catalogue."),
    Field("pricing_category", "text", "Meta's word on the category that is charged."),
    Field("pricing_type", "text", "Meta's word: regular, free_customer_service and so on."),
    Field("pricing_billable", "flag", "Meta's word on whether it is charged."),
    Field("webhook_id", "integer", "The webhook in which it came first."),
)
ATTEMPTS = (
    Field("message_id", "text", "Our id."),
    Field("number", "integer", "The first POST of a message is 1."),
    Field("phone_number_id", "text", "The sending number at Meta."),
    Field("started_at", "time", "When the POST began."),
    Field("ended_at", "time", "When it ended; empty while it is on the wire or after a crash."),
    Field("seconds", "number", "How long it took."),
    Field("outcome", "text", "accepted, refused, throttled, unreachable or unknown."),
    Field("http_status", "integer", "Of the wrapper's answer."),
    Field("error_code", "text", "The error's code, where the answer carried one."),
    Field("error_meaning", "text", "What that code means, from the catalogue."),
)
FIELDS = {"messages": MESSAGES, "updates": UPDATES, "attempts": ATTEMPTS}


def shaper(kind: str, *, reveal: bool) -> Callable[[Mapping[str, Any]], Row]:
    """What makes the values of one row of store.exporting, one for each field of the kind."""
    shape = {"messages": _message, "updates": _update, "attempts": _attempt}[kind]
    if reveal:
        return shape
    return lambda row: _masked(shape(row))


def _masked(values: Row) -> Row:
    if values.get("wamid"):
        values["wamid"] = mask_wamid(values["wamid"])
    for name in ("recipient", "recipient_user_id", "participant"):
        if values.get(name):
            values[name] = mask(values[name])
    return values


def _message(row: Mapping[str, Any]) -> Row:
    group = row["group_conflict"]
    conflict = status.conflict(row) if group is None else bool(group)
    values: Row = {name: row[name] for name in _PLAIN}
    callers = row["callback_data"] if row["state"] else callback_data.split(row["reported_callback_data"])[1]
    return {
        **values,
        "callback_data": callers,
        "country": country(row["recipient"] or row["recipient_user_id"] or ""),
        "conflict": conflict,
        "delivered_implied": status.delivered_implied(row),
        **_error(row, conflict and group is None),
        **_pricing(row["pricing"]),
    }


_READY = {field.name for field in MESSAGES if field.name.startswith(("error_", "pricing_"))}
_READY |= {"country", "conflict", "delivered_implied", "callback_data"}
_PLAIN = tuple(field.name for field in MESSAGES if field.name not in _READY)


def _update(row: Mapping[str, Any]) -> Row:
    return {
        "message_id": row["message_id"],
        "wamid": row["wamid"],
        "participant": row["participant"] or None,
        "phone_number_id": row["phone_number_id"],
        "recipient": row["recipient_id"],
        **{name: row[name] for name in ("recipient_user_id", "status", "occurred_at", "received_at")},
        "error_code": row["error_codes"] or None,
        "error_meaning": _explained(row["errors"])["error_meaning"],
        **_pricing(row["pricing"]),
        "webhook_id": row["webhook_id"],
    }


def _attempt(row: Mapping[str, Any]) -> Row:
    taken = None if row["ended_at"] is None else max(0.0, round(row["ended_at"] - row["started_at"], 6))
    error = _explained(row["error"], row["http_status"])
    names = ("message_id", "number", "phone_number_id", "started_at", "ended_at", "outcome", "http_status")
    values = {name: row[name] for name in names} | {"seconds": taken}
    return {**values, "error_code": error["error_code"], "error_meaning": error["error_meaning"]}


def _error(row: Mapping[str, Any], conflict: bool) -> Row:
    if not conflict and row["status"] not in ("failed", "unknown", "refused"):
        return _NO_ERROR
    return _deciding(row["status"], conflict, row["send_error"], row["message_error"], row["refused_by"])


_NO_ERROR: Row = {"error_code": None, "error_meaning": None, "error_owner": None}


@lru_cache(4096)  # a few errors make up most of them; those with traces of their own pass through
def _deciding(word: str, conflict: bool, send: str | None, message: str | None, by: str | None) -> Row:
    return _told(deciding(word, conflict=conflict, send_error=send, message_error=message, refused_by=by))


@lru_cache(4096)
def _explained(stored: str | None, http_status: int | None = None) -> Row:
    return _told(explain(stored, http_status))


def _told(found: Any) -> Row:
    if found is None:
        return _NO_ERROR
    code = None if found.code is None else str(found.code)
    return {"error_code": code, "error_meaning": found.entry.meaning, "error_owner": found.entry.owner}


@lru_cache(4096)
def _pricing(stored: str | None) -> Row:
    """Meta's object is kept as it came, so nothing in it is certain."""
    value = json.loads(stored) if stored else None
    known = value if isinstance(value, dict) else {}
    words = {name: known.get(name) for name in ("category", "type")}
    billable = known.get("billable")
    return {
        **{f"pricing_{name}": word if isinstance(word, str) else None for name, word in words.items()},
        "pricing_billable": billable if isinstance(billable, bool) else None,
    }


def country(recipient: str) -> str | None:
    """As `whatsapp.market` tells it, but quickly where the calling code alone says it."""
    code = calling_code(recipient) if recipient.isascii() and recipient.isdecimal() else ""
    if code and len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]) == 1 and 10 <= len(recipient) <= 15:
        region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)][0]
        return region if region in COUNTRIES else None
    return market(recipient) if recipient else None
