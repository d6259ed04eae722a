"""The errors that the compatible API has of its own, in Meta's shape. Pure.

Codes are chosen so that a program that goes by them does the right thing: 130429, 131056 and 131057 are
Meta's for "not processed, try later", 131000 for "may have been sent".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from sender.sent import LIMIT_CODES
from store.placing import OverLimit

# Kaleyra's, byte for byte: the only answer of the wrapper that is not Meta's.
WRONG_KEY = (
    b'{"code":"RBC201","message":"Incorrect SID or API key.","data":[],'
    b'"error":{"body":"Incorrect SID or API key."}}'
)
RATE_LIMIT, PAIR_LIMIT = 130429, 131056
AGAIN_AFTER = {RATE_LIMIT: 1, PAIR_LIMIT: 6}  # seconds, when nothing better is known
JSON = "application/json"
_TITLES = {
    100: "Invalid parameter",
    RATE_LIMIT: "Rate limit hit",
    PAIR_LIMIT: "(Business Account, Consumer Account) pair rate limit hit",
    131000: "Something went wrong",
    131057: "Not sent, try again later",
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    media_type: str | None = JSON
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
    headers = headers_of(message_id, outcome)
    if again_in is not None:
        headers["Retry-After"] = str(max(ceil(again_in), 1))
    return Answer(status, dumped({"error": error}), headers=headers)


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
    return Answer(400, dumped({"error": error}), headers=headers_of(None, "refused"))


def over_limit(problem: OverLimit) -> Answer:
    """Nothing was taken in."""
    if problem.why == "paused":
        why = f" ({problem.reason})" if problem.reason else ""
        return not_sent(
            f"Sending is held{why}, so it was not sent.", outcome="throttled", again_in=problem.again_in
        )
    return limited(LIMIT_CODES[problem.why], problem.again_in)


def limited(code: int, again_in: float | None, message_id: str | None = None) -> Answer:
    whose = "to this recipient" if code == PAIR_LIMIT else "from this number"
    return failure(
        429,
        code,
        f"Too many messages {whose} in a short time: it was stopped here before Meta would have refused it."
        " It was not sent and nothing is queued; repeat it after the time in Retry-After.",
        outcome="throttled",
        message_id=message_id,
        again_in=AGAIN_AFTER[code] if again_in is None else again_in,
        is_transient=True,
    )


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


def headers_of(message_id: str | None, outcome: str | None) -> dict[str, str]:
    headers = {"X-Wamtrail-Message-Id": message_id} if message_id else {}
    return headers | ({"X-Wamtrail-Outcome": outcome} if outcome else {})


def dumped(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
