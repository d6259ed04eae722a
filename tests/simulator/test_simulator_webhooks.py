"""Meta's sender over real sockets: signatures, order, repeats, retries, the handshake."""

import json
from collections import defaultdict
from typing import Any

import httpx
import pytest
from recorded_callback import Callback

from simulator.running import RunningSimulator
from simulator.scenario import Scenario
from whatsapp.signature import matching_secret

MOMENT = 1_790_000_000.75


def scenario(callback: Callback, **chosen: Any) -> Scenario:
    return Scenario(callback_url=callback.url, **({"status_delay": 0.0, "retry_after": 0.01} | chosen))


def send(sim: RunningSimulator, to: str, **fields: Any) -> httpx.Response:
    body = {"messaging_product": "whatsapp", "to": to, "text": {"body": "नमस्ते"}, **fields}
    return httpx.post(sim.messages_url, json=body, headers={"api-key": sim.scenario.api_key}, trust_env=False)


def statuses(bodies: list[bytes]) -> list[dict[str, Any]]:
    return [s for body in bodies for s in json.loads(body)["entry"][0]["changes"][0]["value"]["statuses"]]


def words(bodies: list[bytes]) -> list[str]:
    return [status["status"] for status in statuses(bodies)]


def test_webhooks_are_signed_over_the_raw_bytes(callback: Callback) -> None:
    with RunningSimulator(scenario(callback)) as sim:
        for number in range(12):
            send(sim, f"9198765{number:02d}0001", biz_opaque_callback_data="é ☂")
        sim.wait_until_idle()
    assert len(callback.bodies) == 36
    for body, headers in zip(callback.bodies, callback.headers, strict=True):
        assert matching_secret(["other", "simulated-app-secret"], body, headers["x-hub-signature-256"]) == 1
        assert headers["content-type"] == "application/json"
        assert headers["user-agent"] == "facebookexternalua"
        assert body.isascii()
        assert b'"biz_opaque_callback_data":"\\u00e9 \\u2602"' in body


def test_the_statuses_of_a_message_come_in_order_with_its_id_and_data(callback: Callback) -> None:
    with RunningSimulator(scenario(callback), clock=lambda: MOMENT) as sim:
        wamid = send(sim, "919876540024", biz_opaque_callback_data="m1").json()["messages"][0]["id"]
        sim.wait_until_idle()
        listed = sim.webhooks()
    assert words(callback.bodies) == ["sent", "delivered", "read", "played"]
    assert {(s["id"], s["biz_opaque_callback_data"]) for s in statuses(callback.bodies)} == {(wamid, "m1")}
    assert {s["timestamp"] for s in statuses(callback.bodies)} == {"1790000000"}
    assert [(w["answer"], w["attempts"], w["trouble"]) for w in listed] == [(200, 1, None)] * 4
    assert [w["body"] for w in listed] == [json.loads(body) for body in callback.bodies]


def test_a_message_without_callback_data_has_none_in_its_statuses(callback: Callback) -> None:
    with RunningSimulator(scenario(callback)) as sim:
        send(sim, "919876540001")
        sim.wait_until_idle()
    assert all("biz_opaque_callback_data" not in status for status in statuses(callback.bodies))


def test_the_answer_comes_before_the_statuses_unless_the_fate_says_otherwise(callback: Callback) -> None:
    with RunningSimulator(scenario(callback, answer_delay=0.2)) as sim:
        send(sim, "919876540001", biz_opaque_callback_data="after")
        sim.wait_until_idle()
        callback.bodies.clear()
        send(sim, "919876540009", biz_opaque_callback_data="before")
        assert words(callback.bodies)[0] == "sent"  # it is here although nothing was waited for
        sim.wait_until_idle()
        (after, before) = sim.posts()
        posted = {}
        for webhook in sim.webhooks():
            (status,) = webhook["body"]["entry"][0]["changes"][0]["value"]["statuses"]
            posted[status["biz_opaque_callback_data"], status["status"]] = webhook["posted_at"]
    assert posted["after", "sent"] >= after["at"] + 0.15
    assert posted["before", "sent"] < before["at"] + 0.2


def test_before_answer_makes_every_sent_overtake_its_answer(callback: Callback) -> None:
    with RunningSimulator(scenario(callback, before_answer=1, fail_share=0, status_delay=3600)) as sim:
        for number in range(5):
            send(sim, f"91987654{number}123")
            assert words(callback.bodies) == ["sent"] * (number + 1)


def test_waiting_statuses_are_released_on_demand(callback: Callback) -> None:
    with RunningSimulator(scenario(callback, status_delay=3600)) as sim:
        send(sim, "919876540001")
        while not callback.bodies:
            assert not sim.idle()
        assert sim.release() == 2
        sim.wait_until_idle()
    assert words(callback.bodies) == ["sent", "delivered", "read"]


def test_late_statuses_come_in_reverse_three_times_each(callback: Callback) -> None:
    with RunningSimulator(scenario(callback)) as sim:
        send(sim, "919876540023")
        sim.wait_until_idle()
    assert words(callback.bodies)[:3] == ["read", "delivered", "sent"]
    assert len(callback.bodies) == 9
    assert {callback.bodies.count(body) for body in callback.bodies} == {3}


