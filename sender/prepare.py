"""From what a caller wants to have sent to the row that goes into `sends`: checked, completed, written out.

Pure: time and the message's id are arguments. Whatever is wrong is found here, before a row exists, so that
it records nothing and binds no idempotency key.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from sender.payload import Message, check
from sender.payload_problem import Problem, problem
from sender.payload_template_check import template_problems, translation_of
from store import errors
from store.records import NewSend
from store.templates import Translation
from whatsapp import callback_data

VALID_FOR = 86_400.0
VALID_FOR_AUTHENTICATION = 600.0  # a one-time code is of no use later
LONGEST_VALID_FOR = 30 * 86_400.0
LONGEST_ID = 512

_PHONE_NUMBER_ID = re.compile(r"[0-9]{5,25}", re.ASCII)
_PHONE = re.compile(r"\s*(\+|00)?[\d\s().\-]+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WHERE = (
    "it is found in WhatsApp Manager > Account tools > Phone numbers, or on the API set-up page of your app"
)


class Refused(errors.Refused):
    """Nothing was taken in. `str()` is one line for people; `problems` has every place and sentence."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(one.message.rstrip(".") for one in problems) + ".")


def prepare(
    body: object,
    *,
    phone_number_id: str,
    message_id: str,
    now: float,
    reference: str | None = None,
    idempotency_key: str | None = None,
    valid_for: float | None = None,
    priority: int = 0,
    default_country: str | None = None,
    category: str | None = None,
    known: Sequence[Translation] = (),
) -> NewSend:
    """A message that may leave. `body`: Meta's payload; `valid_for`: seconds, 24 h when None.

    `known`: the template's translations; they tell its category, too, which `category` tells otherwise.
    Authentication messages are valid for 10 minutes. Raises Refused with every problem at once.
    """
    message, found = check(body, default_country)
    problems = [
        *number_problems(phone_number_id),
        *found,
        *_template_problems(message, known),
        *_id_problems("reference", reference),
        *_id_problems("idempotency_key", idempotency_key),
        *_validity_problems(valid_for),
    ]
    category = _category(message, known) or category
    joined = _join(message, message_id, problems)
    if problems or message is None:
        raise Refused(tuple(problems))
    return NewSend(
        message_id=message_id,
        phone_number_id=phone_number_id,
        recipient_typed=message.recipient_typed,
        recipient=message.recipient.value.removeprefix("+"),
        type=message.kind,
        payload=_compact({**message.payload, "biz_opaque_callback_data": joined}),
        payload_digest=digest(body, phone_number_id),
        expires_at=now + (valid_for if valid_for is not None else _default_validity(category)),
        template=message.template,
        language=message.language,
        category=category.upper() if category and message.template else None,
        callback_data=message.callers_callback_data,
        reference=reference,
        idempotency_key=idempotency_key,
        priority=priority,
    )


def number_problems(phone_number_id: str) -> tuple[Problem, ...]:
    """What is wrong with a PHONE_NUMBER_ID as somebody typed it."""
    if _PHONE_NUMBER_ID.fullmatch(phone_number_id):
        return ()
    if _PHONE.fullmatch(phone_number_id) and any(sign.isdigit() for sign in phone_number_id):
        said = f"this is a phone number; what is needed is Meta's PHONE_NUMBER_ID, about 15 digits: {_WHERE}"
    else:
        said = f"this is no PHONE_NUMBER_ID, which is about 15 digits and nothing else: {_WHERE}"
    return (problem(("phone_number_id",), said),)


def digest(body: object, phone_number_id: str) -> bytes:
    """Whether two requests under one idempotency key ask for the same: SHA-256 of number and body."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{phone_number_id}\n{canonical}".encode()).digest()


def _template_problems(message: Message | None, known: Sequence[Translation]) -> tuple[Problem, ...]:
    return template_problems(message.payload, known) if message and message.template and known else ()


def _category(message: Message | None, known: Sequence[Translation]) -> str | None:
    found = translation_of(message.payload, known) if message and message.template else None
    return found.category or None if found else None


def _join(message: Message | None, message_id: str, problems: list[Problem]) -> str:
    try:
        return callback_data.join(message_id, message.callers_callback_data if message else None)
    except ValueError as error:
        problems.append(Problem("/biz_opaque_callback_data", str(error)))
        return ""


def _id_problems(name: str, value: str | None) -> tuple[Problem, ...]:
    if value is None:
        return ()
    if not 0 < len(value) <= LONGEST_ID:
        return (problem((name,), f"must have 1 to {LONGEST_ID} characters"),)
    if _UNSTORABLE.search(value):
        return (problem((name,), "has a sign in it that cannot be stored (NUL or half a character pair)"),)
    return ()


def _validity_problems(valid_for: float | None) -> tuple[Problem, ...]:
    if valid_for is None or 0 < valid_for <= LONGEST_VALID_FOR:
        return ()
    return (problem(("valid_for",), "must be longer than 0 and at most 30 days"),)


def _default_validity(category: str | None) -> float:
    return VALID_FOR_AUTHENTICATION if (category or "").lower() == "authentication" else VALID_FOR


def _compact(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
