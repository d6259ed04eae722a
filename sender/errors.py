"""Reads the bytes of an answer to a send: Meta's, Kaleyra's, or those of a gateway between.

Nothing is decided here; `sender.outcome` does that. Every body is read without raising.
Meta's page: reference/whatsapp-business-phone-number/message-api and support/error-codes.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import from_json

Source = Literal["meta", "wrapper"]
LONGEST_WAMID = 512
LONGEST_TEXT = 4_000  # of a title or details; the answer's bytes are kept apart for a while anyway

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes no NUL, UTF-8 no lone surrogate
_CODE_PREFIX = re.compile(r"^\(#\d+\)\s*")  # "(#131030) Recipient ..."; webhooks print the title alone
_DIGITS = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class ProviderError:
    """One error object. `source` is who spoke: Meta (through the wrapper), or Kaleyra and its gateways."""

    source: Source
    code: int | str | None  # Meta's are whole numbers, Kaleyra's words such as "RBC201"
    subcode: int | None = None
    title: str | None = None
    details: str | None = None
    fbtrace_id: str | None = None
    is_transient: bool | None = None
    raw: str = ""  # canonical JSON of the object that was read


@dataclass(frozen=True, slots=True)
class Answer:
    """What the body said. All None with `readable` false: HTML, nothing, or JSON that was cut."""

    http_status: int
    readable: bool
    cut: bool = False  # begins like JSON but does not end like it
    wamid: str | None = None
    message_status: str | None = None  # accepted, held_for_quality_assessment, paused, or a newer word
    recipient_wa_id: str | None = None
    recipient_user_id: str | None = None
    error: ProviderError | None = None


def read_answer(http_status: int, body: bytes) -> Answer:
    """Read an answer's body, whatever it is. Strings come back without NUL and lone surrogates."""
    document = _load(body)
    if not isinstance(document, dict):
        return Answer(http_status, readable=False, cut=body.lstrip()[:1] in (b"{", b"["))
    message = _first(document.get("messages"))
    contact = _first(document.get("contacts"))
    return Answer(
        http_status,
        readable=True,
        wamid=_wamid(message.get("id")),
        message_status=_text(message.get("message_status")),
        recipient_wa_id=_text(contact.get("wa_id")),
        recipient_user_id=_text(contact.get("user_id")),
        error=_error(document),
    )


def _load(body: bytes) -> object:
    try:
        return from_json(body)
    except ValueError:
        pass
    try:  # half an emoji as a lone surrogate, a byte order mark, a stray byte that is not UTF-8
        return json.loads(body.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return None


def _error(document: dict[str, Any]) -> ProviderError | None:
    found = document.get("error")
    if isinstance(found, dict):
        inner = found.get("whatsappApiError")  # one provider wraps Meta's object into its own
        if isinstance(inner, dict):
            return _from_object(inner)
        if found.get("code") is None and document.get("code") is not None:
            return _from_object(document, fallback=found)  # Kaleyra: the code stands at the top
        return _from_object(found)
    if isinstance(found, str) and found:
        return _from_object({**document, "message": document.get("message") or found})
    listed = _first(document.get("errors"))
    if listed:
        return _from_object(listed)
    if isinstance(document.get("code"), (str, int)) and not document.get("messages"):
        return _from_object(document)
    meta = document.get("meta")
    if isinstance(meta, dict) and meta.get("success") is False:
        return _from_object({"message": meta.get("developerMessage") or meta.get("developer_message")})
    return None


def _from_object(error: dict[str, Any], fallback: dict[str, Any] | None = None) -> ProviderError:
    code = _code(error.get("code"))
    title = _text(error.get("message")) or _text(error.get("title")) or _text((fallback or error).get("body"))
    subcode = _code(error.get("error_subcode"))
    transient = error.get("is_transient")
    return ProviderError(
        source=_source(code, error),
        code=code,
        subcode=subcode if isinstance(subcode, int) else None,
        title=_CODE_PREFIX.sub("", title) or title if title else None,
        details=_details(error),
        fbtrace_id=_text(error.get("fbtrace_id")),
        is_transient=transient if isinstance(transient, bool) else None,
        raw=_canonical(error),
    )


def _source(code: int | str | None, error: dict[str, Any]) -> Source:
    if isinstance(code, int) or (code is None and ("fbtrace_id" in error or "error_data" in error)):
        return "meta"
    return "wrapper"


def _code(value: object) -> int | str | None:
    """Meta's codes come as numbers, from some providers as digits in a string."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    text = _text(value)
    if text is None:
        return None
    text = text.strip()[:100]
    return int(text) if _DIGITS.fullmatch(text) else text or None


def _details(error: dict[str, Any]) -> str | None:
    data = error.get("error_data")
    said = _text(data.get("details")) if isinstance(data, dict) else _text(data)
    return said or _text(error.get("details")) or _text(error.get("error_user_msg"))


def _wamid(value: object) -> str | None:
    # A wamid is compared byte for byte: one that would have to be mended could never be joined.
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_WAMID or _UNSTORABLE.search(value):
        return None
    return value


def _first(value: object) -> dict[str, Any]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return value[0]
    return {}


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return _UNSTORABLE.sub("\ufffd", value[:LONGEST_TEXT])


def _canonical(value: dict[str, Any]) -> str:
    try:
        return json.dumps(
            _storable(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except (ValueError, RecursionError):  # NaN, or nested beyond use: the bytes of the answer are kept anyway
        return ""


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    return value
