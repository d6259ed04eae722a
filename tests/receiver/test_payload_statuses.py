"""Statuses of messages: what is taken, into which column, and what alone goes to quarantine."""

import json
from typing import Any

import pytest
from payload_samples import NUMBER, RECEIVED_AT, TIME, assert_storable, sample, status, with_value

from store.records import StatusUpdate


def one(**parts: Any) -> StatusUpdate:
    outcome = with_value(statuses=[status(**parts)])
    assert_storable(outcome)
    (update,) = outcome.updates
    assert not outcome.quarantined
    return update


def test_a_sent_status_fills_its_columns_and_keeps_the_conversation() -> None:
    (update,) = sample("sent").updates
    assert (update.status, update.occurred_at, update.participant, update.error_codes) == (
        "sent",
        TIME,
        "",
        "",
    )
    assert (update.phone_number_id, update.recipient_id) == (NUMBER, "919000000001")
    assert update.pricing == '{"billable":true,"category":"utility","pricing_model":"PMP","type":"regular"}'
    assert json.loads(update.rest or "")["conversation"]["origin"] == {"type": "utility"}
    assert update.errors is None


def test_callback_data_comes_back_as_it_came() -> None:
    (update,) = sample("delivered-with-callback-data").updates
    assert update.callback_data == "0199a0de-0000-7000-8000-000000000001:order-77"
    assert update.rest is None


@pytest.mark.parametrize(("name", "word"), [("read-without-delivered", "read"), ("played", "played")])
def test_read_and_played_are_taken_without_a_delivery(name: str, word: str) -> None:
    assert [update.status for update in sample(name).updates] == [word]


def test_a_failure_keeps_its_code_and_the_whole_error() -> None:
    (update,) = sample("failed-undeliverable").updates
    assert update.error_codes == "131026"
    assert json.loads(update.errors or "")[0]["error_data"]["details"] == "Message undeliverable."


def test_two_errors_keep_their_order_whether_code_is_number_or_text() -> None:
    (update,) = sample("failed-with-two-errors").updates
    assert update.error_codes == "131053,131052"


@pytest.mark.parametrize(
    ("errors", "codes", "kept"),
    [
        (None, "", None),
        ([], "", None),
        ({"code": 470, "title": "t"}, "470", '[{"code":470,"title":"t"}]'),
        ([{"title": "no code"}], "?", '[{"title":"no code"}]'),
        (["boom", None, {"code": 1}], "?,?,1", '["boom",null,{"code":1}]'),
        ("boom", "?", '["boom"]'),
        ([{"code": True}, {"code": 131000.0}, {"code": " 5 "}], "?,131000,5", None),
        ([{"code": 10**40}, {"code": "<ERROR_CODE>"}], "?,<ERROR_CODE>", None),
    ],
)
def test_errors_of_any_form_are_kept(errors: Any, codes: str, kept: str | None) -> None:
    update = one(errors=errors)
    assert update.error_codes == codes
    if kept is not None or not errors:
        assert update.errors == kept


def test_a_hundred_errors_make_a_short_key_and_a_whole_text() -> None:
    update = one(errors=[{"code": number} for number in range(100)])
    assert update.error_codes.endswith("15,…")
    assert len(json.loads(update.errors or "")) == 100


def test_a_recipient_known_by_user_id_only_is_taken() -> None:
    (update,) = sample("recipient-known-by-user-id-only").updates
    assert (update.recipient_id, update.recipient_user_id) == (None, "IN.10000000000000000001")
    assert update.rest == '{"parent_recipient_user_id":"IN.ENT.1001"}'


def test_the_only_contact_lends_its_user_id_to_the_status_of_the_same_number() -> None:
    (update,) = sample("user-id-in-the-contact-only").updates
    assert update.recipient_user_id == "IN.10000000000000000001"


@pytest.mark.parametrize(
    "contacts",
    [
        [{"wa_id": "2", "user_id": "IN.2"}],
        [{"wa_id": "1", "user_id": "IN.1"}, {"wa_id": "2", "user_id": "IN.2"}],
        [{"wa_id": "1"}],
        ["1"],
        "1",
        None,
    ],
)
def test_a_contact_that_is_not_surely_the_recipient_lends_nothing(contacts: Any) -> None:
    (update,) = with_value(contacts=contacts, statuses=[status(recipient_id="1")]).updates
    assert update.recipient_user_id is None


def test_a_status_with_its_own_user_id_keeps_it() -> None:
    contact = {"wa_id": "1", "user_id": "IN.1"}
    item = status(recipient_id="1", recipient_user_id="IN.9")
    (update,) = with_value(contacts=[contact], statuses=[item]).updates
    assert update.recipient_user_id == "IN.9"


def test_each_member_of_a_group_is_told_apart_in_every_spelling() -> None:
    updates = sample("group-delivered-to-three").updates
    assert [update.participant for update in updates] == ["919000000001", "919000000002", "IN.3"]
    assert {update.wamid for update in updates} == {updates[0].wamid}
    assert json.loads(updates[0].rest or "") == {
        "recipient_participant_user_id": "IN.1",
        "recipient_type": "group",
    }


