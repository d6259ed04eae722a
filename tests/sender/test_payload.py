"""What `check` finds in text messages and in the envelope of every message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.payload import check, check_read_receipt, is_read_receipt, template, text
from sender.payload_envelope import ROOM_FOR_CALLBACK_DATA
from sender.payload_problem import Problem

TO = "+919876543210"


def problems(body: object) -> dict[str, str]:
    message, found = check(body)
    assert (message is None) == bool(found)
    return {p.pointer: p.message for p in found}


def test_a_plain_text_is_taken_and_leaves_as_it_came():
    body = {
        "messaging_product": "whatsapp",
        "to": TO,
        "text": {"body": "Hello"},
        "ttl_seconds": 60,
        "new": {"a": [1]},
    }
    message, found = check(body)
    assert found == ()
    assert message is not None
    assert message.payload == body
    assert list(message.payload) == list(body)
    assert (message.kind, message.template, message.recipient.kind) == ("text", None, "phone")


def test_only_to_is_rewritten_and_the_callers_body_is_left_alone():
    body = text("+91 98765-43210", "Hello")
    before = json.dumps(body)
    message, _ = check(body)
    assert message is not None
    assert message.payload == {**body, "to": TO}
    assert message.recipient_typed == "+91 98765-43210"
    assert json.dumps(body) == before


def test_a_national_number_needs_the_default_country():
    assert "/to" in problems(text("98765 43210", "Hello"))
    message, _ = check(text("98765 43210", "Hello"), default_country="IN")
    assert message is not None
    assert message.payload["to"] == TO


def test_every_problem_is_named_at_once():
    found = problems(
        {
            "to": 919876543210,
            "recipient_type": "both",
            "text": {"preview_url": "true", "body": "x" * 4103},
            "biz_opaque_callback_data": {"a": 1},
            "context": {},
        }
    )
    assert set(found) == {
        "/messaging_product",
        "/to",
        "/recipient_type",
        "/text/preview_url",
        "/text/body",
        "/biz_opaque_callback_data",
        "/context/message_id",
    }
    assert found["/text/body"] == "text.body: 4,103 characters, the limit is 4,096"


@pytest.mark.parametrize("unit", ["x", "é", "😀", "ह"])
def test_the_body_is_counted_in_characters(unit):
    assert problems(text(TO, unit * 4096)) == {}
    assert problems(text(TO, unit * 4097)) == {
        "/text/body": "text.body: 4,097 characters, the limit is 4,096"
    }


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({}, "/text/body"),
        ({"body": ""}, "/text/body"),
        ({"body": None}, "/text/body"),
        ({"body": 5}, "/text/body"),
        ({"body": ["a"]}, "/text/body"),
        ("Hello", "/text"),
        ([], "/text"),
        (None, "/text"),
        ({"body": "half \ud83d emoji"}, "/text/body"),
        ({"body": "nul \0"}, "/text/body"),
    ],
)
def test_a_text_without_a_proper_body_is_refused_at_its_place(content, pointer):
    body = {"messaging_product": "whatsapp", "to": TO, "type": "text", "text": content}
    assert list(problems(body)) == [pointer]


@pytest.mark.parametrize(
    "body", ["see https://example.com", "HTTP://Example.com/a?b=c", "x https://1.2.3.4 and http://müller.de"]
)
def test_a_preview_with_an_address_is_taken(body):
    assert problems(text(TO, body, preview_url=True)) == {}


@pytest.mark.parametrize(
    "body",
    [
        "see example.com",
        "https://",
        "http://192.168.1.1/a",
        "https://[2001:db8::1]/",
        "ftp://a.com",
        "http://[",
    ],
)
def test_a_preview_without_an_address_with_a_host_name_is_refused(body):
    assert list(problems(text(TO, body, preview_url=True))) == ["/text/preview_url"]
    assert problems(text(TO, body)) == {}


def test_a_user_id_in_to_is_sent_to_its_own_field():
    found = problems(text("US.13491208655302741918", "Hello"))
    assert "`recipient`" in found["/to"]


def test_a_user_id_in_recipient_is_taken():
    message, found = check(
        {"messaging_product": "whatsapp", "recipient": "US.13491208655302741918", "text": {"body": "x"}}
    )
    assert found == ()
    assert message is not None
    assert message.recipient.kind == "user_id"
    assert "to" not in message.payload


def test_a_phone_number_in_recipient_is_refused():
    assert list(problems({"messaging_product": "whatsapp", "recipient": TO, "text": {"body": "x"}})) == [
        "/recipient"
    ]


def test_with_both_recipients_to_decides():
    message, _ = check({**text(TO, "x"), "recipient": "US.1"})
    assert message is not None
    assert (message.recipient.kind, message.payload["recipient"]) == ("phone", "US.1")


def test_a_group_id_leaves_as_it_was_given():
    group = "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD"
    message, found = check({**text(group, "x"), "recipient_type": "group"})
    assert found == ()
    assert message is not None
    assert (message.recipient.kind, message.payload["to"]) == ("group", group)


def test_callback_data_is_text_with_room_for_our_own_id():
    room = "x" * ROOM_FOR_CALLBACK_DATA
    message, _ = check({**text(TO, "x"), "biz_opaque_callback_data": room})
    assert message is not None
    assert message.callers_callback_data == room
    assert list(problems({**text(TO, "x"), "biz_opaque_callback_data": room + "x"})) == [
        "/biz_opaque_callback_data"
    ]


def test_an_unknown_type_is_refused_with_the_known_ones():
    found = problems({**text(TO, "x"), "type": "txt"})
    assert "template" in found["/type"]


def test_a_missing_type_beside_a_template_says_what_is_meant_and_checks_the_template():
    found = problems({"messaging_product": "whatsapp", "to": TO, "template": {"name": "a"}})
    assert 'set type to "template"' in found["/text"]
    assert "/template/language" in found


def test_pointers_escape_what_json_pointers_escape():
    assert list(problems({**text(TO, "x"), "a/b~c": "\0"})) == ["/a~1b~0c"]


def test_what_json_cannot_carry_is_refused_wherever_it_stands():
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    found = problems({**text(TO, "x"), "a": float("nan"), "b": 10**5000, "c": deep, "d": {"e": ["\udc00"]}})
    assert {"/a", "/b", "/d/e/0"} < set(found)
    assert any(pointer.startswith("/c/0") for pointer in found)


@pytest.mark.parametrize("body", [None, [], "text", 5, True, {}, {"to": []}, {"type": {}}, {"type": None}])
def test_what_is_no_message_is_refused(body):
    assert problems(body)


def test_read_receipts_are_told_apart_from_messages():
    receipt = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.1",
        "typing_indicator": {"type": "text"},
    }
    assert is_read_receipt(receipt)
    assert check_read_receipt(receipt) == ()
    assert list(problems(receipt)) == ["/status"]
    assert [p.pointer for p in check_read_receipt({"status": "read", "message_id": ""})] == [
        "/messaging_product",
        "/message_id",
    ]
    assert not is_read_receipt(text(TO, "x"))


def test_the_builders_make_what_check_takes():
    assert problems(text(TO, "see https://example.com", preview_url=True)) == {}
    message, found = check(template(TO, "order_ready", "en_US", ["Asha", "77"]))
    assert found == ()
    assert message is not None
    assert (message.template, message.language) == ("order_ready", "en_US")
    values = message.payload["template"]["components"][0]["parameters"]
    assert [value["text"] for value in values] == ["Asha", "77"]
    assert "components" not in template(TO, "hello_world", "en_US")["template"]


def test_problems_never_repeat_what_was_typed():
    for body in (text("98765abc43210", "secret words" * 400), {**text(TO, "x"), "type": "secret words"}):
        _, found = check(body)
        assert found
        assert not any("secret" in p.message or "98765" in p.message for p in found)


KEYS = """text template interactive image to type body components parameters name action buttons sections rows
cards carousel button header contacts pin location reaction sub_type index link id language code whatsapp flow
list product_list cta_url order_details sticker audio latitude recipient_type"""
WORDS = st.sampled_from(KEYS.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(ANYTHING)
def test_no_json_makes_it_raise(body):
    message, found = check(body)
    assert (message is None) == bool(found)
    assert all(isinstance(p, Problem) and p.message for p in found)


@given(WORDS, WORDS, ANYTHING)
def test_no_content_makes_it_raise(kind, sub_type, content):
    if isinstance(content, dict):
        content = {**content, "type": sub_type}
    message, found = check({"messaging_product": "whatsapp", "to": TO, "type": kind, kind: content})
    assert (message is None) == bool(found)
