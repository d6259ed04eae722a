"""What is neither a message's status nor an inbound message: kept whole, under its field and kind."""

import json
from typing import Any

import pytest
from payload_samples import NUMBER, TIME, envelope, message, parsed, sample, status, value, with_value

from store.records import AccountEvent


def one(name: str) -> AccountEvent:
    outcome = sample(name)
    assert not outcome.updates
    assert not outcome.inbound
    assert not outcome.quarantined
    (event,) = outcome.events
    return event


@pytest.mark.parametrize(
    ("name", "field", "kind", "key"),
    [
        ("payment-captured", "messages", "payment", "statuses"),
        ("call-ringing", "calls", "call", "statuses"),
        ("call-connect", "calls", "call", "calls"),
        ("business-app-echo", "smb_message_echoes", "echo", "message_echoes"),
        ("standby-echo", "standby", "echo", "message_echoes"),
        ("account-level-error", "messages", "errors", "errors"),
        ("marketing-link-click", "messages", "user_actions", "user_actions"),
    ],
)
def test_an_item_is_kept_whole_with_its_number(name: str, field: str, kind: str, key: str) -> None:
    event = one(name)
    assert (event.field, event.kind, event.entry_id) == (field, kind, "200000000000001")
    kept = json.loads(event.value)
    assert kept["metadata"]["phone_number_id"] == NUMBER
    assert len(kept[key]) == 1
    assert event.occurred_at == (None if kind == "errors" else TIME)


def test_a_payment_keeps_its_reference() -> None:
    event = one("payment-captured")
    assert json.loads(event.value)["statuses"][0]["payment"]["reference_id"] == "order-77"


@pytest.mark.parametrize(
    "item",
    [
        {"type": "payment", "status": "[TRANSACTION_STATUS]", "timestamp": "notification_timestamp"},
        {"type": "call", "status": None},
        {"id": "wacid.X", "status": "RINGING", "timestamp": str(TIME)},
    ],
)
def test_payments_and_calls_are_never_mixed_with_messages(item: dict[str, Any]) -> None:
    outcome = with_value(statuses=[item, status()])
    assert [update.wamid for update in outcome.updates] == ["wamid.A"]
    assert json.loads(outcome.events[0].value)["statuses"] == [item]
    assert outcome.events[0].kind in {"payment", "call"}


def test_the_same_item_is_the_same_event_however_it_is_grouped() -> None:
    first, second = {"code": 1}, {"code": 2}
    together = with_value(errors=[first, second]).events
    apart = with_value(errors=[second]).events + with_value(errors=[first]).events
    assert sorted(together, key=repr) == sorted(apart, key=repr)


def test_statuses_in_standby_are_statuses() -> None:
    (update,) = sample("standby-status").updates
    assert (update.status, update.phone_number_id) == ("delivered", NUMBER)


@pytest.mark.parametrize("name", ["dashboard-test-status", "dashboard-test-message"])
def test_the_dashboards_test_button_is_out_of_every_figure(name: str) -> None:
    assert one(name).kind == "test"


@pytest.mark.parametrize("key", ["statuses", "messages"])
def test_the_dashboards_sample_is_known_by_its_id_and_time_alone(key: str) -> None:
    item = {"id": "ABGGFlA5Fpa", "timestamp": "1504902988", "status": "sent", "type": "text"}
    outcome = parsed(envelope({"field": "messages", "value": value(**{key: [item]})}))
    assert [event.kind for event in outcome.events] == ["test"]
    assert not outcome.updates
    assert not outcome.inbound


def test_an_account_field_is_kept_whole_with_the_time_of_its_entry() -> None:
    event = one("template-approved")
    assert (event.field, event.kind, event.occurred_at) == ("message_template_status_update", "", TIME)
    assert json.loads(event.value)["message_template_id"] == 1689556908129832


def test_the_history_of_a_phone_is_nobody_writing_now() -> None:
    assert one("history-of-a-phone").field == "history"
    outcome = with_value("history", messages=[message()])
    assert (len(outcome.events), len(outcome.inbound)) == (1, 0)


def test_a_field_of_tomorrow_is_kept_with_its_value_of_any_type() -> None:
    for said in ({"a": 1}, [1, 2], "yes", 5, None):
        (event,) = parsed(envelope({"field": "tomorrow", "value": said})).events
        assert (event.field, json.loads(event.value)) == ("tomorrow", said)


def test_statuses_under_an_unknown_field_are_found_and_the_remainder_is_kept() -> None:
    outcome = with_value("tomorrow", statuses=[status()], extra={"a": 1})
    assert [update.wamid for update in outcome.updates] == ["wamid.A"]
    assert [(event.field, event.value) for event in outcome.events] == [("tomorrow", '{"extra":{"a":1}}')]


def test_a_list_of_tomorrow_in_the_messages_field_is_kept_item_by_item() -> None:
    outcome = with_value(
        statuses=[status()], polls=[{"id": "p1"}, {"id": "p2"}], conversation_context={"x": 1}
    )
    assert len(outcome.updates) == 1
    assert [(event.kind, json.loads(event.value)["polls"]) for event in outcome.events] == [
        ("polls", [{"id": "p1"}]),
        ("polls", [{"id": "p2"}]),
    ]


def test_a_value_that_lists_nothing_is_kept_whole() -> None:
    (event,) = with_value(user_id_update={"a": 1}).events
    assert (event.kind, json.loads(event.value)["user_id_update"]) == ("", {"a": 1})


@pytest.mark.parametrize("parts", [{}, {"statuses": []}, {"statuses": None, "messages": {}}])
def test_a_value_that_says_nothing_is_kept_as_empty(parts: dict[str, Any]) -> None:
    outcome = with_value(**parts)
    assert [event.kind for event in outcome.events] == ["empty"]
    assert not outcome.quarantined


def test_an_error_that_is_no_list_is_kept_too() -> None:
    assert [event.kind for event in with_value(errors={"code": 1}).events] == ["errors"]
    assert [event.kind for event in with_value(errors="boom").events] == ["errors"]
