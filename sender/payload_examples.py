"""One payload of each type and sub-type that passes, for the documentation; people and orders are made up."""

from typing import Any

TO = "+919876543210"
BOTTLE = "https://example.com/bottle.jpg"
_PRODUCT = {"product_retailer_id": "bottle-1l", "catalog_id": "194836987003835"}


def _message(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": TO, **more, "type": kind, kind: content}


def _interactive(kind: str, body: str, action: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    acting = {} if action is None else {"action": action}
    return _message("interactive", {"type": kind, "body": {"text": body}, **more, **acting})


def _named(kind: str, body: str, name: str, **more: Any) -> dict[str, Any]:
    return _interactive(kind, body, {"name": name, **more})


def _card(place: int) -> dict[str, Any]:
    return {
        "card_index": place,
        "type": "cta_url",
        "header": {"type": "image", "image": {"link": BOTTLE}},
        "body": {"text": f"Bottle number {place + 1}"},
        "action": {
            "name": "cta_url",
            "parameters": {"display_text": "See it", "url": "https://example.com/bottles"},
        },
    }


_ORDER = {
    "reference_id": "order-77",
    "type": "physical-goods",
    "currency": "INR",
    "total_amount": {"value": 21000, "offset": 100},
    "order": {"status": "pending", "items": [], "subtotal": {"value": 21000, "offset": 100}},
}
_HEADER = {"type": "text", "text": "Your order"}
_FOOTER = {"text": "Example Bottles"}
_BUTTONS = {
    "buttons": [
        {"type": "reply", "reply": {"id": "keep", "title": "Keep it"}},
        {"type": "reply", "reply": {"id": "cancel", "title": "Cancel it"}},
    ]
}
_ROW = {"id": "one", "title": "One litre", "description": "Steel, keeps warm for a day"}
_LIST = {"button": "Choose a size", "sections": [{"title": "Bottles", "rows": [_ROW]}]}
_SECTIONS = [{"title": "Bottles", "product_items": [{"product_retailer_id": "bottle-1l"}]}]
_TEMPLATE = {
    "name": "order_ready",
    "language": {"code": "en"},
    "components": [
        {"type": "body", "parameters": [{"type": "text", "text": "Asha"}, {"type": "text", "text": "77"}]},
        {
            "type": "button",
            "sub_type": "url",
            "index": "0",
            "parameters": [{"type": "text", "text": "order-77"}],
        },
    ],
}
_FLOW = {
    "flow_message_version": "3",
    "flow_id": "1031234567890",
    "flow_cta": "Book",
    "flow_token": "visit-9",
    "flow_action": "navigate",
    "flow_action_payload": {"screen": "FIRST"},
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "text": _message("text", {"body": "Track it: https://example.com/77", "preview_url": True}),
    "image": _message("image", {"link": BOTTLE, "caption": "Your bottle"}),
    "video": _message("video", {"id": "1166846181421424", "caption": "How it opens"}),
    "document": _message(
        "document", {"id": "1166846181421425", "filename": "invoice-77.pdf", "caption": "Your invoice"}
    ),
    "audio": _message("audio", {"id": "1166846181421426", "voice": True}),
    "sticker": _message("sticker", {"id": "1166846181421427"}),
    "location": _message(
        "location",
        {"latitude": 12.9716, "longitude": 77.5946, "name": "Example Bottles", "address": "Bengaluru"},
    ),
    "contacts": _message(
        "contacts",
        [
            {
                "name": {"formatted_name": "Asha Rao", "first_name": "Asha"},
                "phones": [{"phone": TO, "type": "WORK"}],
            }
        ],
    ),
    "reaction": _message("reaction", {"message_id": "wamid.HBgMOTE5ODc2NTQzMjEwFQIAERgS", "emoji": "👍"}),
    "template": _message("template", _TEMPLATE),
    "pin": {
        **_message(
            "pin",
            {"type": "pin", "message_id": "wamid.HBgMOTE5ODc2NTQzMjEwFQIAERgS", "expiration_days": 7},
            recipient_type="group",
        ),
        "to": "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD",
    },
    "interactive/button": _interactive(
        "button", "Your order is packed.", _BUTTONS, header=_HEADER, footer=_FOOTER
    ),
    "interactive/list": _interactive("list", "Which one?", _LIST, header=_HEADER, footer=_FOOTER),
    "interactive/cta_url": _named(
        "cta_url",
        "Your order is on its way.",
        "cta_url",
        parameters={"display_text": "Track it", "url": "https://example.com/77"},
    ),
    "interactive/flow": _named("flow", "Book a visit.", "flow", parameters=_FLOW),
    "interactive/product": _interactive("product", "This one?", _PRODUCT),
    "interactive/product_list": _interactive(
        "product_list",
        "All our bottles.",
        {"catalog_id": "194836987003835", "sections": _SECTIONS},
        header=_HEADER,
    ),
    "interactive/catalog_message": _named(
        "catalog_message",
        "All that we make.",
        "catalog_message",
        parameters={"thumbnail_product_retailer_id": "bottle-1l"},
    ),
    "interactive/location_request_message": _named(
        "location_request_message", "Where shall we bring it?", "send_location"
    ),
    "interactive/address_message": _named(
        "address_message", "Where shall we bring it?", "address_message", parameters={"country": "IN"}
    ),
    "interactive/carousel": _interactive("carousel", "New bottles", {"cards": [_card(0), _card(1)]}),
    "interactive/call_permission_request": _named(
        "call_permission_request", "May we call you about your order?", "call_permission_request"
    ),
    "interactive/voice_call": _named(
        "voice_call", "Call us.", "voice_call", parameters={"display_text": "Call now", "ttl_minutes": 100}
    ),
    "interactive/request_contact_info": _named(
        "request_contact_info", "May we have your number?", "request_contact_info"
    ),
    "interactive/order_details": _named(
        "order_details", "Please pay for your order.", "review_and_pay", parameters=_ORDER
    ),
    "interactive/order_status": _named(
        "order_status",
        "Your order is on its way.",
        "review_order",
        parameters={"reference_id": "order-77", "order": {"status": "shipped"}},
    ),
}
