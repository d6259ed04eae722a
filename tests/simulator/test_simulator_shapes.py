"""What the simulator writes and reads: envelopes, answers, ids, refusals; no server."""

import base64
import json
from random import Random
from typing import Any

import pytest

from simulator import identities, payload
from simulator.fates import FATES, Fate
from simulator.payload import Message
from simulator.plan import plan
from simulator.request import Receipt, Refusal, Send, read_request
from simulator.scenario import Scenario
from simulator.world import World

TEXT = {"messaging_product": "whatsapp", "to": "+91 98765 40001", "text": {"body": "Hello"}}


def read(**fields: Any) -> Send | Receipt | Refusal:
    return read_request(json.dumps(TEXT | fields).encode())


def sent(fate: Fate = FATES["0001"], **fields: Any) -> Message:
    send = read(**fields)
    assert isinstance(send, Send)
    return Message(identities.wamid(send.recipient, Random(1)), "106540352242922", send, fate, 0, 5)


def reported(message: Message, members: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    made = plan(message.send, message.fate, True, members, Scenario(), Random(1))
    bodies = [
        payload.envelope("W1", [payload.report(message, r, 1700000000 + r.happens)]) for r in made.reports
    ]
    return [json.loads(body) for body in bodies]


def value(body: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = body["entry"][0]["changes"][0]["value"]
    return inner


def test_a_sent_status_has_metas_shape() -> None:
    message = sent(biz_opaque_callback_data="m1")
    user = identities.user_id(5, "919876540001")
    assert reported(message)[0] == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "W1",
                "changes": [
                    {
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {
                                "display_phone_number": "15552242922",
                                "phone_number_id": "106540352242922",
                            },
                            "contacts": [{"wa_id": "919876540001", "user_id": user}],
                            "statuses": [
                                {
                                    "id": message.wamid,
                                    "status": "sent",
                                    "timestamp": "1700000000",
                                    "recipient_id": "919876540001",
                                    "recipient_user_id": user,
                                    "biz_opaque_callback_data": "m1",
                                    "pricing": {
                                        "billable": False,
                                        "pricing_model": "PMP",
                                        "category": "service",
                                        "type": "free_customer_service",
                                    },
                                }
                            ],
                        },
                        "field": "messages",
                    }
                ],
            }
        ],
    }


def test_a_failed_status_has_its_error_and_neither_contacts_nor_price() -> None:
    (body,) = reported(sent(FATES["0005"]))
    assert "contacts" not in value(body)
    (status,) = value(body)["statuses"]
    assert "pricing" not in status
    assert "biz_opaque_callback_data" not in status
    (error,) = status["errors"]
    assert error["code"] == 131047
    assert error["title"] == error["message"] == "Re-engagement message"
    assert error["error_data"]["details"]
    assert error["href"].startswith("https://")


def test_delivered_to_a_group_is_one_webhook_with_an_object_a_member() -> None:
    members = identities.participants(5, "GROUP", 3)
    message = sent(to="GROUP", recipient_type="group")
    first, delivered, read_by = reported(message, members)
    (status,) = value(first)["statuses"]
    assert (status["recipient_id"], status["recipient_type"]) == ("GROUP", "group")
    assert "recipient_participant_id" not in status
    for body, word in ((delivered, "delivered"), (read_by, "read")):
        statuses = value(body)["statuses"]
        assert [s["recipient_participant_id"] for s in statuses] == list(members)
        assert {(s["id"], s["status"], s["recipient_id"]) for s in statuses} == {
            (message.wamid, word, "GROUP")
        }
        assert [c["wa_id"] for c in value(body)["contacts"]] == list(members)


def test_a_recipient_known_by_user_id_alone_has_no_number_anywhere() -> None:
    for message in (sent(FATES["0028"]), sent(to=None, recipient="US.13491208655302741918")):
        for body in reported(message):
            assert "recipient_id" not in value(body)["statuses"][0]
            assert value(body)["statuses"][0]["recipient_user_id"]
            assert all("wa_id" not in contact for contact in value(body)["contacts"])


