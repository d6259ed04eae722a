"""Reading what Business Manager and Meta's API give as definitions of templates."""

import json
from typing import Any

import pytest
from definitions import BODY, FOOTER, HEADER, REPLY, buttons, definition
from hypothesis import given
from hypothesis import strategies as st

from sender.payload_definition import NotDefinitions, named, read_definitions, shape, texts, variables

AT = 1_763_700_000


@pytest.mark.parametrize("wrapped", [lambda one: {"data": [one]}, lambda one: [one], lambda one: one])
def test_all_three_forms_are_read(wrapped: Any) -> None:
    given = definition(
        "order_ready", "en_US", BODY, quality_score={"score": "GREEN", "date": 1}, rejected_reason="NONE"
    )
    read = read_definitions(wrapped(given), AT, "W1")
    assert (read.templates, read.unusable, read.more) == (1, (), False)
    assert {(one.about, one.value) for one in read.words} == {
        ("components", json.dumps([BODY], sort_keys=True, separators=(",", ":"))),
        ("status", "APPROVED"),
        ("category", "UTILITY"),
        ("quality", "GREEN"),
    }
    assert {(one.waba_id, one.name, one.language, one.occurred_at, one.source) for one in read.words} == {
        ("W1", "order_ready", "en_US", AT, "person")
    }


def test_the_reason_of_a_rejection_is_kept() -> None:
    read = read_definitions(definition(status="REJECTED", rejected_reason="INVALID_FORMAT"), AT)
    assert [one.reason for one in read.words if one.about == "status"] == ["INVALID_FORMAT"]


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        ("text", "it is no JSON object"),
        ({**definition(), "name": ""}, "`name`"),
        ({**definition(), "language": {"code": "en"}}, "`language`"),
        ({**definition(), "status": 5}, "`status`"),
        ({**definition(), "components": None}, "`components`"),
        ({**definition(), "components": ["x"]}, "`components`"),
        (definition("a\0"), "cannot be stored"),
        (definition("a", "en", {"type": "BODY", "text": "\ud800"}), "cannot be stored"),
        (definition("a", "en", {"type": "BODY", "text": float("nan")}), "cannot be stored"),
    ],
)
def test_each_that_cannot_be_used_has_its_sentence_and_the_others_are_read(one: Any, fault: str) -> None:
    read = read_definitions({"data": [one, definition()], "paging": {"next": "https://example.com"}}, AT)
    (sentence,) = read.unusable
    assert sentence.startswith("Template 1 of 2 cannot be used: ")
    assert fault in sentence
    assert (read.templates, read.more) == (1, True)


@pytest.mark.parametrize("tree", [None, 5, "text", {"data": 5}])
def test_what_is_no_list_of_templates_is_said_to_be_so(tree: Any) -> None:
    with pytest.raises(NotDefinitions):
        read_definitions(tree, AT)


def test_variables_are_counted_once_and_in_order() -> None:
    assert variables("{{1}} and {{ 2 }} and {{1}}") == ("1", "2")
    assert variables("{{first_name}} {not} {{}} {{a-b}}") == ("first_name",)
    assert named(("first_name",))
    assert not named(("1", "2"))
    assert not named(())


def test_a_definition_is_shown_in_words() -> None:
    shown = list(texts([HEADER, BODY, FOOTER, buttons(REPLY), {"type": "HEADER", "format": "IMAGE"}]))
    assert shown[0] == ("header", "Order {{1}}")
    assert ("button", "quick_reply: Stop") in shown
    assert shown[-1] == ("header", "image")


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["name", "language", "components", "data", "type", "text", "buttons", "cards"]
                ),
                inner,
            )
        ),
    )
)
def test_no_json_makes_it_raise_anything_else(tree: Any) -> None:  # fmt: skip
    try:
        read = read_definitions(tree, AT)
    except NotDefinitions:
        return
    for one in read.words:
        if one.about == "components":
            shape(json.loads(one.value))
            list(texts(json.loads(one.value)))
