"""Template messages: name, language, values of variables. Meta's page: messages/template-messages.

What a template expects is known to Meta alone; here only what is wrong for every template is found.
Kinds of components, buttons and parameters that are not known pass: Meta adds some every year.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, Field

from sender.payload_media import MEDIA_MODELS, media_rules
from sender.payload_other import Filled, Location
from sender.payload_problem import Part, Path, Problem, member, objects, problem, shape_problems, word

MOST_CARDS = 10


class Language(Part):
    code: Filled
    policy: str | None = None


class Parameter(Part):
    type: Filled
    parameter_name: Filled | None = None


class Component(Part):
    type: Filled
    sub_type: Filled | None = None
    parameters: list[Parameter] | None = None


class Template(Part):
    name: Annotated[str, Field(min_length=1, max_length=512)]
    language: Language
    components: list[Component] | None = None


class Card(Part):
    components: list[Component] | None = None


class Currency(Part):
    fallback_value: Filled
    code: Filled
    amount_1000: int


class DateTime(Part):
    fallback_value: Filled


class Anything(Part):
    """An object whose inside is not checked."""


class _Text(Part):
    text: Filled


class _Payload(Part):
    payload: Annotated[str, Field(max_length=512)]


class _Coupon(Part):
    coupon_code: Annotated[str, Field(min_length=1, max_length=20)]


# A parameter that holds its value itself, and one that holds an object named by its type.
PLAIN: dict[str, type[BaseModel]] = {"text": _Text, "payload": _Payload, "coupon_code": _Coupon}
OBJECTS: dict[str, type[BaseModel]] = {
    **{kind: MEDIA_MODELS[kind] for kind in ("image", "video", "document")},
    "currency": Currency,
    "date_time": DateTime,
    "location": Location,
    "product": Anything,
    "limited_time_offer": Anything,
    "action": Anything,
}


def template_rules(template: Any, path: Path) -> Iterator[Problem]:
    """What depends on more than one field."""
    yield from _components(member(template, "components"), (*path, "components"))


def _components(components: object, path: Path) -> Iterator[Problem]:
    for index, component in objects(components):
        here = (*path, index)
        for place, parameter in objects(component.get("parameters")):
            yield from _parameter(parameter, (*here, "parameters", place))
        if word(component.get("type")) == "button":
            yield from _button(component, here)
        if word(component.get("type")) == "carousel":
            yield from _carousel(component, here)


def _button(button: dict[str, Any], path: Path) -> Iterator[Problem]:
    if button.get("sub_type") is None:
        yield problem(
            (*path, "sub_type"), "missing; say what kind of button it is, such as url or quick_reply"
        )
    index = button.get("index")
    if index is not None and not _is_place(index):
        yield problem((*path, "index"), "must be the button's place in the template: 0, 1, 2 and so on")


def _is_place(index: object) -> bool:
    """Meta's examples write it as a number and as a string."""
    if isinstance(index, str):
        return re.fullmatch("[0-9]{1,2}", index) is not None
    return isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 100


def _carousel(carousel: dict[str, Any], path: Path) -> Iterator[Problem]:
    cards, here = carousel.get("cards"), (*path, "cards")
    if not isinstance(cards, list) or not 1 <= len(cards) <= MOST_CARDS:
        yield problem(here, f"must be a list of 1 to {MOST_CARDS} cards")
        return
    for index, card in enumerate(cards):
        yield from shape_problems(Card, card, (*here, index))
        yield from _components(member(card, "components"), (*here, index, "components"))


def _parameter(parameter: dict[str, Any], path: Path) -> Iterator[Problem]:
    kind = word(parameter.get("type"))
    if kind in PLAIN and not (kind == "payload" and "payload" not in parameter):
        yield from shape_problems(PLAIN[kind], _only(parameter, kind), path)
    elif kind in OBJECTS:
        if kind not in parameter:
            yield problem((*path, kind), "missing; add it")
            return
        yield from shape_problems(OBJECTS[kind], parameter[kind], (*path, kind))
        if kind in MEDIA_MODELS:
            yield from media_rules(parameter[kind], (*path, kind))
    elif kind == "payload":
        yield problem((*path, "payload"), "missing; add it")


def _only(parameter: dict[str, Any], key: str) -> dict[str, Any]:
    return {key: parameter[key]} if key in parameter else {}
