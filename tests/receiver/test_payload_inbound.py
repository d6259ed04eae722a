"""Inbound messages: who wrote, when, and what it answers."""

import json
from typing import Any

import pytest
from payload_samples import NUMBER, TIME, assert_storable, message, sample, with_value

from store.records import InboundMessage


def one(name: str) -> InboundMessage:
    outcome = sample(name)
    assert not outcome.quarantined
    assert not outcome.updates
    (inbound,) = outcome.inbound
    return inbound


def test_a_text_says_who_wrote_to_which_number_and_when() -> None:
    inbound = one("inbound-text")
    assert (inbound.kind, inbound.occurred_at, inbound.phone_number_id) == ("text", TIME, NUMBER)
    assert (inbound.sender_id, inbound.sender_user_id) == ("919000000001", "IN.10000000000000000001")
    assert json.loads(inbound.content or "")["text"]["body"] == "Where is my order? 📦"
    assert inbound.replies_to is None


@pytest.mark.parametrize("name", ["inbound-reply", "inbound-reaction", "inbound-button-tap"])
def test_replies_reactions_and_taps_name_the_message_they_answer(name: str) -> None:
    assert (one(name).replies_to or "").startswith("wamid.")


def test_a_sender_without_number_is_known_by_user_id() -> None:
    inbound = one("inbound-without-number")
    assert (inbound.sender_id, inbound.sender_user_id) == (None, "IN.10000000000000000001")


def test_a_message_in_a_group_names_the_group() -> None:
    assert one("inbound-in-a-group").group_id == "GROUP1"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("inbound-edit", "edit"),
        ("inbound-deleted", "revoke"),
        ("inbound-number-changed", "system"),
        ("inbound-unsupported", "unsupported"),
    ],
)
def test_every_type_is_kept_whole(name: str, kind: str) -> None:
    inbound = one(name)
    assert inbound.kind == kind
    assert inbound.replies_to is None
    assert kind in json.loads(inbound.content or "")


@pytest.mark.parametrize("kind", [None, "", 5, "x" * 65])
def test_a_message_without_a_usable_type_is_of_an_unknown_one(kind: Any) -> None:
    (inbound,) = with_value(messages=[message(type=kind)]).inbound
    assert inbound.kind == "unknown"


@pytest.mark.parametrize(
    "bad", [{"id": None}, {"id": ""}, {"id": "x" * 513}, {"timestamp": "soon"}, {"timestamp": None}]
)
def test_a_message_without_id_or_time_is_set_aside_alone(bad: dict[str, Any]) -> None:
    outcome = with_value(messages=[{**message(), **bad}, message("wamid.good")])
    assert [inbound.wamid for inbound in outcome.inbound] == ["wamid.good"]
    assert [part.pointer for part in outcome.quarantined] == ["/entry/0/changes/0/value/messages/0"]


@pytest.mark.parametrize(
    "odd",
    [
        {"context": "wamid.X"},
        {"context": {"id": 5}},
        {"context": {"id": "x" * 600}},
        {"reaction": []},
        {"from": {}, "from_user_id": 1.5, "group_id": False},
    ],
)
def test_odd_surroundings_of_a_message_are_no_reason_to_lose_it(odd: dict[str, Any]) -> None:
    outcome = with_value(messages=[message(**odd)])
    assert [inbound.replies_to for inbound in outcome.inbound] == [None]
    assert_storable(outcome)


def test_messages_and_statuses_of_one_value_are_all_found() -> None:
    outcome = sample("statuses-and-messages-together")
    assert (len(outcome.updates), len(outcome.inbound), len(outcome.events)) == (1, 1, 1)
    assert outcome.events[0].kind == "errors"


def test_messages_in_standby_are_inbound_too() -> None:
    inbound = one("standby-inbound")
    assert (inbound.phone_number_id, inbound.sender_user_id) == (NUMBER, "IN.10000000000000000001")
