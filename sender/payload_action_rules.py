"""What depends on more than one field of an interactive message's action."""

from collections.abc import Iterable, Iterator
from typing import Any

from sender.payload_actions import Order, OrderState
from sender.payload_problem import Path, Problem, member, objects, problem, shape_problems

MOST_ROWS, MOST_PRODUCTS = 10, 30


def button_rules(action: Any, path: Path) -> Iterator[Problem]:
    """Titles tell the buttons apart, so they are unique; so are the ids that come back."""
    replies = [
        ((*path, "buttons", i, "reply"), member(b, "reply")) for i, b in objects(member(action, "buttons"))
    ]
    for key in ("title", "id"):
        yield from _repeated(((*here, key), member(reply, key)) for here, reply in replies)


def list_rules(action: Any, path: Path) -> Iterator[Problem]:
    """At most ten rows over all sections, each with an id of its own."""
    here = (*path, "sections")
    rows = [
        ((*here, s, "rows", r, "id"), row.get("id"))
        for s, section in objects(member(action, "sections"))
        for r, row in objects(section.get("rows"))
    ]
    if not 1 <= len(rows) <= MOST_ROWS:
        yield problem(here, f"{len(rows)} rows in all, 1 to {MOST_ROWS} are allowed")
    yield from _repeated(rows)
    yield from _titled(member(action, "sections"), here)


def product_list_rules(action: Any, path: Path) -> Iterator[Problem]:
    sections = member(action, "sections")
    lists = [section.get("product_items") for _, section in objects(sections)]
    count = sum(len(items) for items in lists if isinstance(items, list))
    if count > MOST_PRODUCTS:
        yield problem((*path, "sections"), f"{count} products in all, the limit is {MOST_PRODUCTS}")
    yield from _titled(sections, (*path, "sections"))


def flow_rules(action: Any, path: Path) -> Iterator[Problem]:
    flow, here = member(action, "parameters"), (*path, "parameters")
    if not isinstance(flow, dict):
        return
    if (flow.get("flow_id") is None) == (flow.get("flow_name") is None):
        yield problem(here, "needs either flow_id or flow_name")
    for key, words in (("mode", ("draft", "published")), ("flow_action", ("navigate", "data_exchange"))):
        if isinstance(flow.get(key), str) and flow[key].lower() not in words:
            yield problem((*here, key), f"must be {words[0]} or {words[1]}")


def order_rules(action: Any, path: Path) -> Iterator[Problem]:
    if action is not None:
        yield from shape_problems(Order, member(action, "parameters"), (*path, "parameters"))


def order_state_rules(action: Any, path: Path) -> Iterator[Problem]:
    if action is not None:
        yield from shape_problems(OrderState, member(action, "parameters"), (*path, "parameters"))


def _titled(sections: object, path: Path) -> Iterator[Problem]:
    if isinstance(sections, list) and len(sections) > 1:
        for index, section in objects(sections):
            if not section.get("title"):
                yield problem(
                    (*path, index, "title"), "missing; with more than one section each needs a title"
                )


def _repeated(values: Iterable[tuple[Path, Any]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for path, value in values:
        if isinstance(value, str) and value in seen:
            yield problem(path, "is there already; each must be different")
        if isinstance(value, str):
            seen.add(value)
