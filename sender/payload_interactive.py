"""Interactive messages: the frame of header, body and footer around each sub-type's action."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

from sender import payload_action_rules as rules
from sender import payload_actions as actions
from sender.payload_carousel import Cards, carousel_rules
from sender.payload_media import MEDIA_MODELS, media_rules
from sender.payload_other import Filled, no_rules
from sender.payload_problem import Part, Path, Problem, listing, member, problem, shape_problems, word

Rules = Callable[[Any, Path], Iterator[Problem]]
ANY_HEADER = frozenset({"text", "image", "video", "document"})
TEXT_HEADER = frozenset({"text"})
NO_HEADER: frozenset[str] = frozenset()


class Header(Part):
    type: Filled
    text: Annotated[str, Field(min_length=1, max_length=60)] | None = None


class Footer(Part):
    text: Annotated[str, Field(min_length=1, max_length=60)]


class Body(Part):
    text: Annotated[str, Field(min_length=1, max_length=1024)]


class LongBody(Part):
    text: Annotated[str, Field(min_length=1, max_length=4096)]


class Interactive(Part):
    """What all sub-types share."""

    type: Filled
    header: Header | None = None
    footer: Footer | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What one sub-type allows around its action, and how the action looks."""

    action: type[BaseModel]
    check: Rules = no_rules
    headers: frozenset[str] = ANY_HEADER
    header_needed: bool = False
    body: type[BaseModel] = Body
    body_needed: bool = True
    footer_allowed: bool = True
    action_needed: bool = True


FRAMES: dict[str, Frame] = {
    "button": Frame(actions.Buttons, rules.button_rules),
    "list": Frame(actions.ListAction, rules.list_rules, TEXT_HEADER, body=LongBody),
    "cta_url": Frame(actions.LinkAction),
    "flow": Frame(actions.FlowAction, rules.flow_rules),
    "product": Frame(actions.ProductAction, headers=NO_HEADER, body_needed=False),
    "product_list": Frame(
        actions.ProductListAction, rules.product_list_rules, TEXT_HEADER, header_needed=True
    ),
    "catalog_message": Frame(actions.CatalogAction),
    "location_request_message": Frame(actions.NamedAction),
    "address_message": Frame(actions.AddressAction),
    "carousel": Frame(Cards, carousel_rules, NO_HEADER, footer_allowed=False),
    "call_permission_request": Frame(actions.NamedAction, body_needed=False),
    "voice_call": Frame(actions.CallAction, body_needed=False),
    "request_contact_info": Frame(actions.NamedAction),
    # Payments have had two forms: older ones carry everything in `order_details` instead of an action.
    "order_details": Frame(actions.Action, rules.order_rules, body_needed=False, action_needed=False),
    "order_status": Frame(actions.Action, rules.order_state_rules),
}


def interactive_rules(interactive: Any, path: Path) -> Iterator[Problem]:
    """Everything that depends on the sub-type."""
    if not isinstance(interactive, dict):
        return
    kind = word(interactive.get("type"))
    yield from _header(interactive.get("header"), (*path, "header"))
    if not kind:
        return
    frame = FRAMES.get(kind)
    if frame is None:
        yield problem((*path, "type"), f"is no interactive type known here; known are {listing(FRAMES)}")
        return
    yield from _around(interactive, kind, frame, path)
    action, here = interactive.get("action"), (*path, "action")
    if action is not None:
        yield from shape_problems(frame.action, action, here)
        yield from frame.check(action, here)
    elif frame.action_needed or "order_details" not in interactive:
        yield problem(here, "missing; add it")


def _around(interactive: dict[str, Any], kind: str, frame: Frame, path: Path) -> Iterator[Problem]:
    body, header = interactive.get("body"), interactive.get("header")
    if body is not None:
        yield from shape_problems(frame.body, body, (*path, "body"))
    elif frame.body_needed:
        yield problem((*path, "body"), "missing; add it with a text")
    if interactive.get("footer") is not None and not frame.footer_allowed:
        yield problem((*path, "footer"), f"{kind} takes no footer; take it away")
    header_kind = word(member(header, "type"))
    if header is None:
        if frame.header_needed:
            yield problem((*path, "header"), f"missing; {kind} needs a header with a text")
    elif not frame.headers:
        yield problem((*path, "header"), f"{kind} takes no header; take it away")
    elif header_kind and header_kind not in frame.headers:
        yield problem((*path, "header", "type"), f"must be one of {listing(frame.headers)} here")


def _header(header: Any, path: Path) -> Iterator[Problem]:
    kind = word(member(header, "type"))
    if not kind or kind not in ANY_HEADER:
        return
    if header.get(kind) is None:
        yield problem((*path, kind), "missing; the header's type asks for it")
    elif kind in MEDIA_MODELS:
        yield from shape_problems(MEDIA_MODELS[kind], header[kind], (*path, kind))
        yield from media_rules(header[kind], (*path, kind))
