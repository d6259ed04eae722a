"""POST /api/v1/messages: taken in and answered at once, sent by the worker, once for one key."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from http_desk import PATH, QUEUE, calling, token_of
from sending import (
    NUMBER,
    OTHER,
    SCENARIO,
    anybody,
    opened,
    rows,
    send_row,
    states,
    worked,
    worker_for,
    wrapper_for,
)
from sqlalchemy import text

from sender import callers, desk
from sender.payload_build import text as text_payload
from simulator.running import RunningSimulator
from store.database import Database
from store.errors import DatabaseAway, TooSlow


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator(SCENARIO) as running:
        yield running


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    with opened(sqlite_url) as database:
        yield database


def asked(to: str | None = None, **more: Any) -> dict[str, Any]:
    return {"from": NUMBER, "payload": text_payload(to or anybody(), "Hello"), **more}


async def post(caller: httpx.AsyncClient, body: object, **headers: str) -> httpx.Response:
    return await caller.post(
        QUEUE, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


async def test_it_is_queued_answered_at_once_and_sent_by_the_worker(
    database: Database, simulator: RunningSimulator
):
    woken: list[int] = []
    async with calling(database, None, queued=lambda: woken.append(1)) as caller:
        answer = await post(
            caller, asked(reference="order-77", valid_for="2h", priority="bulk", idempotency_key="k")
        )
    message_id = answer.json()["message_id"]
    assert (answer.status_code, answer.json()) == (202, {"message_id": message_id, "status": "queued"})
    assert answer.headers["Location"] == f"/api/v1/messages/{message_id}"
    row = send_row(database, message_id)
    assert (row["state"], row["reference"], row["priority"]) == ("queued", "order-77", 1)
    assert row["expires_at"] - row["queued_at"] == pytest.approx(7200, abs=5)
    assert woken == [1]
    async with wrapper_for(simulator) as wrapper:
        await worked(worker_for(database, wrapper), lambda: set(states(database).values()) == {"accepted"})
    assert [one["callback_data"] for one in simulator.messages()] == [message_id]


async def test_what_does_not_stop_a_message_is_told_with_its_place(sqlite: Database):
    payload = {
        "messaging_product": "whatsapp",
        "to": anybody(),
        "type": "image",
        "image": {"link": "http://example.com/picture.png"},
    }
    async with calling(sqlite, None) as caller:
        answer = await post(caller, {"from": NUMBER, "payload": payload})
        quiet = await post(caller, asked())
    assert answer.status_code == 202
    assert [one["pointer"] for one in answer.json()["warnings"]] == ["/payload/image/link"]
    assert "https" in answer.json()["warnings"][0]["detail"]
    assert "warnings" not in quiet.json()


async def test_of_twenty_requests_with_one_key_one_is_queued(database_url: str):
    body = asked()
    with opened(database_url) as one, opened(database_url) as two:
        async with calling(one, None) as here, calling(two, None) as there:
            found = await asyncio.gather(
                *(post(here if n % 2 else there, body, Idempotency_Key="k") for n in range(20))
            )
        assert len(states(one)) == 1
    assert {one.status_code for one in found} == {202}
    assert len({(one.content, one.headers["Location"]) for one in found}) == 1


async def test_a_repeat_hears_the_same_after_it_was_sent(database: Database, simulator: RunningSimulator):
    body = asked(idempotency_key="k")
    async with calling(database, simulator) as caller:
        first = await post(caller, body)
        async with wrapper_for(simulator) as wrapper:
            await worked(
                worker_for(database, wrapper), lambda: set(states(database).values()) == {"accepted"}
            )
        again = await post(caller, body)
        same = await post(caller, {**body, "idempotency_key": None}, Idempotency_Key="k")
        through = await caller.post(PATH, json=body["payload"], headers={"Idempotency-Key": "k"})
    assert first.content == again.content == same.content
    assert (through.status_code, through.headers["X-Wamtrail-Message-Id"]) == (
        200,
        first.json()["message_id"],
    )
    assert len(simulator.posts()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"reference": "b"},
        {"valid_for": 60},
        {"priority": "bulk"},
        {"payload": text_payload("+919812340001", "x")},
    ],
)
async def test_anything_else_under_the_same_key_is_a_conflict(sqlite: Database, other: dict[str, Any]):
    body = asked("+919812340001", idempotency_key="k", reference="a")
    async with calling(sqlite, None) as caller:
        assert (await post(caller, body)).status_code == 202
        answer = await post(caller, {**body, **other})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "idempotency key" in answer.json()["detail"]
    assert len(states(sqlite)) == 1


# what is wrong -> the pointers that are named
WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"colour": "red"}, {"/colour"}),
    ({"from": None}, {"/from"}),
    ({"from": "+919812340001"}, {"/from"}),
    ({"payload": "Hello"}, {"/payload"}),
    ({"payload": text_payload("12", "Hello")}, {"/payload/to"}),
    (
        {"payload": {**text_payload("+919812340001", ""), "messaging_product": "sms"}},
        {"/payload/messaging_product", "/payload/text/body"},
    ),
    ({"valid_for": "soon"}, {"/valid_for"}),
    ({"valid_for": True}, {"/valid_for"}),
    ({"valid_for": -1}, {"/valid_for"}),
    ({"valid_for": 1e300}, {"/valid_for"}),
    ({"valid_for": "31d"}, {"/valid_for"}),
    ({"priority": "urgent"}, {"/priority"}),
    ({"priority": ["bulk"]}, {"/priority"}),
    ({"reference": 77}, {"/reference"}),
    ({"reference": "x" * 513}, {"/reference"}),
    ({"idempotency_key": ""}, {"/idempotency_key"}),
    ({"colour": 1, "priority": 2, "reference": []}, {"/colour", "/priority", "/reference"}),
]


@pytest.mark.parametrize(("wrong", "pointers"), WRONG)
async def test_each_wrong_field_is_named_and_nothing_is_queued(
    sqlite: Database, wrong: dict[str, Any], pointers: set[str]
):
    async with calling(sqlite, None) as caller:
        answer = await post(caller, {**asked(), **wrong})
    told = answer.json()
    assert (answer.status_code, told["status"], told["title"]) == (400, 400, "Invalid message")
    assert answer.headers["content-type"] == "application/problem+json"
    assert {one["pointer"] for one in told["errors"]} == pointers
    assert all(one["detail"] for one in told["errors"])
    assert states(sqlite) == {}


async def test_two_keys_that_differ_are_refused(sqlite: Database):
    async with calling(sqlite, None) as caller:
        answer = await post(caller, asked(idempotency_key="a"), Idempotency_Key="b")
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/idempotency_key"]


async def test_a_field_that_stands_in_the_address_is_refused_and_nothing_is_queued(sqlite: Database):
    async with calling(sqlite, None) as caller:
        answer = await caller.post(QUEUE, params={"reference": "order-77", "a/b": ""}, json=asked())
    told = answer.json()
    assert (answer.status_code, told["title"]) == (400, "Invalid parameters")
    assert [(one["parameter"], one["pointer"]) for one in told["errors"]] == [
        ("reference", "/reference"),
        ("a/b", "/a~1b"),
    ]
    assert "put what it reads into the body" in told["detail"]
    assert states(sqlite) == {}


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff"])
async def test_what_is_no_json_object_is_a_problem(sqlite: Database, raw: bytes):
    async with calling(sqlite, None) as caller:
        answer = await caller.post(QUEUE, content=raw)
        long = await caller.post(QUEUE, content=b" " * 1_000_001)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert (long.status_code, long.json()["title"]) == (413, "Body too long")


async def test_only_a_sender_may_queue_and_only_from_its_numbers(database: Database):
    reader, limited = token_of(database, "reporter"), token_of(database, "sender", OTHER)
    async with calling(database, None) as caller:
        nobody = await post(caller, asked(), Authorization="")
        wrong = await post(caller, asked(), Authorization="Bearer wt_wrong")
        basic = await post(caller, asked(), Authorization="Basic abc")
        reading = await post(caller, asked(), Authorization=f"Bearer {reader}")
        foreign = await post(caller, asked(), Authorization=f"Bearer {limited}")
        own = await post(caller, {**asked(), "from": OTHER}, Authorization=f"Bearer {limited}")
    assert [one.status_code for one in (nobody, wrong, basic, reading, foreign, own)] == [
        *(401, 401, 401, 403, 403, 202)
    ]
    assert "WWW-Authenticate" in nobody.headers
    assert "invalid_token" not in basic.headers["WWW-Authenticate"]  # it showed none
    assert "invalid_token" in wrong.headers["WWW-Authenticate"]
    assert [row["phone_number_id"] for row in rows(database, "SELECT phone_number_id FROM sends")] == [OTHER]


async def test_a_database_that_keeps_a_message_waiting_is_a_problem_and_no_hang(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(desk, "PATIENCE", 0.1)
    with opened(postgresql_url) as database:
        async with calling(database, None) as caller:
            with database.write() as other:
                other.run(text("LOCK TABLE sends IN EXCLUSIVE MODE"))
                answer = await post(caller, asked())
        assert (answer.status_code, answer.json()["title"]) == (503, "Too slow")
        assert answer.headers["Retry-After"] == "5"
        assert "nothing was queued" in answer.json()["detail"]
        assert states(database) == {}


async def test_a_slow_database_is_a_problem_of_both_apis(sqlite: Database, monkeypatch: pytest.MonkeyPatch):
    def slow(**asked: float) -> None:
        assert asked["patience"] == callers.PATIENCE
        raise TooSlow("slow")

    async with calling(sqlite, None) as caller:
        monkeypatch.setattr(sqlite, "read", slow)
        queued = await post(caller, asked())
        through = await caller.post(PATH, json=asked()["payload"])
    assert (queued.status_code, queued.json()["title"]) == (503, "Too slow")
    assert through.status_code == 503
    assert "did not answer in time" in through.json()["error"]["error_data"]["details"]
    assert through.headers["Retry-After"] == "5"


async def test_a_database_that_is_away_is_a_problem(sqlite: Database, monkeypatch: pytest.MonkeyPatch):
    def away(*_arguments: object, **_more: object) -> None:
        raise DatabaseAway("away")

    async with calling(sqlite, None) as caller:
        monkeypatch.setattr(sqlite, "write", away)
        answer = await post(caller, asked())
    assert (answer.status_code, answer.json()["title"]) == (503, "Database away")
    assert answer.headers["Retry-After"] == "5"
