"""What the fields about templates say, as words for the table of templates.

The event itself is kept whole besides, so what cannot be read here is not lost. Meta's pages:
webhooks/reference/message_template_status_update, _quality_update, _components_update, and
template_category_update. A category's notice in advance names the category of today, so it changes nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from receiver.payload_json import canonical
from receiver.payload_parts import Place, name, word
from store.records import TemplateWord

_STATUS, _CATEGORY = "message_template_status_update", "template_category_update"
_QUALITY, _COMPONENTS = "message_template_quality_update", "message_template_components_update"
FIELDS: Final = frozenset({_STATUS, _CATEGORY, _QUALITY, _COMPONENTS})
LONGEST_REASON: Final = 500


def read_templates(value: dict[str, Any], place: Place) -> Iterable[TemplateWord]:
    """The words of one change, dated by the entry: nothing without a name, a language or a time."""
    of, language = name(value.get("message_template_name")), word(value.get("message_template_language"))
    if of is None or language is None or place.time is None:
        return
    for about, said, reason in _words(value, place.field):
        yield TemplateWord(
            place.entry_id, of, language.replace("-", "_"), about, said, place.time, reason=reason
        )


def _words(value: dict[str, Any], field: str) -> Iterator[tuple[str, str, str]]:
    """What each is about, the word, and its reason."""
    status = word(value.get("event")) if field == _STATUS else None
    quality = word(value.get("new_quality_score")) if field == _QUALITY else None
    key = {_STATUS: "message_template_category", _CATEGORY: "new_category"}.get(field, "")
    category = word(value.get(key))
    if status is not None:
        yield "status", status.upper(), _reason(value)
    if category is not None:
        yield "category", category.upper(), ""
    if quality is not None:
        yield "quality", quality.upper(), ""
    if field == _COMPONENTS and isinstance(value.get("message_template_element"), str):
        yield "components", canonical(_components(value)), ""


def _reason(value: dict[str, Any]) -> str:
    """Meta's words for why, the short one first."""
    found = [value.get("reason")]
    for key, inner in (("other_info", ("title", "description")), ("rejection_info", ("reason",))):
        if isinstance(value.get(key), dict):
            found += [value[key].get(one) for one in inner]
    words = dict.fromkeys(one for one in found if isinstance(one, str) and one.upper() not in ("", "NONE"))
    return ": ".join(words)[:LONGEST_REASON]


def _components(value: dict[str, Any]) -> list[dict[str, Any]]:
    """As definitions have them. Meta tells texts and only some of the buttons, so the rest stays open."""
    title = value.get("message_template_title")
    header = {"format": "TEXT", "text": title} if isinstance(title, str) and title else {"format": "UNKNOWN"}
    body = {"type": "BODY", "text": value["message_template_element"]}
    return [{"type": "HEADER", **header}, body, {"type": "BUTTONS", "buttons": None}]
