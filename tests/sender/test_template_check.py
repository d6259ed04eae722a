"""A template message against its definition: counts, names, buttons, headers, cards, languages."""

from typing import Any

import pytest
from definitions import BODY, FOOTER, HEADER, PLAIN_URL, REPLY, URL, buttons, carousel, media, translation
from hypothesis import given
from hypothesis import strategies as st

from sender.payload_template_check import template_problems
from store.templates import Translation

AT = "/template/components"


def problems(known: Translation | list[Translation], *components: Any, **more: Any) -> dict[str, str]:
    content = {
        "name": "order_ready",
        "language": {"code": more.pop("language", "en")},
        "components": components,
    }
    payload = {
        "to": "+919876543210",
        "type": "template",
        "template": {**content, "components": list(components)},
    }
    found = template_problems({**payload, **more}, [known] if isinstance(known, Translation) else known)
    return {one.pointer: one.message for one in found}


def text(kind: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "parameters": [{"type": "text", "text": value} for value in values], **more}


def named(**values: str) -> dict[str, Any]:
    parameters = [{"type": "text", "parameter_name": name, "text": value} for name, value in values.items()]
    return {"type": "body", "parameters": parameters}


def button(place: Any, *values: str, sub_type: str = "url") -> dict[str, Any]:
    return text("button", *values, sub_type=sub_type, index=place)


def test_what_fits_passes() -> None:
    whole = translation(HEADER, BODY, FOOTER, buttons(URL, REPLY))
    assert problems(whole, text("header", "77"), text("BODY", "Asha", "77"), button("0", "order-77")) == {}
    assert problems(translation(FOOTER, {"type": "BODY", "text": "Nothing to fill"})) == {}
    assert problems(translation(BODY), {**text("body", "a"), "parameters": [{"type": "currency"}] * 2}) == {}


@pytest.mark.parametrize(
    ("components", "pointer", "sentence"),
    [
        ([], AT, "has 2 variables"),
        ([text("body")], f"{AT}/0/parameters", "has 2 variables"),
        ([text("body", "a")], f"{AT}/0/parameters", "1 value, but the template's body has 2 variables"),
        (
            [text("body", "a", "b", "c")],
            f"{AT}/0/parameters",
            "3 values, but the template's body has 2 variables",
        ),
    ],
)
def test_the_number_of_values_is_that_of_the_variables(
    components: list[Any], pointer: str, sentence: str
) -> None:
    found = problems(translation(BODY), *components)
    assert list(found) == [pointer]
    assert sentence in found[pointer]


def test_values_for_a_text_without_variables_are_refused() -> None:
    found = problems(translation({"type": "BODY", "text": "Hello"}), text("body", "a"))
    assert list(found.values()) == [
        "template.components.0.parameters: 1 value, but the template's body has no variables"
    ]


def test_names_of_values_are_those_of_the_definition() -> None:
    known = translation({"type": "BODY", "text": "Hello {{first_name}}, order {{order}}"})
    assert problems(known, named(order="77", first_name="Asha")) == {}
    assert problems(known, named(first_name="Asha")) == {
        f"{AT}/0/parameters": "template.components.0.parameters: no value for order"
    }
    found = problems(known, named(first_name="Asha", name="x"))
    assert "it has first_name, order" in found[f"{AT}/0/parameters/1/parameter_name"]
    found = problems(known, text("body", "Asha", "77"))
    assert list(found) == [f"{AT}/0/parameters/{place}/parameter_name" for place in (0, 1)]
    twice = {"type": "text", "parameter_name": "order", "text": "77"}
    assert f"{AT}/0/parameters/1/parameter_name" in problems(
        known, {"type": "body", "parameters": [twice, twice]}
    )


@pytest.mark.parametrize("kind", ["image", "video", "document", "location"])
def test_a_header_of_media_is_of_its_kind(kind: str) -> None:
    known = translation(media(kind), {"type": "BODY", "text": "Hello"})
    header = {"type": "header", "parameters": [{"type": kind, kind: {"id": "1"}}]}
    assert problems(known, header) == {}
    assert list(problems(known)) == [AT]
    found = problems(known, text("header", "77"))
    assert f"must be one parameter of type {kind}" in found[f"{AT}/0/parameters"]


def test_a_header_that_the_template_has_not_is_refused() -> None:
    found = problems(translation(BODY), text("header", "77"), text("body", "a", "b"))
    assert "has no header" in found[f"{AT}/0"]


