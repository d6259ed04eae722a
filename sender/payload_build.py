"""Builds the plain payloads that the command line and bulk runs need."""

from collections.abc import Sequence
from typing import Any


def text(to: str, body: str, preview_url: bool = False) -> dict[str, Any]:
    """A text message's payload, unchecked."""
    content = {"body": body, "preview_url": preview_url}
    return {**_head(to), "type": "text", "text": content}


def template(to: str, name: str, language: str, params: Sequence[str] = ()) -> dict[str, Any]:
    """A template message's payload, unchecked: `params` fill the body's variables in order."""
    content: dict[str, Any] = {"name": name, "language": {"code": language}}
    if params:
        values = [{"type": "text", "text": value} for value in params]
        content["components"] = [{"type": "body", "parameters": values}]
    return {**_head(to), "type": "template", "template": content}


def _head(to: str) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "recipient_type": "individual", "to": to}
