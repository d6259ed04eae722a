"""Bodies without one person: nothing of them is left, all others' parts say what they said."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payload_samples import RECEIVED_AT, SAMPLES, TIME, envelope, status, value

from receiver.payload import parse
from receiver.payload_erased import body_without, data_without, part_without
from whatsapp.erased import erased_on
from whatsapp.person import Person

WHO, USER, OTHER = "4915123456789", "DE.8837261500912345", "15550000002"
PERSON = Person(frozenset({WHO, USER}), frozenset(), b"secret", "2026-11-27")
NUMBERS = st.sampled_from(["919876543210", "4915123456789", "15550000002", "6591234567", "5215512345678"])
BETWEEN = st.sampled_from(["", " ", "-", ".", " - ", ") ", "\u00a0", "\u2011", "/", "(", "\u200e"])
STAND_IN = re.compile(r"erased-2026-11-27-[0-9a-f]+|[A-Z]{2}\.erased20261127x[0-9a-f]+")


def wamid(who: str, tail: str = "00000000000000000A") -> str:
    record = b"\x1c\x18" + bytes([len(who[:16])]) + who.encode()[:16]
    return (
        "wamid." + base64.b64encode(record + b"\x15\x02\x00\x11\x18\x12" + tail.encode() + b"\x00").decode()
    )


def without(*changes: Any) -> Any:
    found = body_without(PERSON, json.dumps(envelope(*changes)).encode())
    assert not found.names
    assert found.body is not None
    return json.loads(found.body)["entry"][0]["changes"]


def messages(**parts: Any) -> dict[str, Any]:
    return {"field": "messages", "value": value(**parts)}


def test_a_status_keeps_word_time_price_and_our_own_id_only():
    mine = status(
        wamid(WHO),
        recipient_id=WHO,
        recipient_user_id=USER,
        biz_opaque_callback_data="0197a0b1-c2d3-7000-8000-000000000001:for Ravi",
        pricing={"billable": True},
        something={"name": "Ravi"},
    )
    (change,) = without(messages(statuses=[mine], contacts=[{"wa_id": WHO, "profile": {"name": "Ravi"}}]))
    (left,) = change["value"]["statuses"]
    assert erased_on(left.pop("id")) == erased_on(left.pop("recipient_id")) == "2026-11-27"
    assert left.pop("recipient_user_id").startswith("DE.erased")
    assert left == {
        "status": "sent",
        "timestamp": str(TIME),
        "biz_opaque_callback_data": "0197a0b1-c2d3-7000-8000-000000000001",
        "pricing": {"billable": True},
    }
    assert change["value"]["contacts"] == [{"wa_id": PERSON.name(WHO)}]


def test_a_message_of_theirs_keeps_its_type_and_time_only():
    sent = {"id": wamid(WHO), "from": WHO, "timestamp": str(TIME), "type": "text", "text": {"body": "secret"}}
    (change,) = without(messages(messages=[sent]))
    (left,) = change["value"]["messages"]
    assert left == {
        "id": PERSON.message(wamid(WHO)),
        "from": PERSON.name(WHO),
        "timestamp": str(TIME),
        "type": "text",
    }


def test_others_in_the_same_body_say_the_same():
    others = [
        status(
            wamid(OTHER), recipient_id=OTHER, biz_opaque_callback_data="x", extra={"deep": [1, 2.5, None]}
        ),
        {"no": "id"},
    ]
    wrote = {
        "id": "wamid.B",
        "from": OTHER,
        "timestamp": str(TIME),
        "type": "text",
        "text": {"body": "né 😀"},
    }
    alone = envelope(messages(statuses=others, messages=[wrote]))
    mine = [status(wamid(WHO), recipient_id=WHO)]
    both = envelope(messages(statuses=others + mine, messages=[wrote]))
    body = body_without(PERSON, json.dumps(both).encode()).body
    assert body is not None
    found, expected = parse(body, RECEIVED_AT), parse(json.dumps(alone).encode(), RECEIVED_AT)
    assert found.updates[:1] == expected.updates
    assert found.inbound == expected.inbound
    assert found.quarantined == expected.quarantined


def test_an_opt_out_is_heard_no_more():
    said = {"wa_id": WHO, "category": "marketing_messages", "value": "stop", "timestamp": TIME}
    change = {"field": "user_preferences", "value": value(user_preferences=[said])}
    body = body_without(PERSON, json.dumps(envelope(change)).encode()).body
    assert body is not None
    assert parse(body, RECEIVED_AT).preferences == ()


def test_times_and_our_own_numbers_are_never_taken_for_a_phone():
    """Without its country code a German mobile number can look like a time in seconds."""
    person = Person(frozenset({f"49{TIME}"}), frozenset(), b"secret", "2026-11-27")
    body = json.dumps(envelope(messages(statuses=[status(wamid(OTHER), recipient_id=OTHER)]))).encode()
    assert body_without(person, body).body is None


def test_a_second_name_and_an_id_that_encodes_nothing_are_learnt():
    told = envelope(
        messages(
            contacts=[{"wa_id": WHO, "user_id": "DE.1"}],
            statuses=[status("opaque", recipient_id=WHO)],
        )
    )
    person = Person(frozenset({WHO}), frozenset(), b"secret", "2026-11-27")
    found = body_without(person, json.dumps(told).encode())
    assert (found.names, found.wamids) == ({"DE.1"}, {"opaque"})


def test_a_body_that_is_no_json_loses_them_as_well():
    found = body_without(PERSON, b"\xff call 0049 151 23456789 or 015123456789 " + wamid(WHO).encode())
    assert found.body is not None
    assert found.body.startswith(b"\xff call erased-")
    assert b"151" not in found.body
    assert b"wamid" not in found.body


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*.json")))
def test_bodies_about_others_stay_byte_for_byte(name: str):
    assert body_without(PERSON, (Path(SAMPLES) / name).read_bytes()).body is None


def test_our_id_stays_of_callback_data_and_nothing_else():
    assert data_without("0197a0b1-c2d3-7000-8000-000000000001:x") == "0197a0b1-c2d3-7000-8000-000000000001"
    assert data_without("Ravi") == ""


@given(number=NUMBERS, data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_number_is_found_in_any_spelling(number: str, data: st.DataObject):
    person = Person(frozenset({number}), frozenset(), b"secret", "2026-11-27")
    spelled = data.draw(st.sampled_from(["", "+", "00"])) + "".join(
        data.draw(st.sampled_from([digit, chr(0x660 + int(digit)), chr(0x966 + int(digit))]))
        + data.draw(BETWEEN)
        for digit in number
    )
    before, after = data.draw(st.sampled_from([("", ""), ("call ", "!"), ('"', '"'), ("tel:", ";x")]))
    found = part_without(person, before + spelled + after)
    assert found.startswith(before)
    assert found.endswith(after)
    assert not any(sign.isdecimal() for sign in STAND_IN.sub("", found))


@given(number=NUMBERS, tail=st.text("0123456789ABCDEF", min_size=18, max_size=18))
@settings(max_examples=100, deadline=None)
def test_what_encodes_a_name_is_known_and_what_encodes_another_is_not(number: str, tail: str):
    person = Person(frozenset({number}), frozenset(), b"secret", "2026-11-27")
    assert person.wrote_or_got(wamid(number, tail))
    assert not person.wrote_or_got(wamid("9" + number, tail))
    assert part_without(person, f"see {wamid(number, tail)} there").startswith("see erased-2026-11-27-")
    twice = person.text(person.text(wamid(number, tail)))
    assert twice == person.message(wamid(number, tail))
