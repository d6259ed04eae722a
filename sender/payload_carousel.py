"""Interactive carousels: two to ten cards that look alike. Meta's page: messages/*-carousel-messages."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from sender.payload_actions import Label, LinkAction, ProductAction
from sender.payload_media import MEDIA_MODELS, media_rules
from sender.payload_other import Filled
from sender.payload_problem import Part, Path, Problem, member, objects, problem, shape_problems, word

LONGEST_CARD, MOST_BREAKS = 160, 2


class Body(Part):
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_CARD)]


class Card(Part):
    type: Filled
    body: Body | None = None


class Cards(Part):
    cards: Annotated[list[Card], Field(min_length=2, max_length=10)]


class QuickReply(Part):
    id: Annotated[str, Field(min_length=1, max_length=256)]
    title: Label


class QuickButton(Part):
    quick_reply: QuickReply


class QuickButtons(Part):
    buttons: Annotated[list[QuickButton], Field(min_length=1, max_length=3)]


def carousel_rules(action: Any, path: Path) -> Iterator[Problem]:
    cards = [card for _, card in objects(member(action, "cards"))]
    here = (*path, "cards")
    for index, card in objects(member(action, "cards")):
        yield from _card(card, (*here, index))
    for what, of in (("header", _header_kind), ("buttons", _buttons_kind), ("catalog", _catalog)):
        if len({of(card) for card in cards}) > 1:
            yield problem(
                here, f"all cards need the same kind of {what}" if what != "catalog" else _ONE_CATALOG
            )


_ONE_CATALOG = "all cards need products of one catalog"


def _card(card: dict[str, Any], path: Path) -> Iterator[Problem]:
    text = member(card.get("body"), "text")
    if isinstance(text, str) and text.count("\n") > MOST_BREAKS:
        yield problem(
            (*path, "body", "text"), f"{text.count(chr(10))} line breaks, the limit is {MOST_BREAKS}"
        )
    action = card.get("action")
    if _is_product(card):
        yield from shape_problems(ProductAction, action, (*path, "action"))
        return
    yield from _header(card.get("header"), (*path, "header"))
    quick = isinstance(action, dict) and "buttons" in action
    yield from shape_problems(QuickButtons if quick else LinkAction, action, (*path, "action"))


def _header(header: object, path: Path) -> Iterator[Problem]:
    kind = word(member(header, "type"))
    if kind not in ("image", "video"):
        yield problem(path, "each card needs a header of type image or video")
        return
    media = member(header, kind)
    yield from shape_problems(MEDIA_MODELS[kind], media, (*path, kind))
    yield from media_rules(media, (*path, kind))


def _is_product(card: dict[str, Any]) -> bool:
    return (
        word(card.get("type")) == "product" or member(card.get("action"), "product_retailer_id") is not None
    )


def _header_kind(card: dict[str, Any]) -> str | None:
    return word(member(card.get("header"), "type"))


def _buttons_kind(card: dict[str, Any]) -> tuple[str | None, int]:
    buttons = member(card.get("action"), "buttons")
    return word(card.get("type")), len(buttons) if isinstance(buttons, list) else 0


def _catalog(card: dict[str, Any]) -> str | None:
    catalog = member(card.get("action"), "catalog_id")
    return catalog if isinstance(catalog, str) else None
