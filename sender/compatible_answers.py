"""What the compatible API answers: the wrapper's own bytes, or an error in Meta's shape. Pure.

Error codes are chosen so that a program that goes by them does the right thing: 130429, 131056 and 131057
are Meta's for "not processed, try later", 131000 for "may have been sent".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from sender.outcome import ErrorInfo
from sender.sent import LIMIT_CODES, Sent, explained
from store.placing import OverLimit
from store.records import NewSend

# Kaleyra's, byte for byte: the only answer of the wrapper that is not Meta's.
WRONG_KEY = (
    b'{"code":"RBC201","message":"Incorrect SID or API key.","data":[],'
    b'"error":{"body":"Incorrect SID or API key."}}'
)
RATE_LIMIT, PAIR_LIMIT = 130429, 131056
_AGAIN_AFTER = {RATE_LIMIT: 1, PAIR_LIMIT: 6}  # seconds, when nothing better is known
_AGAIN_UNREACHABLE = 5
_TITLES = {
    100: "Invalid parameter",
    RATE_LIMIT: "Rate limit hit",
    PAIR_LIMIT: "(Business Account, Consumer Account) pair rate limit hit",
    131000: "Something went wrong",
    131057: "Not sent, try again later",
}
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    media_type: str | None = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def failure(
    status: int,
    code: int,
    details: str,
    *,
    outcome: str | None = None,
    message_id: str | None = None,
    again_in: float | None = None,
    is_transient: bool | None = None,
) -> Answer:
    """An error of ours in Meta's shape; `details` is the sentence for people."""
    error: dict[str, Any] = {
        "message": f"(#{code}) {_TITLES[code]}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details},
    }
    if is_transient is not None:
        error["is_transient"] = is_transient
    headers = _headers(message_id, outcome)
    if again_in is not None:
        headers["Retry-After"] = str(max(ceil(again_in), 1))
    return Answer(status, _dumped({"error": error}), headers=headers)


def wrong_key() -> Answer:
    return Answer(401, WRONG_KEY)


def foreign_number(phone_number_id: str) -> Answer:
    """As Meta answers for a number that does not exist or is not ours."""
    message = (
        f"Unsupported post request. Object with ID '{phone_number_id}' does not exist, cannot be loaded due"
        " to missing permissions, or does not support this operation. Please read the Graph API documentation"
        " at https://developers.facebook.com/docs/graph-api"
    )
    details = (
        "This token may not send from this PHONE_NUMBER_ID; use another, or ask for a token that covers it."
    )
    error = {
        "message": message,
        "type": "GraphMethodException",
        "code": 100,
        "error_subcode": 33,
        "error_data": {"messaging_product": "whatsapp", "details": details},
    }
    return Answer(400, _dumped({"error": error}), headers=_headers(None, "refused"))


def over_limit(problem: OverLimit) -> Answer:
    """Nothing was taken in."""
    if problem.why == "paused":
        why = f" ({problem.reason})" if problem.reason else ""
        return not_sent(
            f"Sending is held{why}, so it was not sent.", outcome="throttled", again_in=problem.again_in
        )
    return _limited(LIMIT_CODES[problem.why], problem.again_in)


def not_sent(
    sentence: str,
    *,
    outcome: str | None = None,
    message_id: str | None = None,
    again_in: float | None = None,
    transient: bool = True,
) -> Answer:
    """It certainly did not leave and nothing is queued."""
    said = f"{sentence} Nothing is queued here; repeat it later." if transient else sentence
    return failure(
        503,
        131057,
        said,
        outcome=outcome,
        message_id=message_id,
        again_in=again_in,
        is_transient=transient,
    )


def unknown(message_id: str, *, now_known: bool = False) -> Answer:
    """`now_known`: a status told since that Meta has it. The answer stays what it was at first."""
    details = (
        "The outcome is unknown: Meta may or may not have the message. Do not repeat it; ask for the message"
        f" {message_id} instead (GET /api/v1/messages/{message_id})."
    )
    outcome = "accepted" if now_known else "unknown"
    return failure(504, 131000, details, outcome=outcome, message_id=message_id, is_transient=False)


def conflict(sentence: str, message_id: str | None = None, outcome: str | None = None) -> Answer:
    return failure(409, 100, sentence, message_id=message_id, outcome=outcome, is_transient=False)


def may_be_repeated(sent: Sent) -> bool:
    """Did it certainly not reach the wrapper, and is it over with? Then its key need not stay bound."""
    return sent.state == "refused" and sent.refused_by == "wamtrail" and sent.outcome in (None, "unreachable")


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


def as_it_came(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """The wrapper's answer, unchanged."""
    return Answer(status, body, _kind(body), headers or {})


def _stored(sent: Sent, http_status: int, body: bytes) -> Answer:
    headers = _headers(sent.message_id, sent.outcome)
    if sent.outcome == "throttled":
        code = sent.error.code if sent.error else None
        headers["Retry-After"] = str(_AGAIN_AFTER[PAIR_LIMIT if code == PAIR_LIMIT else RATE_LIMIT])
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
    return Answer(200, _dumped(body), headers=_headers(sent.message_id, "accepted"))


def _refused(sent: Sent) -> Answer:
    """Refused here, or by others whose bytes are deleted since."""
    error = sent.error or ErrorInfo(None)
    if sent.refused_by == "wamtrail" and isinstance(error.code, int) and error.code in _AGAIN_AFTER:
        return _limited(error.code, None, sent.message_id)
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
        _dumped({"error": rebuilt}),
        headers=_headers(sent.message_id, sent.outcome or "refused"),
    )


def _limited(code: int, again_in: float | None, message_id: str | None = None) -> Answer:
    whose = "to this recipient" if code == PAIR_LIMIT else "from this number"
    return failure(
        429,
        code,
        f"Too many messages {whose} in a short time: it was stopped here before Meta would have refused it."
        " It was not sent and nothing is queued; repeat it after the time in Retry-After.",
        outcome="throttled",
        message_id=message_id,
        again_in=_AGAIN_AFTER[code] if again_in is None else again_in,
        is_transient=True,
    )


def _headers(message_id: str | None, outcome: str | None) -> dict[str, str]:
    headers = {"X-Wamtrail-Message-Id": message_id} if message_id else {}
    return headers | ({"X-Wamtrail-Outcome": outcome} if outcome else {})


def _kind(body: bytes) -> str | None:
    """The Content-Type is not kept, so it is told by the first sign."""
    first = re.match(rb"(?:\xef\xbb\xbf)?\s*(\S)", body)
    if first is None:
        return None
    return {b"{": _JSON, b"[": _JSON, b"<": "text/html"}.get(first[1], "text/plain")


def _dumped(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