def test_a_group_status_without_participant_is_about_the_group() -> None:
    assert one(recipient_id="GROUP1", recipient_type="group", recipient_participant_id=None).participant == ""


@pytest.mark.parametrize(
    "key", ["recipient_parent_user_id", "parent_recipient_user_id", "parent_user_id", "tomorrow"]
)
def test_keys_without_a_column_stay_in_the_rest(key: str) -> None:
    assert one(**{key: {"b": 1, "a": 2}}).rest == f'{{"{key}":{{"a":2,"b":1}}}}'


def test_the_old_form_is_an_ordinary_status() -> None:
    (update,) = sample("old-form-with-type-message").updates
    assert (update.occurred_at, update.recipient_id) == (TIME, "919000000001")
    assert json.loads(update.rest or "") == {
        "message": {"recipient_id": "919000000001"},
        "type": "message",
    }


def test_an_unknown_word_is_kept_as_it_is() -> None:
    (update,) = sample("unknown-status-word").updates
    assert update.status == "teleported"


@pytest.mark.parametrize(
    ("key", "odd"),
    [
        ("recipient_id", True),
        ("recipient_id", {"x": 1}),
        ("recipient_user_id", ["x"]),
        ("recipient_id", "9" * 300),
        ("pricing", "free"),
        ("biz_opaque_callback_data", {"x": 1}),
        ("recipient_participant_id", ["x"]),
    ],
)
def test_a_value_of_the_wrong_type_moves_to_the_rest(key: str, odd: Any) -> None:
    update = one(**{key: odd})
    assert json.loads(update.rest or "") == {key: odd}


def test_billable_as_text_stays_as_it_came() -> None:
    assert one(pricing={"billable": "true"}).pricing == '{"billable":"true"}'


@pytest.mark.parametrize("stamp", [TIME, str(TIME), float(TIME)])
def test_a_timestamp_may_be_text_or_a_whole_number(stamp: Any) -> None:
    assert one(timestamp=stamp).occurred_at == TIME


@pytest.mark.parametrize("stamp", [1_230_768_000, int(RECEIVED_AT) + 86_400])
def test_a_timestamp_at_either_bound_is_taken(stamp: int) -> None:
    assert one(timestamp=str(stamp)).occurred_at == stamp


BAD_TIMES = [
    "WEBHOOK_TRIGGER_TIMESTAMP",
    "",
    None,
    True,
    TIME + 0.5,
    f"{TIME}.0",
    f"-{TIME}",
    f" {TIME}",
    "²",
    "1" * 5000,
    1_230_767_999,
    int(RECEIVED_AT) + 86_401,
    TIME * 1000,
    10**400,
    [TIME],
    {"t": TIME},
]


@pytest.mark.parametrize("stamp", BAD_TIMES)
def test_a_timestamp_that_is_none_sets_that_status_aside_alone(stamp: Any) -> None:
    outcome = with_value(statuses=[status("wamid.good"), status("wamid.bad", timestamp=stamp)])
    assert [update.wamid for update in outcome.updates] == ["wamid.good"]
    (part,) = outcome.quarantined
    assert part.pointer == "/entry/0/changes/0/value/statuses/1"
    assert "timestamp" in part.reason
    assert json.loads(part.part)["id"] == "wamid.bad"
    assert_storable(outcome)


@pytest.mark.parametrize("wamid", [None, "", 7, ["x"], {}, "w" * 513, "é" * 257])
def test_a_status_without_a_usable_id_is_set_aside(wamid: Any) -> None:
    outcome = with_value(statuses=[{**status(), "id": wamid}, status("wamid.good")])
    assert [update.wamid for update in outcome.updates] == ["wamid.good"]
    assert [part.pointer for part in outcome.quarantined] == ["/entry/0/changes/0/value/statuses/0"]


@pytest.mark.parametrize("wamid", ["x", "w" * 512, "a b+/=", "XXXXXXXX"])
def test_an_id_needs_no_known_form(wamid: str) -> None:
    assert with_value(statuses=[status(wamid)]).updates[0].wamid == wamid


@pytest.mark.parametrize("word", [None, "", " ", 3, ["sent"], "x" * 65])
def test_a_status_without_a_usable_word_is_set_aside(word: Any) -> None:
    outcome = with_value(statuses=[{**status(), "status": word}, status("wamid.good")])
    assert [update.wamid for update in outcome.updates] == ["wamid.good"]
    assert len(outcome.quarantined) == 1


def test_a_participant_of_absurd_length_is_set_aside_and_not_mixed_with_the_group() -> None:
    outcome = with_value(statuses=[status(recipient_participant_id="9" * 300)])
    assert (len(outcome.updates), len(outcome.quarantined)) == (0, 1)


def test_reasons_repeat_nothing_of_the_content() -> None:
    outcome = with_value(
        statuses=[status("wamid.SECRET", timestamp="secret"), {"status": "secret"}, "secret"]
    )
    assert len(outcome.quarantined) == 3
    assert not any("secret" in (part.reason + part.pointer).lower() for part in outcome.quarantined)