def test_buttons_are_counted_from_0_and_of_their_kind() -> None:
    known = translation({"type": "BODY", "text": "Hello"}, buttons(URL, REPLY, PLAIN_URL))
    reply = {
        "type": "button",
        "sub_type": "quick_reply",
        "index": 1,
        "parameters": [{"type": "payload", "payload": "x"}],
    }
    assert problems(known, button(0, "77"), reply) == {}
    assert "has 3 buttons" in problems(known, button(0, "77"), button("3", "77"))[f"{AT}/1/index"]
    assert "must be quick_reply" in problems(known, button(0, "77"), button(1, "77"))[f"{AT}/1/sub_type"]
    assert "no variable" in problems(known, button(0, "77"), button(2, "77"))[f"{AT}/1/parameters"]
    assert "a variable" in problems(known, button(0, "77", "78"))[f"{AT}/0/parameters"]
    assert "button 0 has a variable" in problems(known)[AT]
    assert problems(translation({"type": "BODY", "text": "Hello"}), button(0, "77"))[
        f"{AT}/0/index"
    ].endswith("no buttons")


def test_a_one_time_code_has_its_button_of_kind_url_or_copy_code() -> None:
    known = translation({"type": "BODY", "add_security_recommendation": True}, buttons({"type": "OTP"}))
    assert problems(known, text("body", "123"), button("0", "123")) == {}
    assert problems(known, text("body", "123"), button("0", "123", sub_type="copy_code")) == {}
    assert list(problems(known, button("0", "123", sub_type="flow"))) == [f"{AT}/0/sub_type"]


def test_what_a_webhook_left_open_is_not_asked() -> None:
    known = translation(
        {"type": "HEADER", "format": "UNKNOWN"}, {"type": "BODY", "text": "Hello {{1}}"},
        {"type": "BUTTONS", "buttons": None},
    )  # fmt: skip
    assert problems(known, text("header", "a"), text("body", "b"), button(7, "c")) == {}
    assert list(problems(known, text("body"))) == [f"{AT}/0/parameters"]


def test_cards_are_as_many_and_each_is_checked() -> None:
    card = [media("image"), {"type": "BODY", "text": "Bottle {{1}}"}]
    known = translation({"type": "BODY", "text": "Hello"}, carousel(card, card))
    sound = [{"type": "header", "parameters": [{"type": "image"}]}, text("body", "one")]
    assert problems(known, {"type": "carousel", "cards": [{"components": sound}] * 2}) == {}
    assert list(problems(known)) == [AT]
    assert (
        "1 card" in problems(known, {"type": "carousel", "cards": [{"components": sound}]})[f"{AT}/0/cards"]
    )
    found = problems(known, {"type": "carousel", "cards": [{"components": sound}, {"components": sound[:1]}]})
    assert list(found) == [f"{AT}/0/cards/1/components"]
    products = translation(
        {"type": "BODY", "text": "Hello"}, carousel([{"type": "HEADER", "format": "PRODUCT"}])
    )
    assert problems(products, {"type": "carousel", "cards": [{"components": []}] * 5}) == {}


def test_a_language_that_the_template_has_not_is_refused_with_those_it_has() -> None:
    known = [
        translation(BODY),
        translation(BODY, language="hi"),
        translation(language="ta", status="DELETED"),
    ]
    found = problems(known, language="en_US")
    assert list(found) == ["/template/language/code"]
    assert "it has en, hi." in found["/template/language/code"]


def test_webhooks_alone_do_not_tell_all_languages() -> None:
    known = Translation("order_ready", "hi", status="APPROVED", status_at=1)
    assert problems(known, language="en") == {}
    assert problems([]) == {}


def test_authentication_goes_to_phone_numbers() -> None:
    known = translation(category="AUTHENTICATION")
    assert list(problems(known, to=None, recipient="US.1")) == ["/recipient"]
    assert problems(known) == {}


WORDS = """type parameters index cards components buttons text format HEADER BODY button BUTTONS CAROUSEL
carousel header body sub_type URL url {{1}} {{a}} 0"""
PIECES = st.sampled_from(WORDS.split())
ANYTHING = st.recursive(
    st.none() | st.integers() | PIECES | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PIECES, inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(ANYTHING, max_size=4), st.lists(ANYTHING, max_size=4))
def test_no_definition_and_no_message_makes_it_raise(defined: list[Any], sent: list[Any]) -> None:
    for pointer, message in problems(translation(*defined), *sent).items():
        assert pointer.startswith("/template")
        assert message
