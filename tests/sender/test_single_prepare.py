"""From a caller's payload to a row: what leaves, what is remembered, and what is refused before it exists."""

import hashlib
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.message_id import message_id
from sender.payload_build import template, text
from sender.prepare import Refused, prepare
from store.records import NewSend
from whatsapp import callback_data

NUMBER, NOW = "106540352242922", 1_800_000_000.0
ID = message_id(NOW, bytes(10))


def prepared(body: object, number: str = NUMBER, **more: object) -> NewSend:
    return prepare(body, phone_number_id=number, message_id=ID, now=NOW, **more)  # type: ignore[arg-type]


@given(st.floats(0, 2**37), st.binary(min_size=10, max_size=10))
def test_a_message_id_is_a_canonical_uuid_of_version_7_that_begins_with_its_time(now: float, chance: bytes):
    made = message_id(now, chance)
    read = uuid.UUID(made)
    assert str(read) == made
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert read.int >> 80 == int(now * 1000)
    assert callback_data.split(made) == (made, None)


def test_ids_sort_by_their_time():
    made = [message_id(NOW + n / 1000, bytes([255 - n]) * 10) for n in range(50)]
    assert sorted(made) == made


def test_what_leaves_is_the_callers_body_with_our_id_in_it():
    body = {**text("+91 98765 43210", "Grüße"), "biz_opaque_callback_data": "order-77"}
    new = prepared(body, reference="r", idempotency_key="k")
    assert json.loads(new.payload) == {
        **body,
        "to": "+919876543210",
        "biz_opaque_callback_data": f"{ID}:order-77",
    }
    assert "Grüße".encode() in new.payload
    assert (new.recipient, new.recipient_typed) == ("919876543210", "+91 98765 43210")
    assert (new.callback_data, new.reference, new.idempotency_key) == ("order-77", "r", "k")


def test_the_digest_knows_the_body_and_the_number_but_no_order_of_fields():
    body = text("+919876543210", "Hello")
    turned = dict(reversed(body.items()))
    digests = {prepared(one).payload_digest for one in (body, turned)}
    assert len(digests) == 1
    assert len(digests.pop()) == hashlib.sha256().digest_size
    others = {
        prepared(body).payload_digest,
        prepared(text("+919876543210", "hello")).payload_digest,
        prepared(body, "106540352242933").payload_digest,
    }
    assert len(others) == 3


def test_a_message_is_valid_for_a_day_and_a_code_for_ten_minutes():
    body = template("+919876543210", "login", "en", ["1234"])
    assert prepared(body).expires_at == NOW + 86_400
    assert prepared(body, category="AUTHENTICATION").expires_at == NOW + 600
    assert prepared(body, category="AUTHENTICATION", valid_for=5.0).expires_at == NOW + 5
    assert (prepared(body).template, prepared(body).language) == ("login", "en")


@pytest.mark.parametrize("typed", ["+919876543210", "+91 98765 43210", "98765 43210", "(0)98765-43210"])
def test_a_phone_number_as_sender_is_explained(typed: str):
    with pytest.raises(Refused) as refused:
        prepared(text("+919876543210", "Hello"), typed)
    assert "this is a phone number" in str(refused.value)
    assert "WhatsApp Manager" in str(refused.value)
    assert [one.pointer for one in refused.value.problems] == ["/phone_number_id"]


@pytest.mark.parametrize("typed", ["", "my number", "10654035224292x", "٣٤٥٦٧٨", "106540352242922\n"])
def test_what_is_no_phone_number_id_is_explained(typed: str):
    with pytest.raises(Refused) as refused:
        prepared(text("+919876543210", "Hello"), typed)
    assert "PHONE_NUMBER_ID" in str(refused.value)


def test_every_problem_is_told_at_once_in_one_line():
    with pytest.raises(Refused) as refused:
        prepared(
            {**text("12", ""), "biz_opaque_callback_data": "x" * 500}, "+91", valid_for=-1.0, reference=""
        )
    pointers = {one.pointer for one in refused.value.problems}
    assert pointers >= {
        "/phone_number_id",
        "/to",
        "/text/body",
        "/biz_opaque_callback_data",
        "/valid_for",
        "/reference",
    }
    assert "\n" not in str(refused.value)


def test_the_callers_callback_data_fits_beside_our_id_up_to_metas_limit():
    room = callback_data.LIMIT - len(ID) - 1
    fits = prepared({**text("+919876543210", "Hello"), "biz_opaque_callback_data": "x" * room})
    assert len(json.loads(fits.payload)["biz_opaque_callback_data"]) == callback_data.LIMIT
    with pytest.raises(Refused):
        prepared({**text("+919876543210", "Hello"), "biz_opaque_callback_data": "x" * (room + 1)})
