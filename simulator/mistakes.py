"""Meta's error words, for answers and for failed statuses.

Source: Meta's error code page, and bodies seen in the wild. Titles and details change over time and
with the language; only the code is to be relied on. Kaleyra's own refusal stands here too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

HREF = "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes/"

WRONG_KEY = (
    b'{"code":"RBC201","message":"Incorrect SID or API key.","data":[],'
    b'"error":{"body":"Incorrect SID or API key."}}'
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What Meta says about one code. `http` is the status of a direct answer."""

    title: str
    details: str
    http: int = 400


MISTAKES: Mapping[int, Mistake] = MappingProxyType(
    {
        100: Mistake("Invalid parameter", "The request included one or more unsupported parameters."),
        130429: Mistake("Rate limit hit", "Cloud API message throughput has been reached."),
        131000: Mistake("Something went wrong", "Message failed to send due to an unknown error.", 500),
        131008: Mistake("Required parameter is missing", "The request is missing a required parameter."),
        131009: Mistake("Parameter value is not valid", "One or more parameter values are invalid."),
        131026: Mistake("Message undeliverable", "Message Undeliverable."),
        131042: Mistake(
            "Business eligibility payment issue",
            "Message failed to send because of a problem with the payment method of this account.",
        ),
        131047: Mistake(
            "Re-engagement message",
            "Message failed to send because more than 24 hours have passed since the customer last "
            "replied to this number.",
        ),
        131049: Mistake(
            "This message was not delivered to maintain healthy ecosystem engagement.",
            "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
        ),
        131053: Mistake("Media upload error", "The media could not be downloaded from the given address."),
        131056: Mistake(
            "(Business Account, Consumer Account) pair rate limit hit",
            "Message failed to send because there were too many messages sent from this phone number to "
            "the same phone number in a short period of time.",
        ),
        132001: Mistake(
            "Template name does not exist in the translation",
            "The template name does not exist in the language that was asked for.",
            404,
        ),
        132015: Mistake(
            "Template is Paused", "The template is paused: its quality was found too low while it was held."
        ),
    }
)


def answer_body(
    code: int, trace: str, details: str | None = None, subcode: int | None = None
) -> dict[str, Any]:
    """The body of a refusal: `{"error": {message, type, code, [error_subcode], error_data, fbtrace_id}}`."""
    mistake = MISTAKES[code]
    error: dict[str, Any] = {"message": f"(#{code}) {mistake.title}", "type": "OAuthException", "code": code}
    if subcode is not None:
        error["error_subcode"] = subcode
    error["error_data"] = {"messaging_product": "whatsapp", "details": details or mistake.details}
    error["fbtrace_id"] = trace
    return {"error": error}


def unknown_number_body(phone_number_id: str, trace: str) -> dict[str, Any]:
    """Meta's answer for a sending number that does not exist or is not ours; it has no error_data."""
    return {
        "error": {
            "message": f"Unsupported post request. Object with ID '{phone_number_id}' does not exist, "
            "cannot be loaded due to missing permissions, or does not support this operation. Please read "
            "the Graph API documentation at https://developers.facebook.com/docs/graph-api",
            "type": "GraphMethodException",
            "code": 100,
            "error_subcode": 33,
            "fbtrace_id": trace,
        }
    }


def status_error(code: int) -> dict[str, Any]:
    """One item of `statuses[].errors`: code, title, message, error_data.details, href."""
    mistake = MISTAKES[code]
    return {
        "code": code,
        "title": mistake.title,
        "message": mistake.title,
        "error_data": {"details": mistake.details},
        "href": HREF,
    }