def test_a_webhook_of_several_numbers_has_a_change_for_each() -> None:
    one, other = sent(), sent()
    made = plan(one.send, one.fate, True, (), Scenario(), Random(1)).reports
    reports = [payload.report(one, made[0], 1), payload.report(one, made[1], 2)]
    stranger = payload.Report("999", payload.report(other, made[0], 3).statuses, [])
    changes = json.loads(payload.envelope("W1", [*reports, stranger]))["entry"][0]["changes"]
    assert [c["value"]["metadata"]["phone_number_id"] for c in changes] == ["106540352242922", "999"]
    assert [len(c["value"]["statuses"]) for c in changes] == [2, 1]


def test_non_ascii_is_written_as_lower_case_escapes() -> None:
    body = payload.envelope("W1", [payload.Report("1", [{"name": "Zoë 🌻 अ"}], [])])
    assert b"Zo\\u00eb \\ud83c\\udf3b \\u0905" in body


def test_a_wamid_holds_the_recipients_digits_and_looks_like_metas() -> None:
    made = identities.wamid("919876540001", Random(1))
    assert made.startswith("wamid.HBgMOTE5ODc2NTQwMDAxFQIAERgS")
    record = base64.b64decode(made.removeprefix("wamid."), validate=True)
    assert b"919876540001" in record
    assert 52 <= len(made.removeprefix("wamid.")) <= 60


def test_wamids_differ_and_repeat_under_the_same_seed() -> None:
    one, other = Random(4), Random(4)
    made = [identities.wamid("919876540001", one) for _ in range(500)]
    assert len(set(made)) == 500
    assert made == [identities.wamid("919876540001", other) for _ in range(500)]


def test_only_templates_and_held_messages_have_a_message_status() -> None:
    template = {"type": "template", "template": {"name": "otp_in", "language": {"code": "en"}}}
    assert "message_status" not in payload.accepted(sent())["messages"][0]
    assert payload.accepted(sent(**template))["messages"][0]["message_status"] == "accepted"
    held = payload.accepted(sent(FATES["0022"], **template))
    assert held["messages"][0]["message_status"] == "held_for_quality_assessment"
    assert value(reported(sent(**template))[0])["statuses"][0]["pricing"]["category"] == "authentication"


@pytest.mark.parametrize(
    ("fields", "code", "word"),
    [
        ({"messaging_product": "signal"}, 100, "messaging_product"),
        ({"to": None}, 131008, "to"),
        ({"to": "somebody"}, 131009, "to"),
        ({"to": "12"}, 131009, "to"),
        ({"text": None}, 131008, "text"),
        ({"text": {"body": " "}}, 131008, "text.body"),
        ({"text": {"body": "x" * 4097}}, 131009, "4096"),
        ({"type": "telegram"}, 100, "type"),
        ({"recipient_type": "crowd"}, 100, "recipient_type"),
        ({"type": "image", "image": {}}, 100, "image"),
        ({"type": "template", "template": {"name": "hello"}}, 131008, "language"),
        ({"biz_opaque_callback_data": "x" * 513}, 100, "biz_opaque_callback_data"),
        ({"status": "seen"}, 100, "status"),
        ({"status": "read"}, 131008, "message_id"),
    ],
)
def test_a_bad_request_is_refused_with_the_field(fields: dict[str, Any], code: int, word: str) -> None:
    refusal = read(**fields)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert word in refusal.details


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"text"', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_not_a_json_object_is_refused(raw: bytes) -> None:
    assert read_request(raw) == Refusal(100, "The parameter messaging_product is required.")


def test_to_wins_over_the_user_id() -> None:
    both = read(recipient="US.13491208655302741918")
    assert isinstance(both, Send)
    assert (both.kind, both.recipient, both.to) == ("person", "919876540001", "+91 98765 40001")


def test_sends_over_the_rate_are_refused_until_the_second_is_over() -> None:
    moment = [100.0]
    world = World(Scenario(rate_limit=2), now=lambda: moment[0])
    assert [world.over_rate("1") for _ in range(4)] == [False, False, True, True]
    assert world.over_rate("2") is False
    moment[0] = 101.0
    assert [world.over_rate("1") for _ in range(3)] == [False, False, True]
