"""Reading bodies that JSON readers quarrel about, and writing texts that equal values share."""

import json

import pytest
from payload_samples import RECEIVED_AT, assert_storable, envelope, status, value

from receiver import payload_json
from receiver.payload import parse
from receiver.payload_json import DEEPEST, Unreadable, canonical, canonical_often, read, tidied


def with_raw_status(raw: str) -> bytes:
    """A body whose one status has `raw` among its members, byte for byte."""
    body = json.dumps(envelope({"field": "messages", "value": value(statuses=[status(mark=1)])}))
    return body.replace('"mark": 1', raw).encode()


@pytest.mark.parametrize("body", [b"<html>", b'{"entry":[', b"\xff\xfe\x00", b"{}{}", b"'x'"])
def test_what_is_no_json_is_set_aside_whole(body: bytes) -> None:
    (part,) = parse(body, RECEIVED_AT).quarantined
    assert (part.pointer, part.reason, part.part) == ("", "The body is not JSON.", "")


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_body_is_set_aside_as_empty(body: bytes) -> None:
    (part,) = parse(body, RECEIVED_AT).quarantined
    assert (part.pointer, part.reason) == ("", "The body is empty.")


def test_half_an_emoji_becomes_a_replacement_character() -> None:
    outcome = parse(with_raw_status(r'"biz_opaque_callback_data": "a\ud83db"'), RECEIVED_AT)
    assert outcome.updates[0].callback_data == "a\ufffdb"


def test_a_whole_emoji_stays_as_it_is() -> None:
    outcome = parse(with_raw_status(r'"biz_opaque_callback_data": "\ud83d\udce6"'), RECEIVED_AT)
    assert outcome.updates[0].callback_data == "📦"


def test_nul_becomes_a_replacement_character_in_values_and_keys() -> None:
    outcome = parse(with_raw_status(r'"a\u0000": {"b": ["\u0000"]}, "recipient_id": "9\u00001"'), RECEIVED_AT)
    (update,) = outcome.updates
    assert update.recipient_id == "9\ufffd1"
    assert update.rest == '{"a\ufffd":{"b":["\ufffd"]}}'


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
def test_numbers_that_json_cannot_say_become_null(number: str) -> None:
    (update,) = parse(with_raw_status(f'"odd": [{number}, 1]'), RECEIVED_AT).updates
    assert update.rest == '{"odd":[null,1]}'


def test_a_number_of_five_thousand_digits_costs_nothing() -> None:
    (update,) = parse(with_raw_status(f'"odd": {"9" * 5000}'), RECEIVED_AT).updates
    assert update.rest == f'{{"odd":"{"9" * 5000}"}}'


def test_a_number_of_thirty_digits_stays_exact() -> None:
    (update,) = parse(with_raw_status(f'"odd": {10**30 + 1}'), RECEIVED_AT).updates
    assert update.rest == f'{{"odd":{10**30 + 1}}}'


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-be"])
def test_other_encodings_and_byte_order_marks_are_read(encoding: str) -> None:
    body = json.dumps(envelope({"field": "messages", "value": value(statuses=[status()])})).encode(encoding)
    assert [update.wamid for update in parse(body, RECEIVED_AT).updates] == ["wamid.A"]


@pytest.mark.parametrize("depth", [100, DEEPEST + 5, 300, 600])
def test_deep_nesting_costs_neither_the_status_nor_its_siblings(depth: int) -> None:
    deep = "[" * depth + '"\\u0000"' + "]" * depth
    (update,) = parse(with_raw_status(f'"deep": {deep}'), RECEIVED_AT).updates
    assert update.rest is not None
    found, levels = json.loads(update.rest)["deep"], 0
    while not isinstance(found, str) or found.startswith("["):
        found, levels = (json.loads(found), levels) if isinstance(found, str) else (found[0], levels + 1)
    assert (found, levels) == ("\ufffd", depth)


def test_ten_thousand_levels_are_set_aside_when_no_reader_takes_them() -> None:
    outcome = parse(b"[" * 100_000 + b"]" * 100_000, RECEIVED_AT)
    (part,) = outcome.quarantined
    assert part.reason in {"The body is nested too deeply to be read.", "The body is not JSON."}


def test_a_deep_value_is_written_like_a_shallow_one() -> None:
    inner = {"b": [1, "x", {"d": None, "c": []}], "a": {}, "e": [True, 1.5]}
    tree: object = inner
    for _ in range(DEEPEST):
        tree = [tree]
    tidy = tidied(tree)
    for _ in range(DEEPEST):
        tidy = tidy[0]
    assert tidy == canonical(inner)


def test_equal_values_share_one_text() -> None:
    assert canonical({"b": 1, "a": {"d": "é", "c": [1.5]}}) == '{"a":{"c":[1.5],"d":"é"},"b":1}'


def test_the_memory_of_texts_tells_true_from_one() -> None:
    likes = [{"x": True}, {"x": 1}, {"x": 1.0}, {"x": "1"}]
    assert [canonical_often(like) for like in likes * 2] == [canonical(like) for like in likes * 2]


def test_the_memory_of_texts_does_not_grow_for_ever() -> None:
    for number in range(3000):
        assert canonical_often({"n": number}) == f'{{"n":{number}}}'
    assert len(payload_json._SEEN) <= payload_json._SEEN_MOST


def test_the_reader_raises_one_kind_of_finding_only() -> None:
    with pytest.raises(Unreadable):
        read(b"\x00\x01")


def test_members_that_come_twice_are_read_as_the_last() -> None:
    (update,) = parse(with_raw_status('"status": "read"'), RECEIVED_AT).updates
    assert update.status == "read"


def test_no_text_of_an_odd_body_is_refused_by_a_database() -> None:
    odd = {"\ud800": "\0", "a": [float("nan"), "\udfff"]}
    body = json.dumps(envelope({"field": "\0", "value": odd}, {"field": "messages", "value": odd}))
    outcome = parse(body.encode(), RECEIVED_AT)
    assert len(outcome.events) == 2
    assert_storable(outcome)
