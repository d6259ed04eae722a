"""What `check` finds in templates, media, cards and interactive messages."""

from typing import Any

import pytest

from sender.payload import check

TO = "+919876543210"


def found(kind: str, content: Any, **more: Any) -> list[str]:
    body = {"messaging_product": "whatsapp", "to": TO, "type": kind, kind: content, **more}
    return [p.pointer for p in check(body)[1]]


def template(*components: Any) -> dict[str, Any]:
    return {"name": "order_ready", "language": {"code": "en"}, "components": list(components)}


def parameter(**fields: Any) -> dict[str, Any]:
    return template({"type": "body", "parameters": [fields]})


AT = "/template/components/0"


@pytest.mark.parametrize(
    ("content", "pointers"),
    [
        ({}, ["/template/name", "/template/language"]),
        ({"name": "", "language": "en"}, ["/template/name", "/template/language"]),
        ({"name": "a", "language": {}}, ["/template/language/code"]),
        ({"name": "a", "language": {"code": "en"}, "components": {}}, ["/template/components"]),
        (template({"parameters": 5}), [f"{AT}/type", f"{AT}/parameters"]),
        (parameter(type="text"), [f"{AT}/parameters/0/text"]),
        (parameter(type="text", text=""), [f"{AT}/parameters/0/text"]),
        (parameter(type="text", text=5), [f"{AT}/parameters/0/text"]),
        (parameter(type="image", image={}), [f"{AT}/parameters/0/image"]),
        (parameter(type="image"), [f"{AT}/parameters/0/image"]),
        (parameter(type="currency", currency={"code": "USD"}), [f"{AT}/parameters/0/currency/fallback_value",
                                                                f"{AT}/parameters/0/currency/amount_1000"]),
        (parameter(type="coupon_code", coupon_code="x" * 21), [f"{AT}/parameters/0/coupon_code"]),
        (parameter(type="payload", payload="x" * 513), [f"{AT}/parameters/0/payload"]),
        (parameter(text="no type"), [f"{AT}/parameters/0/type"]),
        (template({"type": "button"}), [f"{AT}/sub_type"]),
        (template({"type": "button", "sub_type": "url", "index": "x"}), [f"{AT}/index"]),
        (template({"type": "carousel", "cards": [{}] * 11}), [f"{AT}/cards"]),
        (
            template({"type": "carousel", "cards": [{"components": [{"type": "button"}]}]}),
            [f"{AT}/cards/0/components/0/sub_type"],
        ),
    ],
)  # fmt: skip
def test_a_broken_template_is_refused_at_every_place(content, pointers):
    assert found("template", content) == pointers


@pytest.mark.parametrize(
    "content",
    [
        {"name": "a", "language": {"code": "en", "policy": "deterministic"}, "components": None},
        parameter(type="text", parameter_name="first", text="Asha"),
        parameter(type="something_new", something_new=1),
        template({"type": "something_new"}),
        template({"type": "BUTTON", "sub_type": "COPY_CODE", "index": 1, "parameters": []}),
        template({"type": "button", "sub_type": "url", "index": "1"}),
        template({"type": "button", "sub_type": "voice_call"}),
        template({"type": "carousel", "cards": [{"card_index": 0, "components": []}]}),
    ],
)
def test_a_sound_template_is_taken(content):
    assert found("template", content) == []


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
def test_media_have_exactly_one_source(kind):
    assert found(kind, {"id": "1"}) == []
    assert found(kind, {"link": "https://example.com/a"}) == []
    assert found(kind, {}) == [f"/{kind}"]
    assert found(kind, {"id": "1", "link": "https://example.com/a"}) == [f"/{kind}"]
    assert found(kind, {"link": "example.com/a"}) == [f"/{kind}/link"]
    assert found(kind, {"id": 1}) == [f"/{kind}/id"]


