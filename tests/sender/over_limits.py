"""Finds where a payload's limits hold, and makes the same payload go over one of them."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sender.payload import is_read_receipt
from sender.payload_examples import EXAMPLES, TO
from sender.payload_limits import ITEM, Limit, kinds, limits

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "sends"
MEDIA = {"image": {"id": "1"}, "video": {"id": "1"}, "document": {"id": "1"}}
PARAMETERS: dict[str, Any] = {
    **MEDIA,
    "text": "Asha",
    "payload": "keep",
    "coupon_code": "SAVE10",
    "currency": {"fallback_value": "1", "code": "INR", "amount_1000": 1000},
    "date_time": {"fallback_value": "today"},
    "location": {"latitude": 1.5, "longitude": 2.5},
}
PRODUCT = {"catalog_id": "1", "product_retailer_id": "2"}
CARD = {"type": "cta_url", "header": {"type": "video", "video": {"id": "1"}}}
QUICK = {"buttons": [{"type": "quick_reply", "quick_reply": {"id": "1", "title": "Yes"}}]}
LINK = {"name": "cta_url", "parameters": {"display_text": "Go", "url": "https://example.com"}}

Place = tuple[str | int, ...]


def samples(kind: str) -> list[dict[str, Any]]:
    """Payloads that pass, which together have every place where this kind has a limit."""
    found = [EXAMPLES[kind]]
    if kind == "template":
        for name, value in PARAMETERS.items():
            components = [{"type": "body", "parameters": [{"type": name, name: value}]}]
            found.append(_template(components))
        found.append(_template([{"type": "carousel", "cards": [{"card_index": 0, "components": []}]}]))
    if kind == "interactive/carousel":
        quick = {"type": "quick_reply", "header": {"type": "image", "image": {"id": "1"}}, "action": QUICK}
        for card in (quick, {**CARD, "action": LINK}, {"type": "product", "action": PRODUCT}):
            found.append(_changed(kind, action={"cards": [copy.deepcopy(card), copy.deepcopy(card)]}))
    elif kind.startswith("interactive/"):
        found.append(_changed(kind, footer={"text": "Foot"}))
        if any(one.path == ("interactive", "header", "text") for one in limits(kind)):
            found.append(_changed(kind, header={"type": "text", "text": "Head"}))
        for name, value in MEDIA.items():
            if any(one.path[:3] == ("interactive", "header", name) for one in limits(kind)):
                found.append(_changed(kind, header={"type": name, name: value}))
    return found


def _template(components: list[Any]) -> dict[str, Any]:
    content = {"name": "a", "language": {"code": "en"}, "components": components}
    return {"messaging_product": "whatsapp", "to": TO, "type": "template", "template": content}


def _changed(kind: str, **parts: Any) -> dict[str, Any]:
    example = copy.deepcopy(EXAMPLES[kind])
    example["interactive"] |= parts
    return example


def kind_of(body: dict[str, Any]) -> str | None:
    """As `kinds` names it; None when it is none of them."""
    kind = str(body.get("type", "text")).lower()
    if kind == "interactive" and isinstance(body.get("interactive"), dict):
        kind = f"interactive/{str(body['interactive'].get('type')).lower()}"
    return kind if kind in kinds() else None


def places(body: dict[str, Any], limit: Limit) -> Iterator[Place]:
    """Where the limit holds: the field may be missing when what holds it is there."""
    waiting: list[tuple[Any, Place]] = [(body, ())]
    for step in limit.path[:-1]:
        waiting = [(child, (*path, key)) for value, path in waiting for key, child in _step(value, step)]
    last = limit.path[-1]
    for value, path in waiting:
        if last == ITEM:
            yield from ((*path, key) for key, _ in _step(value, ITEM))
        elif isinstance(value, dict) and _belongs(value, last, limit):
            yield (*path, last)


def _step(value: Any, step: str) -> list[tuple[str | int, Any]]:
    if step == ITEM:
        return list(enumerate(value)) if isinstance(value, list) else []
    return [(step, value[step])] if isinstance(value, dict) and step in value else []


def _belongs(holder: dict[str, Any], field: str, limit: Limit) -> bool:
    """A header's text or a parameter's value is looked at only where the type says so; so are cards."""
    if limit.path[-2:] == ("header", "text") or limit.path[-3:-1] == ("parameters", ITEM):
        return str(holder.get("type")).lower() == field
    if field == "cards" and limit.path[0] == "template":
        return str(holder.get("type")).lower() == "carousel"
    if limit.path[:4] == ("interactive", "action", "cards", ITEM) and limit.path[-2] in (
        "action",
        "parameters",
    ):
        return field in holder
    return True


def over(body: dict[str, Any], place: Place, limit: Limit, by: int, unit: str = "x") -> dict[str, Any]:
    """The payload with this place over its limit."""
    changed = json.loads(json.dumps(body))
    holder = _at(changed, place[:-1])
    holder[place[-1]] = _too_much(
        holder.get(place[-1]) if isinstance(holder, dict) else None, limit, by, unit
    )
    return changed


def under(body: dict[str, Any], place: Place, limit: Limit) -> dict[str, Any]:
    """The payload with this place under its limit."""
    changed = json.loads(json.dumps(body))
    assert limit.least is not None
    holder = _at(changed, place[:-1])
    less: Any = limit.least - 1
    if limit.of == "characters":
        less = ""
    if limit.of == "items":
        kept = holder.get(place[-1], []) if isinstance(holder, dict) else []
        less = kept[: int(limit.least) - 1]
    if limit.of == "rows in all":
        less = [{"title": "All", "rows": []}]
    holder[place[-1]] = less
    return changed


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _too_much(now: Any, limit: Limit, by: int, unit: str) -> Any:
    assert limit.most is not None
    count = int(limit.most) + by
    if limit.of == "characters":
        return unit * count
    if limit.of == "line breaks":
        return "\n" * count
    if limit.of == "items":
        items = now if isinstance(now, list) and now else [{}]
        return [items[index % len(items)] for index in range(count)]
    if limit.of == "rows in all":
        return [{"title": "All", "rows": [{"id": str(n), "title": "Row"} for n in range(count)]}]
    if limit.of == "products in all":
        return [{"title": "All", "product_items": [{"product_retailer_id": str(n)} for n in range(count)]}]
    return count


def corpus() -> list[tuple[str, dict[str, Any]]]:
    """(file name, payload) of every message of the corpus, where it is there; read receipts are none."""
    cases = [
        (path.name, json.loads(path.read_text("utf-8"))["payload"]) for path in sorted(CORPUS.glob("*.json"))
    ]
    return [(name, body) for name, body in cases if not is_read_receipt(body)]
