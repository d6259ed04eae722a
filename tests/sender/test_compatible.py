"""The compatible API: the wrapper's answers unchanged, our own in Meta's shape, one message for one key."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from http_desk import PATH, calling, token_of
from sending import NUMBER, OTHER, SCENARIO, anybody, eventually, fate, opened, rows, states

from sender.compatible_errors import WRONG_KEY
from sender.payload_build import text as text_payload
from simulator.running import RunningSimulator
from store import numbers, suppressions
from store.apply import Understood, apply
from store.database import Database
from store.errors import DatabaseAway
from store.ledger import Budget
from store.rates import Limits
from store.records import Parsed, StatusUpdate


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


def hello(to: str | None = None, body: str = "Hello") -> dict[str, Any]:
    return text_payload(to or anybody(), body)


async def post(
    caller: httpx.AsyncClient, body: object, key: str | None = None, **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await caller.post(PATH, json=body, headers={**named, **({"Idempotency-Key": key} if key else {})})


def details(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["error_data"]["details"])


def code(answer: httpx.Response) -> int:
    return int(answer.json()["error"]["code"])


async def test_an_accepted_message_is_answered_as_the_wrapper_answered(
    database: Database, simulator: RunningSimulator
):
    async with calling(database, simulator) as caller:
        answer = await post(caller, hello())
    [message] = simulator.messages()
    [row] = rows(database, "SELECT message_id, wamid, state FROM sends")
    [kept] = rows(database, "SELECT answer FROM attempt_outcomes")
    assert answer.status_code == 200
    assert answer.content == bytes(kept["answer"])
    assert answer.json()["messages"][0]["id"] == message["wamid"] == row["wamid"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["X-Wamtrail-Message-Id"] == row["message_id"] == message["callback_data"]
    assert answer.headers["X-Wamtrail-Outcome"] == "accepted"


# tail of the number -> HTTP status, code, outcome; all these bodies are the wrapper's own
UNCHANGED = {
    "0015": (400, 100, "refused"),
    "0016": (429, 130429, "throttled"),
    "0017": (400, 131056, "throttled"),
    "0018": (200, 131042, "refused"),
    "0021": (404, 132001, "refused"),
}


async def test_a_warning_stands_in_a_header_beside_the_wrappers_own_body(
    sqlite: Database, simulator: RunningSimulator
):
    body = {
        "messaging_product": "whatsapp",
        "to": anybody(),
        "type": "image",
        "image": {"link": "http://example.com/picture.png"},
    }
    async with calling(sqlite, simulator) as caller:
        answer = await caller.post(PATH, json=body)
    assert answer.status_code == 200
    assert "https" in answer.headers["X-Wamtrail-Warning"]
    assert set(answer.json()) == {"messaging_product", "contacts", "messages"}


@pytest.mark.parametrize("tail", UNCHANGED)
async def test_a_refusal_is_passed_on_byte_for_byte(sqlite: Database, simulator: RunningSimulator, tail: str):
    async with calling(sqlite, simulator) as caller:
        answer = await post(caller, hello(fate(tail)))
    [kept] = rows(sqlite, "SELECT answer, outcome FROM attempt_outcomes")
    assert (answer.status_code, code(answer), answer.headers["X-Wamtrail-Outcome"]) == UNCHANGED[tail]
    assert answer.content == bytes(kept["answer"])
    assert answer.json()["error"]["fbtrace_id"]
    assert set(states(sqlite).values()) == {"refused"}  # nothing stays queued: the caller will repeat
    assert ("retry-after" in answer.headers) == (kept["outcome"] == "throttled")


async def test_kaleyras_401_for_our_own_key_is_passed_on_too(sqlite: Database, simulator: RunningSimulator):
    async with calling(sqlite, simulator) as caller:
        answer = await post(caller, hello(fate("0025")))
        held = await post(caller, hello())
    assert (answer.status_code, answer.content) == (401, WRONG_KEY)
    assert (held.status_code, code(held)) == (503, 131057)
    assert "RBC201" in details(held)
    assert len(simulator.posts()) == 1


@pytest.mark.parametrize("tail", ["0010", "0012", "0013", "0014", "0019", "0020", "0026"])
async def test_an_unknown_outcome_says_not_to_repeat(
    sqlite: Database, simulator: RunningSimulator, tail: str
):
    async with calling(sqlite, simulator) as caller:
        answer = await post(caller, hello(fate(tail)))
    assert (answer.status_code, code(answer)) == (504, 131000)
    assert answer.json()["error"]["is_transient"] is False
    assert "Do not repeat it; ask for the message" in details(answer)
    assert answer.headers["X-Wamtrail-Message-Id"] in details(answer)
    assert answer.headers["X-Wamtrail-Outcome"] == "unknown"
    assert states(sqlite) == {answer.headers["X-Wamtrail-Message-Id"]: "unknown"}


async def test_a_wrong_key_another_sid_or_a_readers_token_get_kaleyras_own_401(
    database: Database, simulator: RunningSimulator
):
    reader = token_of(database, "reporter")
    async with calling(database, simulator) as caller:
        answers = [
            await post(caller, hello(), api_key="wrong"),
            await post(caller, hello(), api_key=""),
            await post(caller, hello(), api_key=reader),
            await caller.post(PATH.replace(SCENARIO.sid, "HXSOMEBODYELSE"), json=hello()),
            await caller.post(PATH, content=b"{", headers={"api-key": "wrong"}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.content) == (401, WRONG_KEY)
        assert answer.headers["content-type"] == "application/json"
    assert simulator.posts() == []
    assert states(database) == {}


async def test_a_token_sends_only_from_its_numbers(database: Database, simulator: RunningSimulator):
    token = token_of(database, "sender", OTHER)
    async with calling(database, simulator, token=token) as caller:
        answer = await post(caller, hello())
        own = await caller.post(PATH.replace(NUMBER, OTHER), json=hello())
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, 33)
    assert NUMBER in error["message"]
    assert own.status_code == 200
    assert [one["phone_number_id"] for one in simulator.posts()] == [OTHER]


async def test_an_invalid_message_is_refused_with_every_problem_and_records_nothing(
    database: Database, simulator: RunningSimulator
):
    bad = {"messaging_product": "sms", "to": "12", "type": "text", "text": {"body": ""}}
    async with calling(database, simulator) as caller:
        answer = await post(caller, bad, key="k")
        phone = await caller.post(PATH.replace(NUMBER, "+919812340001"), json=hello())
        strange = await post(caller, hello(), X_Wamtrail_On_Limit="maybe")
        good = await post(caller, hello(), key="k")
    assert (answer.status_code, code(answer)) == (400, 100)
    assert answer.json()["error"]["message"] == "(#100) Invalid parameter"
    assert all(word in details(answer) for word in ("messaging_product", "to", "text.body"))
    assert "PHONE_NUMBER_ID" in details(phone)
    assert (strange.status_code, details(strange)) == (400, "X-Wamtrail-On-Limit takes wait or reject.")
    assert good.status_code == 200
    assert len(states(database)) == 1


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "line 1, column 1"),
        (b'{"to": ', "column 8"),
        (b'{"to": NaN}', "NaN"),
        (b'{"to": "1", "to": "2"}', "twice"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 100_000, "nested"),
        (b"[1]", "JSON object"),
        (b'{"a": ' + b"1" * 5000 + b"}", "digits"),
    ],
)
async def test_what_is_not_json_is_told_in_metas_shape(
    sqlite: Database, simulator: RunningSimulator, raw: bytes, word: str
):
    async with calling(sqlite, simulator) as caller:
        answer = await caller.post(PATH, content=raw)
    assert (answer.status_code, code(answer)) == (400, 100)
    assert word in details(answer)
    assert simulator.posts() == []


async def test_a_body_over_the_limit_is_refused_without_reading_all_of_it(
    sqlite: Database, simulator: RunningSimulator
):
    taken = []

    async def endless():
        while len(taken) < 1000:
            taken.append(1)
            yield b" " * 65_536

    async with calling(sqlite, simulator) as caller:
        announced = await caller.post(PATH, content=b" " * 1_000_001)
        streamed = await caller.post(PATH, content=endless())
    for answer in (announced, streamed):
        assert (answer.status_code, code(answer)) == (413, 100)
        assert "1,000,000 bytes" in details(answer)


async def test_of_twenty_requests_with_one_key_one_is_posted_and_all_hear_the_same(database_url: str):
    """Two desks on two opened databases stand for two processes."""
    with (
        RunningSimulator(replace(SCENARIO, answer_delay=0.3)) as simulator,
        opened(database_url) as one,
        opened(database_url) as two,
    ):
        body = hello()
        async with calling(one, simulator) as here, calling(two, simulator) as there:
            found = await asyncio.gather(
                *(post(here if n % 2 else there, body, key="order-77") for n in range(20))
            )
            late = await post(there, body, key="order-77")
        assert len(simulator.posts()) == 1
        assert len(states(one)) == 1
    heads = ("X-Wamtrail-Message-Id", "X-Wamtrail-Outcome", "content-type")
    told = {(a.status_code, a.content, *(a.headers[name] for name in heads)) for a in (*found, late)}
    assert len(told) == 1
    assert found[0].status_code == 200


@pytest.mark.parametrize("tail", ["0001", "0010", "0013", "0014", "0015", "0016", "0018", "0021"])
async def test_the_same_key_gets_the_first_status_and_bytes(
    sqlite_url: str, simulator: RunningSimulator, tail: str
):
    body = hello(fate(tail))
    answers = []
    for _start in range(2):  # as after a restart
        with opened(sqlite_url) as database:
            async with calling(database, simulator) as caller:
                answers += [await post(caller, body, key="k") for _ in range(2)]
    assert len({(one.status_code, one.content, one.headers["X-Wamtrail-Message-Id"]) for one in answers}) == 1
    assert len(simulator.posts()) == 1


async def test_a_status_that_settles_it_later_does_not_change_the_first_answer(
    database: Database, simulator: RunningSimulator
):
    body = hello(fate("0010"))
    async with calling(database, simulator) as caller:
        first = await post(caller, body, key="k")
        _status_comes(database, simulator)
        again = await post(caller, body, key="k")
    assert set(states(database).values()) == {"accepted"}
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.headers["X-Wamtrail-Outcome"], again.headers["X-Wamtrail-Outcome"]) == (
        "unknown",
        "accepted",
    )


async def test_a_status_that_comes_before_the_answer_is_lost_makes_it_accepted(
    database: Database, simulator: RunningSimulator
):
    body = hello(fate("0011"))
    async with calling(database, simulator) as caller:
        asking = asyncio.create_task(post(caller, body, key="k"))
        await eventually(lambda: bool(simulator.messages()))
        _status_comes(database, simulator)
        first = await asking
        again = await post(caller, body, key="k")
    wamid = simulator.messages()[0]["wamid"]
    assert (first.status_code, first.json()["messages"]) == (200, [{"id": wamid}])
    assert first.json()["contacts"] == [{"input": body["to"], "wa_id": body["to"].removeprefix("+")}]
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert len(simulator.posts()) == 1


def _status_comes(database: Database, simulator: RunningSimulator) -> None:
    message = simulator.messages()[0]
    update = StatusUpdate(
        message["wamid"], "", "sent", 1_790_000_000, "", callback_data=message["callback_data"]
    )
    with database.write() as tx:
        apply(tx, [Understood(1, 1_790_000_001.0, Parsed(updates=(update,)))], 1_790_000_002.0)


async def test_an_answer_that_is_deleted_since_is_made_again(sqlite: Database, simulator: RunningSimulator):
    accepted, refused = hello(), hello(fate("0021"))
    async with calling(sqlite, simulator) as caller:
        first = [await post(caller, accepted, key="a"), await post(caller, refused, key="r")]
        with sqlite.write() as tx:
            tx.driver("UPDATE attempt_outcomes SET answer = NULL")
        again = [await post(caller, accepted, key="a"), await post(caller, refused, key="r")]
    assert [one.status_code for one in again] == [one.status_code for one in first] == [200, 404]
    assert again[0].json()["messages"] == first[0].json()["messages"]
    assert again[1].json() == first[1].json()
    assert len(simulator.posts()) == 2


async def test_another_body_under_the_same_key_is_a_conflict(database: Database, simulator: RunningSimulator):
    person = anybody()
    async with calling(database, simulator) as caller:
        await post(caller, hello(person), key="k")
        answer = await post(caller, hello(person, "Other"), key="k")
    assert (answer.status_code, code(answer)) == (409, 100)
    assert "idempotency key" in details(answer)
    assert len(simulator.posts()) == 1


async def test_what_is_still_being_sent_is_waited_for_and_then_409(sqlite: Database):
    body = hello(fate("0011"))
    with RunningSimulator(SCENARIO) as simulator:
        async with (
            calling(sqlite, simulator, timeout=2.5) as patient,
            calling(sqlite, simulator, timeout=0.3) as impatient,
        ):
            first = asyncio.create_task(post(patient, body, key="k"))
            await eventually(lambda: bool(simulator.posts()))
            early = await post(impatient, body, key="k")
            assert (early.status_code, early.headers["X-Wamtrail-Outcome"]) == (409, "sending")
            assert "same Idempotency-Key" in details(early)
            assert (await first).status_code == 504
        assert len(simulator.posts()) == 1


async def test_over_the_limit_it_waits_or_is_rejected_as_the_caller_chose(
    database: Database, simulator: RunningSimulator
):
    async with calling(database, simulator, limits=Limits(rate=1.0)) as caller:
        first = await post(caller, hello())
        rejected = await post(caller, hello(), key="k", X_Wamtrail_On_Limit="reject")
        before = states(database)
        waited = await post(caller, hello(), key="k", X_Wamtrail_On_Limit="wait")
    assert (first.status_code, waited.status_code) == (200, 200)
    assert (rejected.status_code, code(rejected)) == (429, 130429)
    assert int(rejected.headers["Retry-After"]) in (1, 2)
    assert rejected.headers["X-Wamtrail-Outcome"] == "throttled"
    assert len(before) == 1  # the rejected one left no row, so its key was free
    assert len(simulator.posts()) == 2


async def test_it_waits_five_seconds_at_most(sqlite: Database, simulator: RunningSimulator):
    async with calling(sqlite, simulator, limits=Limits(rate=0.1)) as caller:
        assert (await post(caller, hello())).status_code == 200
        answer = await asyncio.wait_for(post(caller, hello()), 3)  # ten seconds are too long: told at once
    assert (answer.status_code, code(answer)) == (429, 130429)
    assert int(answer.headers["Retry-After"]) >= 8  # more, when a busy machine missed a slot: it is dropped


async def test_the_limit_of_one_person_has_its_own_code(database: Database, simulator: RunningSimulator):
    limits, person = Limits(rate=1000.0, pair_burst=2, pair_seconds=60.0), anybody()
    async with calling(database, simulator, limits=limits) as caller:
        found = [await post(caller, hello(person)) for _ in range(3)]
        assert (await post(caller, hello())).status_code == 200
    # A slot missed on a busy machine counts against the person, so the second may be over the limit already.
    assert (found[0].status_code, found[2].status_code, code(found[2])) == (200, 429, 131056)
    assert 50 < int(found[2].headers["Retry-After"]) < 125


async def test_while_sending_is_held_it_is_told_why(database: Database, simulator: RunningSimulator):
    with database.write() as tx:
        numbers.pause(tx, NUMBER, "moving house", 0.0)
    async with calling(database, simulator) as caller:
        answer = await post(caller, hello(), key="k")
        with database.write() as tx:
            numbers.resume(tx, NUMBER)
        after = await post(caller, hello(), key="k")
    assert (answer.status_code, code(answer), after.status_code) == (503, 131057, 200)
    assert "moving house" in details(answer)


async def test_an_unreachable_wrapper_leaves_nothing_behind_and_the_key_free(
    database: Database, simulator: RunningSimulator
):
    body = hello()
    async with calling(database, None, url="http://127.0.0.1:9") as caller:
        answer = await post(caller, body, key="k")
    assert (answer.status_code, code(answer)) == (503, 131057)
    assert answer.json()["error"]["is_transient"] is True
    assert "repeat it later" in details(answer)
    assert answer.headers["X-Wamtrail-Outcome"] == "unreachable"
    assert set(states(database).values()) == {"refused"}
    async with calling(database, simulator) as caller:
        assert (await post(caller, body, key="k")).status_code == 200
    assert len(simulator.posts()) == 1


RECEIPT = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.ABC"}


async def test_read_receipts_and_typing_pass_through_and_are_no_messages(
    database: Database, simulator: RunningSimulator
):
    async with calling(database, simulator) as caller:
        plain = await post(caller, RECEIPT)
        typing = await post(caller, {**RECEIPT, "typing_indicator": {"type": "text"}})
        bad = await post(caller, {"messaging_product": "whatsapp", "status": "read"})
    async with calling(database, None, url="http://127.0.0.1:9") as caller:
        away = await post(caller, RECEIPT)
    assert [(one.status_code, one.json()) for one in (plain, typing)] == [(200, {"success": True})] * 2
    assert (bad.status_code, "message_id" in details(bad)) == (400, True)
    assert (away.status_code, code(away)) == (503, 131057)
    assert [one["outcome"] for one in simulator.posts()] == ["read receipt"] * 2
    assert states(database) == {}


async def test_without_the_wrappers_settings_it_says_so(sqlite: Database):
    async with calling(sqlite, None) as caller:
        answer = await post(caller, hello())
        stranger = await post(caller, hello(), api_key="wrong")
    assert (answer.status_code, code(answer)) == (503, 131057)
    assert "WAMTRAIL_WRAPPER_SID" in details(answer)
    assert stranger.status_code == 401


async def test_a_database_that_is_away_is_told_and_nothing_is_sent(
    sqlite: Database, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
):
    def away(*_arguments: object, **_more: object) -> None:
        raise DatabaseAway("away")

    async with calling(sqlite, simulator) as caller:
        with monkeypatch.context() as patched:
            patched.setattr(sqlite, "write", away)
            answer = await post(caller, hello())
        with monkeypatch.context() as patched:
            patched.setattr(sqlite, "read", away)
            unasked = await post(caller, hello())
    for one in (answer, unasked):
        assert (one.status_code, code(one), one.headers["Retry-After"]) == (503, 131057, "5")
        assert "sent nothing" in details(one)
    assert simulator.posts() == []


async def test_a_database_that_goes_away_after_it_was_taken_in_is_no_leave_to_repeat(
    sqlite: Database, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
):
    """It waits for its slot in the queue, where another process will find it."""
    whole, writes = sqlite.write, []

    def write(**more: Any) -> Any:
        writes.append(1)
        if len(writes) > 1:
            raise DatabaseAway("away")
        return whole(**more)

    async with calling(sqlite, simulator, limits=Limits(rate=2.0)) as caller:
        assert (await post(caller, hello())).status_code == 200
        monkeypatch.setattr(sqlite, "write", write)
        answer = await post(caller, hello())
    assert (answer.status_code, code(answer)) == (504, 131000)
    assert "Do not repeat" in details(answer)


async def test_the_callers_own_callback_data_leaves_with_ours(sqlite: Database, simulator: RunningSimulator):
    mine = secrets.token_hex(8)
    async with calling(sqlite, simulator) as caller:
        answer = await post(caller, {**hello(), "biz_opaque_callback_data": mine})
    [message] = simulator.messages()
    assert message["callback_data"] == f"{answer.headers['X-Wamtrail-Message-Id']}:{mine}"
    assert json.loads(answer.content)["messages"][0]["id"] == message["wamid"]


TEMPLATE = {"messaging_product": "whatsapp", "type": "template"}


async def test_marketing_to_somebody_who_wants_none_is_refused_without_a_row(
    database: Database, simulator: RunningSimulator
):
    person = anybody()
    with database.write() as tx:
        suppressions.set_by_person(tx, person.removeprefix("+"), True, "asked", 1_790_000_000.0)
    body = {**TEMPLATE, "to": person, "template": {"name": "sale", "language": {"code": "en"}}}
    async with calling(database, simulator) as caller:
        answer = await post(caller, body, key="k")
    assert (answer.status_code, code(answer)) == (400, 100)
    assert "opted out" in details(answer)
    assert states(database) == {}
    assert simulator.posts() == []


async def test_without_balance_it_is_refused_with_metas_code_for_billing(
    database: Database, simulator: RunningSimulator
):
    body = {**TEMPLATE, "to": anybody(), "template": {"name": "order", "language": {"code": "en"}}}
    async with calling(database, simulator, budget=Budget("INR")) as caller:
        first, again = [await post(caller, body, key="k") for _ in range(2)]
    assert (first.status_code, code(first), first.headers["X-Wamtrail-Outcome"]) == (400, 131042, "refused")
    assert "rates import" in details(first)
    assert (again.status_code, again.content) == (400, first.content)
    assert set(states(database).values()) == {"refused"}
    assert simulator.posts() == []