def test_captions_are_bounded_and_not_for_audio_or_stickers():
    assert found("image", {"id": "1", "caption": "x" * 1024}) == []
    assert found("image", {"id": "1", "caption": "x" * 1025}) == ["/image/caption"]
    assert found("audio", {"id": "1", "caption": "x"}) == ["/audio/caption"]
    assert found("sticker", {"id": "1", "caption": "x"}) == ["/sticker/caption"]
    assert found("audio", {"id": "1", "voice": "yes"}) == ["/audio/voice"]


def test_coordinates_are_numbers_or_numbers_in_strings_within_the_globe():
    assert found("location", {"latitude": 12.9, "longitude": "-77.5"}) == []
    assert found("location", {"latitude": 91, "longitude": "east"}) == [
        "/location/latitude",
        "/location/longitude",
    ]
    assert found("location", {"latitude": True}) == ["/location/latitude", "/location/longitude"]


def test_contact_cards_need_two_parts_of_a_name():
    card = {"name": {"formatted_name": "Asha Rao", "first_name": "Asha"}}
    assert found("contacts", [card] * 257) == []
    assert found("contacts", [card] * 258) == ["/contacts"]
    assert found("contacts", []) == ["/contacts"]
    assert found("contacts", {"name": 1}) == ["/contacts"]
    assert found("contacts", [card, {"name": {"formatted_name": "Asha"}}]) == ["/contacts/1/name"]


def test_reactions_name_a_message_and_quote_none():
    assert found("reaction", {"message_id": "wamid.1", "emoji": ""}) == []
    assert found("reaction", {"emoji": "x"}) == ["/reaction/message_id"]
    reaction = {"message_id": "wamid.1", "emoji": "x"}
    assert found("reaction", reaction, context={"message_id": "wamid.2"}) == ["/context"]


def test_pins_are_for_groups():
    pin = {"type": "pin", "message_id": "wamid.1", "expiration_days": 7}
    assert found("pin", pin, recipient_type="group") == []
    assert found("pin", pin) == ["/recipient_type"]
    assert found("pin", {**pin, "type": "x", "expiration_days": 31}, recipient_type="group") == [
        "/pin/type",
        "/pin/expiration_days",
    ]


def interactive(kind: str, action: Any, **more: Any) -> list[str]:
    content = {"type": kind, "body": {"text": "Choose"}, "action": action, **more}
    return [pointer.removeprefix("/interactive") for pointer in found("interactive", content)]


def reply(number: int, title: str | None = None) -> dict[str, Any]:
    return {"type": "reply", "reply": {"id": str(number), "title": title or f"Title {number}"}}


def rows(*counts: int, **section: Any) -> dict[str, Any]:
    sections = [
        {"title": f"S{s}", "rows": [{"id": f"{s}-{r}", "title": "Row"} for r in range(n)], **section}
        for s, n in enumerate(counts)
    ]
    return {"button": "Open", "sections": sections}


def cards(number: int, **last: Any) -> dict[str, Any]:
    card = {
        "type": "cta_url",
        "header": {"type": "image", "image": {"id": "1"}},
        "body": {"text": "Offer"},
        "action": {"name": "cta_url", "parameters": {"display_text": "Buy", "url": "https://example.com"}},
    }
    return {"cards": [*([card] * (number - 1)), {**card, **last}]}


