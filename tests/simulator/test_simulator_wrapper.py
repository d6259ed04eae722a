"""The wrapper over a real socket: acceptance, refusals, and every way of not answering."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simulator.running import RunningSimulator
from simulator.scenario import Scenario

SAMPLE = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "+919876540001",
    "type": "text",
    "text": {"preview_url": False, "body": "Your order is on its way."},
}
KAYLERAS_401 = (
    b'{"code":"RBC201","message":"Incorrect SID or API key.","data":[],'
    b'"error":{"body":"Incorrect SID or API key."}}'
)


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSimulator]:
    with RunningSimulator(Scenario(status_delay=0.01, hang_seconds=0.3)) as sim:
        yield sim


def post(sim: RunningSimulator, to: str = "+919876540001", **fields: Any) -> httpx.Response:
    body = SAMPLE | {"to": to} | fields
    return httpx.post(sim.messages_url, json=body, headers={"api-key": sim.scenario.api_key}, trust_env=False)


def statuses_for(sim: RunningSimulator, callback_data: str) -> list[str]:
    sim.wait_until_idle()
    values = [w["body"]["entry"][0]["changes"][0]["value"] for w in sim.webhooks()]
    found = [s for v in values for s in v["statuses"]]
    return [s["status"] for s in found if s.get("biz_opaque_callback_data") == callback_data]


def test_the_guides_sample_request_is_accepted_with_metas_answer(shared: RunningSimulator) -> None:
    answer = post(shared)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    wamid = body["messages"][0]["id"]
    assert body == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "+919876540001", "wa_id": "919876540001"}],
        "messages": [{"id": wamid}],
    }
    assert wamid in [message["wamid"] for message in shared.messages()]


@pytest.mark.parametrize(("sid", "key"), [("OTHER", None), (None, "wrong"), (None, ""), (None, "ключ")])
def test_a_wrong_sid_or_key_is_kaleyras_401_byte_for_byte(
    shared: RunningSimulator, sid: str | None, key: str | None
) -> None:
    url = shared.messages_url.replace(shared.scenario.sid, sid or shared.scenario.sid)
    sent_key = (shared.scenario.api_key if key is None else key).encode()
    answer = httpx.post(url, json=SAMPLE, headers=[(b"api-key", sent_key)], trust_env=False)
    assert (answer.status_code, answer.content) == (401, KAYLERAS_401)
    assert answer.headers["content-type"] == "application/json"


def test_a_missing_key_is_a_401_too(shared: RunningSimulator) -> None:
    assert httpx.post(shared.messages_url, json=SAMPLE, trust_env=False).content == KAYLERAS_401


def test_somebody_elses_number_is_code_100_subcode_33(shared: RunningSimulator) -> None:
    url = shared.messages_url.replace(shared.scenario.phone_number_ids[0], "118130101241809")
    answer = httpx.post(url, json=SAMPLE, headers={"api-key": shared.scenario.api_key}, trust_env=False)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["error_subcode"], error["type"]) == (100, 33, "GraphMethodException")
    assert "118130101241809" in error["message"]
    assert "error_data" not in error


def test_a_bad_payload_is_metas_400_with_details(shared: RunningSimulator) -> None:
    answer = post(shared, text={})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == 131008
    assert error["message"] == "(#131008) Required parameter is missing"
    assert error["error_data"] == {
        "messaging_product": "whatsapp",
        "details": "The parameter text.body is required.",
    }
    assert error["fbtrace_id"]


def test_a_read_receipt_succeeds_without_a_message(shared: RunningSimulator) -> None:
    before = len(shared.messages())
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.X"}
    answer = httpx.post(
        shared.messages_url, json=body, headers={"api-key": shared.scenario.api_key}, trust_env=False
    )
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert len(shared.messages()) == before


@pytest.mark.parametrize(
    ("tail", "status", "code"),
    [("0014", 500, 131000), ("0015", 400, 100), ("0018", 200, 131042), ("0021", 404, 132001)],
)
def test_refusals_have_metas_code_and_take_nothing(
    shared: RunningSimulator, tail: str, status: int, code: int
) -> None:
    answer = post(shared, f"91987654{tail}", biz_opaque_callback_data=f"refused-{tail}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert statuses_for(shared, f"refused-{tail}") == []
    assert f"refused-{tail}" not in [m["callback_data"] for m in shared.messages()]


@pytest.mark.parametrize(("tail", "status", "code"), [("0016", 429, 130429), ("0017", 400, 131056)])
def test_a_throttled_body_is_taken_at_the_third_try(
    shared: RunningSimulator, tail: str, status: int, code: int
) -> None:
    data = f"throttled-{tail}"
    answers = [post(shared, f"91987654{tail}", biz_opaque_callback_data=data) for _ in range(3)]
    assert [a.status_code for a in answers] == [status, status, 200]
    assert answers[0].json()["error"]["code"] == code
    (message,) = [m for m in shared.messages() if m["callback_data"] == data]
    assert (message["posts"], message["taken"]) == (3, 1)
    assert statuses_for(shared, data) == ["sent", "delivered", "read"]


@pytest.mark.parametrize(("tail", "taken"), [("0012", False), ("0013", True)])
def test_a_gateways_page_says_nothing_about_the_message(
    shared: RunningSimulator, tail: str, taken: bool
) -> None:
    answer = post(shared, f"91987654{tail}", biz_opaque_callback_data=f"page-{tail}")
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert statuses_for(shared, f"page-{tail}") == (["sent", "delivered", "read"] if taken else [])


def test_an_empty_200_was_taken(shared: RunningSimulator) -> None:
    answer = post(shared, "919876540019", biz_opaque_callback_data="empty")
    assert (answer.status_code, answer.content) == (200, b"")
    assert statuses_for(shared, "empty") == ["sent", "delivered", "read"]


def test_a_cut_connection_gives_no_answer_but_statuses(shared: RunningSimulator) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        post(shared, "919876540010", biz_opaque_callback_data="cut")
    assert statuses_for(shared, "cut") == ["sent", "delivered", "read"]
    (seen,) = [p for p in shared.posts() if p["callback_data"] == "cut"]
    assert (seen["status"], seen["outcome"]) == (None, "taken")


def test_an_answer_that_breaks_off_gives_no_body_but_statuses(shared: RunningSimulator) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        post(shared, "919876540026", biz_opaque_callback_data="half")
    assert statuses_for(shared, "half") == ["sent", "delivered", "read"]


def test_a_reset_connection_was_not_taken(shared: RunningSimulator) -> None:
    with pytest.raises(httpx.ReadError):
        post(shared, "919876540020", biz_opaque_callback_data="reset")
    assert statuses_for(shared, "reset") == []


def test_a_client_that_is_gone_at_its_reset_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    with RunningSimulator(Scenario(answer_delay=0.2)) as sim:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                sim.messages_url,
                json=SAMPLE | {"to": "919876540020"},
                headers={"api-key": sim.scenario.api_key},
                trust_env=False,
                timeout=0.05,
            )
        deadline = time.monotonic() + 10
        while sim.posts()[0]["outcome"] != "reset" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert sim.posts()[0]["outcome"] == "reset"
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_hanging_answer_comes_late_and_statuses_do_not_wait_for_it(shared: RunningSimulator) -> None:
    answers: list[httpx.Response] = []
    began = time.monotonic()
    sending = threading.Thread(
        target=lambda: answers.append(post(shared, "919876540011", biz_opaque_callback_data="hang"))
    )
    sending.start()
    while "hang" not in [m["callback_data"] for m in shared.messages()]:
        assert time.monotonic() < began + 10
    assert statuses_for(shared, "hang") == ["sent", "delivered", "read"]
    sending.join()
    assert answers[0].status_code == 200
    assert time.monotonic() - began >= 0.3
    assert [p["status"] for p in shared.posts() if p["callback_data"] == "hang"] == [200]


def test_a_client_that_gives_up_does_not_change_what_meta_took() -> None:
    with RunningSimulator(Scenario(answer_delay=0.4, status_delay=0)) as sim:
        key = {"api-key": sim.scenario.api_key}
        body = SAMPLE | {"biz_opaque_callback_data": "gone"}
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(sim.messages_url, json=body, headers=key, timeout=0.1, trust_env=False)
        assert statuses_for(sim, "gone") == ["sent", "delivered", "read"]


def test_stopping_lets_go_of_hanging_requests() -> None:
    endings: list[Exception] = []

    def send(sim: RunningSimulator) -> None:
        try:
            post(sim, "919876540011")
        except httpx.HTTPError as error:
            endings.append(error)

    with RunningSimulator(Scenario(hang_seconds=3600)) as sim:
        sending = threading.Thread(target=send, args=(sim,))
        sending.start()
        end = time.monotonic() + 10
        while not sim.messages():
            assert time.monotonic() < end
    sending.join(10)
    assert not sending.is_alive()
    assert isinstance(endings[0], httpx.RemoteProtocolError)


def test_a_connection_can_be_closed_before_the_body_is_read() -> None:
    with RunningSimulator(Scenario(unread_share=1)) as sim:
        with pytest.raises(httpx.TransportError):
            post(sim, text={"body": "x" * 3_000_000})
        (seen,) = sim.posts()
        assert (seen["outcome"], seen["to"], seen["status"]) == ("unread", None, None)
        assert sim.messages() == []


def test_the_same_body_sent_twice_is_counted() -> None:
    with RunningSimulator(Scenario(status_delay=0)) as sim:
        for _ in range(2):
            assert post(sim, biz_opaque_callback_data="twice").status_code == 200
        assert [(m["posts"], m["taken"]) for m in sim.messages()] == [(2, 2), (2, 2)]
        assert len({m["wamid"] for m in sim.messages()}) == 2
