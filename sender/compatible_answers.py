"""What the compatible API answers: the wrapper's own bytes, or what can be said without them. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from sender.compatible_errors import (
    AGAIN_AFTER,
    JSON,
    PAIR_LIMIT,
    RATE_LIMIT,
    Answer,
    conflict,
    dumped,
    failure,
    headers_of,
    limited,
    not_sent,
    unknown,
)
from sender.outcome import ErrorInfo
from sender.sent import Sent, explained
from store.records import NewSend

_AGAIN_UNREACHABLE = 5.0  # seconds


def answer_for(sent: Sent, new: NewSend) -> Answer:
    """What became of a send. For a repeat it is what the first request got. `new`: what was asked for now."""
    if sent.state in ("sending", "queued"):
        details = (
            f"{sent.sentence} Nothing more was sent; repeat with the same Idempotency-Key to hear of it."
        )
        return failure(409, 131000, details, message_id=sent.message_id, outcome=sent.state, again_in=1)
    if sent.state == "cancelled":
        return conflict(sent.sentence, sent.message_id, "cancelled")
    if sent.overtaken or (sent.state == "accepted" and sent.outcome is None and sent.wamid):
        return _accepted(sent, new)
    if sent.state == "unknown" or sent.outcome == "unknown":
        return unknown(sent.message_id, now_known=sent.state == "accepted")
    if sent.answer is not None and sent.http_status is not None and sent.outcome != "unreachable":
        return _stored(sent, sent.http_status, sent.answer)
    if sent.state == "accepted":
        return _accepted(sent, new) if sent.wamid else unknown(sent.message_id, now_known=True)
    return _refused(sent)


def may_be_repeated(sent: Sent) -> bool:
    """Did it certainly not reach the wrapper, and is it over with? Then its key need not stay bound."""
    return sent.state == "refused" and sent.refused_by == "wamtrail" and sent.outcome in (None, "unreachable")


def as_it_came(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """The wrapper's answer, unchanged."""
    return Answer(status, body, _kind(body), headers or {})


def _stored(sent: Sent, http_status: int, body: bytes) -> Answer:
    headers = headers_of(sent.message_id, sent.outcome)
    if sent.outcome == "throttled":
        code = sent.error.code if sent.error else None
        headers["Retry-After"] = str(AGAIN_AFTER[PAIR_LIMIT if code == PAIR_LIMIT else RATE_LIMIT])
    return as_it_came(http_status, body, headers)


def _accepted(sent: Sent, new: NewSend) -> Answer:
    """Meta has it, but the bytes of the wrapper's answer never came or are deleted: made again."""
    contact = {"input": new.recipient_typed}
    if new.recipient.isdecimal():
        contact["wa_id"] = new.recipient
    message = {"id": sent.wamid}
    if sent.message_status:
        message["message_status"] = sent.message_status
    body = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}
    return Answer(200, dumped(body), headers=headers_of(sent.message_id, "accepted"))


def _refused(sent: Sent) -> Answer:
    """Refused here, or by others whose bytes are deleted since."""
    error = sent.error or ErrorInfo(None)
    if sent.refused_by == "wamtrail" and isinstance(error.code, int) and error.code in AGAIN_AFTER:
        return limited(error.code, None, sent.message_id)
    if sent.outcome == "unreachable" or sent.why == "paused":
        said = f"It was not sent: {explained(error)}"
        return not_sent(
            said, outcome=sent.outcome or "throttled", message_id=sent.message_id, again_in=_AGAIN_UNREACHABLE
        )
    if not isinstance(error.code, int):
        return failure(400, 100, sent.sentence, outcome="refused", message_id=sent.message_id)
    rebuilt: dict[str, Any] = {
        "message": f"(#{error.code}) {error.title or ''}".strip(),
        "type": "OAuthException",
        "code": error.code,
        "error_data": {"messaging_product": "whatsapp", "details": error.details or sent.sentence},
    }
    rebuilt |= {"error_subcode": error.subcode} if error.subcode is not None else {}
    rebuilt |= {"fbtrace_id": error.fbtrace_id} if error.fbtrace_id is not None else {}
    return Answer(
        sent.http_status or 400,
        dumped({"error": rebuilt}),
        headers=headers_of(sent.message_id, sent.outcome or "refused"),
    )


def _kind(body: bytes) -> str | None:
    """The Content-Type is not kept, so it is told by the first sign."""
    first = re.match(rb"(?:\xef\xbb\xbf)?\s*(\S)", body)
    if first is None:
        return None
    return {b"{": JSON, b"[": JSON, b"<": "text/html"}.get(first[1], "text/plain")
