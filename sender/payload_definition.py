"""Definitions of templates: reading Business Manager's JSON, and what a definition asks of a message.

Meta's page: templates/template-management (the fields of a template, and of its components).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sender.payload_problem import member, objects, word
from store.records import TemplateWord

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z0-9_]{1,64})\s*\}\}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
LONGEST_NAME, LONGEST_WORD = 256, 64
MEDIA_HEADERS = ("image", "video", "document", "location")


class NotDefinitions(ValueError):
    """The file holds no definitions of templates. The text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a file of definitions gave: words to be recorded, what cannot be used, one sentence each."""

    words: tuple[TemplateWord, ...]
    unusable: tuple[str, ...]
    templates: int
    more: bool  # the file is one page of several


def read_definitions(tree: object, at: int, waba_id: str = "") -> Read:
    """`tree`: {"data": [...]}, a list, or one definition. `at`: when the file was made, Unix seconds.

    Raises NotDefinitions when it is none of these.
    """
    definitions = tree.get("data") if isinstance(tree, dict) and "data" in tree else tree
    if isinstance(definitions, dict):
        definitions = [definitions]
    if not isinstance(definitions, list):
        raise NotDefinitions(
            'This is no list of templates: give Meta\'s {"data": [...]}, a list of definitions, or one.'
        )
    words: list[TemplateWord] = []
    unusable: list[str] = []
    for number, one in enumerate(definitions, 1):
        fault = _fault(one)
        if fault is None:
            words += _words(one, at, waba_id)
        else:
            unusable.append(f"Template {number} of {len(definitions)} cannot be used: {fault}.")
    more = isinstance(tree, dict) and member(tree.get("paging"), "next") is not None
    return Read(tuple(words), tuple(unusable), len(definitions) - len(unusable), more)


def _fault(one: object) -> str | None:
    if not isinstance(one, dict):
        return "it is no JSON object"
    for key, most in (("name", LONGEST_NAME), ("language", LONGEST_WORD), ("status", LONGEST_WORD)):
        value = one.get(key)
        if value is None and key == "status":
            continue
        if not isinstance(value, str) or not 0 < len(value.encode("utf-8", "replace")) <= most:
            return f"`{key}` must be text of 1 to {most} characters"
    components = one.get("components")
    if not isinstance(components, list) or not all(isinstance(part, dict) for part in components):
        return "`components` must be a list of objects"
    try:
        written = _canonical(one)
    except (ValueError, RecursionError):
        return "it holds something that cannot be stored"
    return (
        "it holds a sign that cannot be stored (NUL or half a character pair)"
        if _unstorable(written)
        else None
    )


def _unstorable(written: str) -> bool:
    return _UNSTORABLE.search(written) is not None or "\\u0000" in written


def _words(one: dict[str, Any], at: int, waba_id: str) -> Iterator[TemplateWord]:
    name, language = one["name"], one["language"].replace("-", "_")

    def told(about: str, value: str, reason: str = "") -> TemplateWord:
        return TemplateWord(waba_id, name, language, about, value, at, reason=reason, source="person")

    yield told("components", _canonical(one["components"]))
    reason = one.get("rejected_reason")
    said = reason if isinstance(reason, str) and reason.upper() != "NONE" else ""
    scores = member(one.get("quality_score"), "score")
    for about, value in (
        ("status", one.get("status")),
        ("category", one.get("category")),
        ("quality", scores),
    ):
        if isinstance(value, str) and 0 < len(value) <= LONGEST_WORD:
            yield told(about, value.upper(), said if about == "status" else "")


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Button:
    kind: str  # lower case, Meta's word: url, quick_reply, otp ...
    label: str
    variables: tuple[str, ...]  # of its address


@dataclass(frozen=True, slots=True)
class Shape:
    """What a definition asks for. None: not known, so nothing is asked."""

    header: str | None = "none"  # none, text, image, video, document, location, or another of Meta's words
    header_variables: tuple[str, ...] = ()
    body: tuple[str, ...] | None = ()  # the names of its variables, in order
    buttons: tuple[Button, ...] | None = ()
    cards: tuple["Shape", ...] = ()


def shape(components: Sequence[object]) -> Shape:
    """What these components, as Meta defines them, ask of a message."""
    parts = {word(one.get("type")): one for _, one in objects(list(components))}
    header, body = parts.get("header"), parts.get("body")
    text = member(body, "text")
    cards = [member(card, "components") for _, card in objects(member(parts.get("carousel"), "cards"))]
    return Shape(
        header="none" if header is None else _header(header),
        header_variables=variables(member(header, "text")),
        body=() if body is None else variables(text) if isinstance(text, str) else None,
        buttons=_buttons(parts.get("buttons")),
        cards=tuple(shape(card if isinstance(card, list) else ()) for card in cards),
    )


def variables(text: object) -> tuple[str, ...]:
    """The variables of a text, each once: ("1", "2") or ("first_name", ...)."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text))) if isinstance(text, str) else ()


def named(of: Sequence[str]) -> bool:
    """Are these names rather than places?"""
    return any(not one.isdecimal() for one in of)


def _header(header: dict[str, Any]) -> str | None:
    kind = word(header.get("format"))
    return kind if kind in ("text", *MEDIA_HEADERS) else None


def _buttons(part: object) -> tuple[Button, ...] | None:
    if part is None:
        return ()
    found = member(part, "buttons")
    if not isinstance(found, list):
        return None
    return tuple(
        Button(word(one.get("type")) or "", str(one.get("text") or ""), variables(one.get("url")))
        for _, one in objects(found)
    )


def texts(components: Sequence[object]) -> Iterator[tuple[str, str]]:
    """What a person wants to see of a definition: (part, words) in its order."""
    for _, one in objects(list(components)):
        kind = word(one.get("type")) or "part"
        text = one.get("text")
        if isinstance(text, str):
            yield kind, text
        elif kind == "header":
            yield kind, word(one.get("format")) or ""
        for _, button in objects(one.get("buttons")):
            yield "button", f"{word(button.get('type')) or ''}: {button.get('text') or ''}"
        cards = one.get("cards")
        if isinstance(cards, list):
            yield kind, f"{len(cards)} cards"
