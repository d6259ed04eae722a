"""Every limit of every type and sub-type, read from the models, and those that the rules add.

The table of docs/messages.md and the tests that go over each limit are made from this, so none is forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sender.payload import KINDS
from sender.payload_action_rules import MOST_PRODUCTS, MOST_ROWS
from sender.payload_actions import LinkAction, Order, OrderState, ProductAction
from sender.payload_carousel import MOST_BREAKS, QuickButtons
from sender.payload_envelope import ROOM_FOR_CALLBACK_DATA
from sender.payload_interactive import FRAMES, Footer, Header
from sender.payload_media import MEDIA_MODELS
from sender.payload_other import LONGEST_PIN, SHORTEST_PIN
from sender.payload_template import MOST_CARDS, OBJECTS, PLAIN

_ORDERS: dict[str, type[BaseModel]] = {"order_details": Order, "order_status": OrderState}
ITEM = "*"  # any place in a list
Pattern = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """`path`: where it holds, ITEM for any place of a list. `of`: characters, items, or another word for what
    is counted; '' for a number itself. `needed`: must the field be there when what holds it is?"""

    path: Pattern
    of: str
    least: float | None
    most: float | None
    needed: bool = False
    from_model: bool = True


def kinds() -> list[str]:
    """Every type, and every interactive sub-type as interactive/NAME."""
    plain = [kind for kind in KINDS if kind != "interactive"]
    return [*plain, *(f"interactive/{frame}" for frame in FRAMES)]


def limits(kind: str) -> list[Limit]:
    """All limits of one type or sub-type."""
    found = list(_interactive(kind.removeprefix("interactive/")) if "/" in kind else _content(kind))
    return list(dict.fromkeys([*found, *_BY_RULES.get(kind, ()), _CALLBACK_DATA]))


def _content(kind: str) -> Iterator[Limit]:
    yield from of_model(KINDS[kind][0], (kind,))
    if kind == "template":
        yield from _parameters(("template", "components", ITEM, "parameters", ITEM))


def _parameters(path: Pattern) -> Iterator[Limit]:
    for model in PLAIN.values():
        yield from of_model(model, path)
    for name, model in OBJECTS.items():
        yield from of_model(model, (*path, name))


def _interactive(name: str) -> Iterator[Limit]:
    frame, path = FRAMES[name], ("interactive",)
    if frame.headers:
        yield from of_model(Header, (*path, "header"))
    for kind in sorted(frame.headers & MEDIA_MODELS.keys()):
        yield from of_model(MEDIA_MODELS[kind], (*path, "header", kind))
    yield from of_model(frame.body, (*path, "body"))
    yield from of_model(frame.action, (*path, "action"))
    if name in _ORDERS:
        yield from of_model(_ORDERS[name], (*path, "action", "parameters"))
    if name == "carousel":
        card = (*path, "action", "cards", ITEM)
        for model in (QuickButtons, LinkAction, ProductAction):
            yield from of_model(model, (*card, "action"))
        for kind in ("image", "video"):
            yield from of_model(MEDIA_MODELS[kind], (*card, "header", kind))
    if frame.footer_allowed:
        yield from of_model(Footer, (*path, "footer"))


def of_model(model: type[BaseModel], path: Pattern) -> Iterator[Limit]:
    """The limits that a model sets, by its JSON schema."""
    schema = model.model_json_schema()
    yield from _of_schema(schema, schema.get("$defs", {}), path, needed=False)


def _of_schema(
    schema: dict[str, Any], models: dict[str, Any], path: Pattern, *, needed: bool
) -> Iterator[Limit]:
    if "$ref" in schema:
        schema = models[schema["$ref"].rsplit("/", 1)[1]]
    for inner in schema.get("anyOf", ()):
        yield from _of_schema(inner, models, path, needed=needed)
    for of, least, most in (
        ("characters", "minLength", "maxLength"),
        ("items", "minItems", "maxItems"),
        ("", "minimum", "maximum"),
    ):
        if least in schema or most in schema:
            yield Limit(path, of, schema.get(least), schema.get(most), needed)
            break
    else:
        if needed and schema.get("type") in ("string", "integer", "number", "array"):
            yield Limit(path, "", None, None, needed)
    if "items" in schema:
        yield from _of_schema(schema["items"], models, (*path, ITEM), needed=False)
    for name, inner in schema.get("properties", {}).items():
        yield from _of_schema(inner, models, (*path, name), needed=name in schema.get("required", ()))


def _rule(path: str, of: str, least: float | None, most: float | None) -> Limit:
    return Limit(tuple(path.split(".")), of, least, most, from_model=False)


_CALLBACK_DATA = _rule("biz_opaque_callback_data", "characters", None, ROOM_FOR_CALLBACK_DATA)
_SECTIONS = "interactive.action.sections"
_BY_RULES: dict[str, tuple[Limit, ...]] = {
    "template": (_rule(f"template.components.{ITEM}.cards", "items", 1, MOST_CARDS),),
    "pin": (_rule("pin.expiration_days", "", SHORTEST_PIN, LONGEST_PIN),),
    "interactive/list": (_rule(_SECTIONS, "rows in all", 1, MOST_ROWS),),
    "interactive/product_list": (_rule(_SECTIONS, "products in all", None, MOST_PRODUCTS),),
    "interactive/carousel": (
        _rule(f"interactive.action.cards.{ITEM}.body.text", "line breaks", None, MOST_BREAKS),
    ),
}
