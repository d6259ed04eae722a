"""Definitions of templates as Business Manager exports them."""

from typing import Any

from store.templates import Translation

BODY = {"type": "BODY", "text": "Hello {{1}}, order {{2}} is ready. Thank you, {{1}}!"}
HEADER = {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"}
FOOTER = {"type": "FOOTER", "text": "Example Bottles"}
URL = {"type": "URL", "text": "Track", "url": "https://example.com/{{1}}"}
PLAIN_URL = {"type": "URL", "text": "Visit", "url": "https://example.com"}
REPLY = {"type": "QUICK_REPLY", "text": "Stop"}


def definition(
    name: str = "order_ready", language: str = "en", *components: Any, **more: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "language": language,
        "status": "APPROVED",
        "category": "UTILITY",
        "components": list(components) or [BODY],
        "id": "1",
        **more,
    }


def translation(*components: Any, **more: Any) -> Translation:
    values = {"name": "order_ready", "language": "en", "imported": True, **more}
    return Translation(components=components or None, **values)


def media(kind: str) -> dict[str, Any]:
    return {"type": "HEADER", "format": kind.upper(), "example": {"header_handle": ["https://example.com/a"]}}


def buttons(*given: Any) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": list(given)}


def carousel(*cards: list[Any]) -> dict[str, Any]:
    return {"type": "CAROUSEL", "cards": [{"components": card} for card in cards]}