def played(callback: Callback, seed: int) -> dict[str, list[bytes]]:
    """What arrived for each message of twenty, in order, with everything that can misbehave."""
    callback.bodies.clear()
    wild = scenario(callback, seed=seed, repeat=0.5, shuffle=0.5, strangers=0.3, fail_share=0.2)
    with RunningSimulator(wild, clock=lambda: MOMENT) as sim:
        for number in range(20):
            send(sim, f"919876{number:02d}5555")
        sim.wait_until_idle()
    by_message: dict[str, list[bytes]] = defaultdict(list)
    for body in callback.bodies:
        by_message[statuses([body])[0]["id"]].append(body)
    return by_message


def test_the_same_seed_plays_the_same_world_byte_for_byte(callback: Callback) -> None:
    first = played(callback, 11)
    assert played(callback, 11) == first
    assert played(callback, 12) != first
    assert len(first) > 20  # strangers
    assert any(len(bodies) > len(set(bodies)) for bodies in first.values())  # repeats
    orders = {tuple(dict.fromkeys(words(bodies))) for bodies in first.values()}
    assert any(order[0] != "sent" and "sent" in order for order in orders)  # out of order


def test_every_message_can_bring_a_stranger(callback: Callback) -> None:
    with RunningSimulator(scenario(callback, strangers=1)) as sim:
        send(sim, "919876540002", biz_opaque_callback_data="mine")
        sim.wait_until_idle()
        ours = {message["wamid"] for message in sim.messages()}
    strangers = [s for s in statuses(callback.bodies) if s["id"] not in ours]
    assert [s["status"] for s in strangers] == ["delivered"]
    assert "biz_opaque_callback_data" not in strangers[0]


def test_statuses_are_gathered_up_to_the_batch(callback: Callback) -> None:
    with RunningSimulator(scenario(callback, batch=4, status_delay=3600)) as sim:
        for _ in range(4):
            send(sim, "919876540001")
        while len(statuses(callback.bodies)) < 4:
            assert not sim.idle()
        callback.bodies.clear()
        sim.release()
        sim.wait_until_idle()
    assert sorted(len(statuses([body])) for body in callback.bodies) == [4, 4]
    assert sorted(words(callback.bodies)) == ["delivered"] * 4 + ["read"] * 4


def test_a_groups_members_are_reported_together_and_with_nobody_else(callback: Callback) -> None:
    with RunningSimulator(scenario(callback, batch=50, group_size=4, fail_share=0)) as sim:
        send(sim, "GROUP-0003", recipient_type="group")
        send(sim, "919876540001")
        sim.wait_until_idle()
    (delivered,) = [body for body in callback.bodies if b"recipient_participant_id" in body]
    assert words([delivered]) == ["delivered"] * 4
    assert len({s["recipient_participant_id"] for s in statuses([delivered])}) == 4
    assert {s["recipient_id"] for s in statuses([delivered])} == {"GROUP-0003"}


def test_what_is_not_answered_200_is_posted_again_unchanged(callback: Callback) -> None:
    callback.answers = [500, 202, 503]
    with RunningSimulator(scenario(callback)) as sim:
        send(sim, "919876540002")
        sim.wait_until_idle()
        (webhook,) = sim.webhooks()
    assert len(callback.bodies) == 4
    assert len(set(callback.bodies)) == 1
    assert (webhook["answer"], webhook["attempts"]) == (200, 4)


def test_tries_end(callback: Callback) -> None:
    callback.answers = [500] * 10
    with RunningSimulator(scenario(callback, retry=2)) as sim:
        send(sim, "919876540002")
        sim.wait_until_idle()
        (webhook,) = sim.webhooks()
    assert (webhook["answer"], webhook["attempts"], len(callback.bodies)) == (500, 3, 3)


def test_a_callback_that_is_not_there_is_noted() -> None:
    nobody = Scenario(callback_url="http://127.0.0.1:9/", status_delay=0, retry=1, retry_after=0)
    with RunningSimulator(nobody) as sim:
        send(sim, "919876540002")
        sim.wait_until_idle()
        (webhook,) = sim.webhooks()
        assert sim.handshake()["trouble"] == "ConnectError"
    assert (webhook["answer"], webhook["attempts"], webhook["trouble"]) == (None, 2, "ConnectError")


def test_the_handshake_says_whether_the_challenge_came_back(callback: Callback) -> None:
    with RunningSimulator(scenario(callback)) as sim:
        good = sim.handshake()
        callback.token = "another"
        bad = sim.handshake()
    assert (good["ok"], good["status"], good["body"]) == (True, 200, good["challenge"])
    assert (bad["ok"], bad["status"]) == (False, 403)


@pytest.mark.parametrize(
    "body", [b'{"object": "whatsapp_business_account", "entry": []}', b"\x00 not JSON \xff", b""]
)
def test_a_raw_webhook_is_signed_and_posted_as_it_is(callback: Callback, body: bytes) -> None:
    callback.answers = [401]
    with RunningSimulator(scenario(callback)) as sim:
        answer = sim.webhook(body)
        listed = sim.webhooks()
    assert callback.bodies == [body]
    assert matching_secret(["simulated-app-secret"], body, callback.headers[0]["x-hub-signature-256"]) == 0
    assert (answer["answer"], listed[0]["attempts"]) == (401, 1)


def test_without_a_callback_webhooks_are_only_listed() -> None:
    with RunningSimulator(Scenario(status_delay=0)) as sim:
        send(sim, "919876540003")
        sim.wait_until_idle()
        assert [(w["answer"], w["attempts"]) for w in sim.webhooks()] == [(None, 0)] * 2
        for page in ("handshake", "webhook"):
            refused = httpx.post(f"{sim.url}/_simulator/{page}", trust_env=False)
            assert refused.status_code == 409
            assert "callback" in refused.json()["error"]
