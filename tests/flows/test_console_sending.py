"""Sending over HTTP from real processes: the compatible API, the queue, one key across restarts, holding."""

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from flows.conftest import Make
from flows.installation import NUMBER, Installation, eventually, free_port, stop

BODY: dict[str, Any] = {
    "messaging_product": "whatsapp",
    "to": "+919812340001",
    "type": "text",
    "text": {"body": "Hello"},
}


def _console(installed: Installation) -> str:
    return f"http://127.0.0.1:{installed.console_port}"


def _token(installed: Installation, role: str) -> str:
    done = installed.run("token", "create", "--role", role)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _start(installed: Installation, *part: str) -> subprocess.Popen[str]:
    return installed.start("run", *(part or ("all",)), ready=f"{_console(installed)}/healthz")


def _address(installed: Installation) -> str:
    return f"/v1/{installed.simulator.scenario.sid}/wrapper/{NUMBER}/messages"


def _caller(installed: Installation, token: str, base: str | None = None) -> httpx.Client:
    headers = {"api-key": token, "Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=base or _console(installed), headers=headers, trust_env=False, timeout=30)


def test_who_calls_kaleyra_today_changes_only_host_and_key(install: Make) -> None:
    installed = install()
    _start(installed)
    with _caller(installed, _token(installed, "sender")) as system:
        answer = system.post(_address(installed), json=BODY)
    direct = httpx.post(
        f"{installed.simulator.url}{_address(installed)}",
        json=BODY,
        headers={"api-key": installed.simulator.scenario.api_key},
        trust_env=False,
    )
    wamid = answer.json()["messages"][0]["id"]
    told = {**answer.json(), "messages": [{"id": "W"}]}
    assert (answer.status_code, told) == (direct.status_code, {**direct.json(), "messages": [{"id": "W"}]})
    eventually(lambda: installed.shown(wamid)["status"] == "read")
    story = installed.shown(wamid)
    assert story["message_id"] == answer.headers["X-Wamtrail-Message-Id"]
    assert [one["status"] for one in story["updates"]] == ["sent", "delivered", "read"]


def test_a_queued_message_is_sent_by_the_same_process_and_found_at_its_address(install: Make) -> None:
    installed = install()
    _start(installed)
    order = {"from": NUMBER, "payload": BODY, "reference": "order-77"}
    with (
        _caller(installed, _token(installed, "sender")) as system,
        _caller(installed, _token(installed, "reporter")) as job,
    ):
        answer = system.post("/api/v1/messages", json=order)
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
        eventually(lambda: job.get(answer.headers["Location"]).json()["status"] == "read")
        found = job.get("/api/v1/messages/order-77").json()
        assert found["message_id"] == answer.json()["message_id"]
        assert job.post("/api/v1/messages", json=order).status_code == 403
        assert system.get("/api/v1/messages").status_code == 403


def test_a_key_holds_across_a_restart_and_a_crash(install: Make) -> None:
    installed = install()
    token = _token(installed, "sender")
    answers = []
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        process = _start(installed)
        with _caller(installed, token) as system:
            answers.append(
                system.post(_address(installed), json=BODY, headers={"Idempotency-Key": "order-77"})
            )
            other = system.post(
                _address(installed),
                json={**BODY, "text": {"body": "Other"}},
                headers={"Idempotency-Key": "order-77"},
            )
        stop(process, number)
        assert other.status_code == 409
    assert len({(a.status_code, a.content, a.headers["X-Wamtrail-Message-Id"]) for a in answers}) == 1
    assert answers[0].status_code == 200
    assert len(installed.simulator.posts()) == 1


def test_one_key_at_two_processes_at_once_is_one_message(install: Make) -> None:
    installed = install(answer_delay=0.3)
    _start(installed)
    second = free_port()
    address = f"http://127.0.0.1:{second}"
    installed.start("run", "console", ready=f"{address}/healthz", WAMTRAIL_CONSOLE_BIND=f"127.0.0.1:{second}")
    token = _token(installed, "sender")
    with _caller(installed, token) as here, _caller(installed, token, address) as there:

        def send(place: int) -> httpx.Response:
            caller = here if place % 2 else there
            return caller.post(_address(installed), json=BODY, headers={"Idempotency-Key": "k"})

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(send, range(20)))
    assert {(one.status_code, one.content) for one in answers} == {(200, answers[0].content)}
    assert len(installed.simulator.posts()) == 1


def test_what_is_held_stays_until_it_is_released(install: Make) -> None:
    installed = install()
    _start(installed)
    done = installed.run("sender", "pause", "--number", NUMBER, "--reason", "moving house")
    assert done.returncode == 0, done.stderr
    assert NUMBER in done.stdout
    with _caller(installed, _token(installed, "sender")) as system:
        held = system.post(_address(installed), json=BODY)
        assert (held.status_code, held.json()["error"]["code"]) == (503, 131057)
        assert "moving house" in held.json()["error"]["error_data"]["details"]
        queued = system.post("/api/v1/messages", json={"from": NUMBER, "payload": BODY}).json()["message_id"]
    shown = installed.run("sender", "show").stdout
    assert "queued      1" in shown
    assert f"held        {NUMBER} until `wamtrail sender resume`: moving house" in shown
    assert installed.simulator.posts() == []
    assert installed.run("sender", "resume", "--number", NUMBER).returncode == 0
    eventually(lambda: installed.shown(queued)["status"] == "read")


def test_stopped_while_an_answer_hangs_the_message_is_unknown(install: Make) -> None:
    installed = install(hang_seconds=30)
    process = _start(installed, "console")
    token = _token(installed, "sender")
    with _caller(installed, token) as system, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(system.post, _address(installed), json={**BODY, "to": "+919812340011"})
        eventually(lambda: installed.simulator.messages())
        assert stop(process) == 0
        assert asking.exception(timeout=20) is not None or asking.result().status_code in (500, 504)
    message_id = installed.simulator.messages()[0]["callback_data"]
    story = installed.shown(message_id)
    assert story["status"] == "unknown"
    assert [one["outcome"] for one in story["attempts"]] == ["unknown"]
    assert installed.simulator.messages()[0]["posts"] == 1


def test_without_the_wrappers_settings_the_console_queues_and_says_that_it_cannot_post(install: Make) -> None:
    installed = install()
    installed.start(
        "run",
        "console",
        ready=f"{_console(installed)}/healthz",
        WAMTRAIL_WRAPPER_SID="",
        WAMTRAIL_WRAPPER_API_KEY="",
    )
    with _caller(installed, _token(installed, "sender")) as system:
        answer = system.post(_address(installed), json=BODY)
        queued = system.post("/api/v1/messages", json={"from": NUMBER, "payload": BODY})
    assert answer.status_code == 503
    assert "WAMTRAIL_WRAPPER_SID" in answer.json()["error"]["error_data"]["details"]
    assert queued.status_code == 202
