"""Reading answers: Meta's, Kaleyra's, other providers', and what is no answer at all."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.errors import Answer, read_answer

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "responses"
BAD_KEY = {
    "code": "RBC201",
    "message": "Incorrect SID or API key.",
    "data": [],
    "error": {"body": "Incorrect SID or API key."},
}


def read(body: Any, http_status: int = 400) -> Answer:
    return read_answer(http_status, json.dumps(body).encode())


def test_an_acceptance_is_read_with_its_ids():
    answer = read(
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": "+1", "wa_id": "1", "user_id": "US.1"}],
            "messages": [{"id": "wamid.A+/=", "message_status": "accepted"}],
        },
        200,
    )
    assert answer == Answer(200, True, False, "wamid.A+/=", "accepted", "1", "US.1", None)


def test_metas_error_is_read_whole():
    error = read(
        {
            "error": {
                "message": "(#131030) Recipient phone number not in allowed list",
                "type": "OAuthException",
                "code": 131030,
                "error_subcode": 2494010,
                "error_data": {"messaging_product": "whatsapp", "details": "Agrega el número"},
                "fbtrace_id": "A4y",
                "is_transient": False,
            }
        }
    ).error
    assert error is not None
    assert (error.source, error.code, error.subcode, error.is_transient) == ("meta", 131030, 2494010, False)
    assert (error.title, error.details) == ("Recipient phone number not in allowed list", "Agrega el número")
    assert error.fbtrace_id == "A4y"
    assert json.loads(error.raw)["error_subcode"] == 2494010


@pytest.mark.parametrize(
    ("error_data", "details"),
    [(None, None), ({}, None), ("bare words", "bare words"), ({"details": 5}, None), ([], None)],
)
def test_error_data_may_have_any_shape(error_data, details):
    error = read({"error": {"code": 100, "message": "m", "error_data": error_data}}).error
    assert error is not None
    assert (error.code, error.details) == (100, details)


def test_kaleyras_own_error_has_its_code_at_the_top():
    error = read(BAD_KEY, 401).error
    assert error is not None
    assert (error.source, error.code, error.title) == ("wrapper", "RBC201", "Incorrect SID or API key.")


def test_other_shapes_of_kaleyra_and_providers_are_understood():
    nested = {"whatsappApiError": {"code": "131056", "error_subcode": "2494071", "message": "m"}}
    cases: list[tuple[Any, Any]] = [
        ({"error": {"code": "E110", "message": "Balance low"}}, ("wrapper", "E110", "Balance low")),
        ({"error": {"body": "Something"}}, ("wrapper", None, "Something")),
        ({"error": "invalid_client"}, ("wrapper", None, "invalid_client")),
        ({"error": {"code": "TOO_MANY_REQUESTS", **nested}}, ("meta", 131056, "m")),
        ({"meta": {"success": False, "developerMessage": "Bad key"}}, ("wrapper", None, "Bad key")),
        ({"errors": [{"code": 1013, "title": "Not valid"}]}, ("meta", 1013, "Not valid")),
        ({"error": {"code": 131030.0}}, ("meta", 131030, None)),
        ({"error": {"code": True}}, ("wrapper", None, None)),
        ({"error": {"message": "m", "fbtrace_id": "A"}}, ("meta", None, "m")),
        ({"error": {"message": "(#100) "}}, ("wrapper", None, "(#100) ")),
    ]
    for body, expected in cases:
        error = read(body).error
        assert error is not None
        assert (error.source, error.code, error.title) == expected


@pytest.mark.parametrize("body", [{}, {"success": True}, {"error": None}, {"error": []}, {"messages": [{}]}])
def test_json_that_says_nothing_is_readable_and_empty(body):
    assert read(body, 200) == Answer(200, readable=True)


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        (b"", False),
        (b"<html>502 Bad Gateway</html>", False),
        (b'{"messages":[{"id":"wamid.A', True),
        (b"[" * 100_000, True),
        (b'"words"', False),
        (b"\xff\xfe\x00", False),
        (b"[]", True),
    ],
)
def test_what_is_no_json_object_is_unreadable(body, cut):
    assert read_answer(502, body) == Answer(502, readable=False, cut=cut)


def test_nul_and_lone_surrogates_are_replaced_in_what_is_kept():
    body = (
        b'{"error":{"code":100,"message":"a\\u0000b","error_data":{"details":"half \\ud83d"},"x":"\\u0000"}}'
    )
    error = read_answer(400, body).error
    assert error is not None
    assert (error.title, error.details) == ("a\ufffdb", "half \ufffd")
    assert json.loads(error.raw)["x"] == "\ufffd"
    assert "\\u0000" not in error.raw


def test_a_backslash_before_u0000_is_no_nul():
    error = read({"error": {"code": 100, "message": "a\\u0000b"}}).error
    assert error is not None
    assert json.loads(error.raw)["message"] == "a\\u0000b"


@pytest.mark.parametrize("wamid", ["", "a\0b", "half \ud83d", "x" * 513, 5, None])
def test_an_id_that_could_not_be_joined_is_none(wamid):
    assert read({"messages": [{"id": wamid}]}, 200).wamid is None


def test_a_byte_order_mark_and_bad_utf8_do_no_harm():
    assert read_answer(200, b'\xef\xbb\xbf{"messages":[{"id":"w"}]}').wamid == "w"
    assert read_answer(200, b'{"messages":[{"id":"w"}],"x":"\xff"}').wamid == "w"


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: f'{{"error":{text}'.encode()))
def test_no_bytes_make_it_raise(body):
    assert isinstance(read_answer(200, body), Answer)


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "code", "message", "messages", "contacts", "id", "error_data", "details", "meta"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(SHAPES)
def test_no_json_makes_it_raise(body):
    error = read(body).error
    if error is not None and error.raw:
        assert isinstance(json.loads(error.raw), dict)
        error.raw.encode()


if CORPUS.is_dir():

    def test_every_gathered_answer_says_either_a_wamid_or_an_error():
        files = sorted(CORPUS.glob("*.json"))
        for path in files:
            case = json.loads(path.read_text("utf-8"))
            answer = read(case["payload"], case["http_status"] or 200)
            assert answer.readable, path.name
            assert (answer.wamid is None) != (answer.error is None), path.name
        assert len(files) > 50
