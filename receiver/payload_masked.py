"""A webhook's body for people to look at: structure, words and codes whole; people and texts hidden."""

import json
from typing import Any, Final

from receiver.payload_json import Unreadable, read
from whatsapp.masking import scrub

HIDDEN: Final = "•••"
_WHOLE: Final = frozenset(
    {
        *("object", "field", "messaging_product", "phone_number_id", "display_phone_number"),
        *("status", "timestamp", "type", "recipient_type", "pricing_model", "category", "subtype"),
        *("code", "title", "href", "fbtrace_id", "event", "language", "mime_type", "expiration_timestamp"),
        *("message_template_id", "message_template_name", "message_template_language", "reason", "time"),
    }
)
_TEXTS: Final = frozenset(
    {
        *(
            "body",
            "caption",
            "text",
            "emoji",
            "description",
            "name",
            "formatted_name",
            "first_name",
            "filename",
        ),
        *(
            "last_name",
            "username",
            "profile",
            "address",
            "email",
            "url",
            "link",
            "sha256",
            "latitude",
            "longitude",
        ),
        *("payload", "headline", "source_url", "product_retailer_id", "response_json"),
    }
)


def masked(body: bytes) -> str:
    """Indented JSON, or one sentence when the body is none."""
    try:
        tree = read(body)
    except Unreadable:
        return f"The body is no JSON ({len(body):,} bytes); --reveal shows it as it came."
    return json.dumps(_hidden("", tree), indent=2, ensure_ascii=False)


def _hidden(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: HIDDEN if _private(name, part) else _hidden(name, part) for name, part in value.items()}
    if isinstance(value, list):
        return [_hidden(key, part) for part in value]
    if isinstance(value, str) and key not in _WHOLE:
        return scrub(value)
    return value


def _private(key: str, value: Any) -> bool:
    return key in _TEXTS and not isinstance(value, dict | list)