NAME = "x" * 21
PRODUCT = {"catalog_id": "1", "product_retailer_id": "2"}
FLOW = {"flow_message_version": "3", "flow_cta": "Book", "flow_id": "1"}
ORDER = {"reference_id": "1", "type": "physical-goods", "currency": "INR", "order": {}}


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("button", {"buttons": [reply(1), reply(2), reply(3)]}),
        ("BUTTON", {"buttons": [reply(1)]}),
        ("list", rows(5, 5)),
        ("list", rows(2, 0)),
        ("cta_url", {"name": "cta_url", "parameters": {"display_text": "Go", "url": "https://example.com"}}),
        ("flow", {"name": "flow", "parameters": {**FLOW, "mode": "draft", "flow_action": "navigate"}}),
        ("product", PRODUCT),
        ("catalog_message", {"name": "catalog_message"}),
        ("location_request_message", {"name": "send_location"}),
        ("address_message", {"name": "address_message", "parameters": {"country": "IN"}}),
        ("call_permission_request", {"name": "call_permission_request"}),
        ("voice_call", {"name": "voice_call", "parameters": {"display_text": "Call", "ttl_minutes": 100}}),
        ("request_contact_info", {"name": "request_contact_info"}),
        ("order_details", {"parameters": {**ORDER, "total_amount": {"value": 1, "offset": 100}}}),
        ("order_status", {"name": "review_order", "parameters": {"reference_id": "1", "order": {}}}),
        ("carousel", cards(10)),
        ("carousel", {"cards": [{"type": "product", "action": PRODUCT}] * 2}),
    ],
)  # fmt: skip
def test_a_sound_interactive_message_is_taken(kind, action):
    assert interactive(kind, action) == []


@pytest.mark.parametrize(
    ("kind", "action", "pointers"),
    [
        ("button", {"buttons": []}, ["/action/buttons"]),
        ("button", {"buttons": [reply(n) for n in range(4)]}, ["/action/buttons"]),
        ("button", {"buttons": [reply(1, NAME)]}, ["/action/buttons/0/reply/title"]),
        ("button", {"buttons": [reply(1, "A"), reply(2, "A")]}, ["/action/buttons/1/reply/title"]),
        ("button", None, ["/action"]),
        ("list", rows(6, 5), ["/action/sections"]),
        ("list", rows(0), ["/action/sections"]),
        ("list", rows(1, 1, title=""), ["/action/sections/0/title", "/action/sections/1/title"]),
        ("list", {**rows(1), "button": NAME}, ["/action/button"]),
        ("cta_url", {"name": "cta_url", "parameters": {"display_text": NAME}},
         ["/action/parameters/display_text", "/action/parameters/url"]),
        ("flow", {"name": "flow", "parameters": {**FLOW, "flow_name": "a", "mode": "x"}},
         ["/action/parameters", "/action/parameters/mode"]),
        ("product", {}, ["/action/product_retailer_id", "/action/catalog_id"]),
        ("product_list", {"catalog_id": "1", "sections": [{"product_items": [PRODUCT] * 31}]},
         ["/header", "/action/sections"]),
        ("address_message", {"name": "address_message"}, ["/action/parameters"]),
        ("order_details", {"parameters": ORDER}, ["/action/parameters/total_amount"]),
        ("carousel", cards(1), ["/action/cards"]),
        ("carousel", cards(2, body={"text": "x" * 161}), ["/action/cards/1/body/text"]),
        ("carousel", cards(2, body={"text": "a\nb\nc\nd"}), ["/action/cards/1/body/text"]),
        ("carousel", cards(2, header={"type": "video", "video": {"id": "1"}}), ["/action/cards"]),
        ("carousel", cards(2, header=None), ["/action/cards/1/header", "/action/cards"]),
        ("buttons", {}, ["/type"]),
    ],
)  # fmt: skip
def test_a_broken_interactive_message_is_refused_at_every_place(kind, action, pointers):
    assert interactive(kind, action) == pointers


def test_the_frame_of_an_interactive_message_is_checked():
    action = {"buttons": [reply(1)]}
    assert interactive("button", action, body=None) == ["/body"]
    assert interactive("button", action, body={"text": "x" * 1025}) == ["/body/text"]
    assert interactive("list", rows(1), body={"text": "x" * 4096}) == []
    assert interactive("button", action, footer={"text": "x" * 61}) == ["/footer/text"]
    assert interactive("button", action, header={"type": "text", "text": "x" * 61}) == ["/header/text"]
    assert interactive("button", action, header={"type": "image"}) == ["/header/image"]
    assert interactive("list", rows(1), header={"type": "image", "image": {"id": "1"}}) == ["/header/type"]
    header = {"type": "text", "text": "Head"}
    assert interactive("carousel", cards(2), header=header, footer={"text": "x"}) == ["/footer", "/header"]
