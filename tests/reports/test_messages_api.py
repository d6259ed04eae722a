"""GET /api/v1/messages and /api/v1/messages/{id}: who may ask, what may be asked, what comes back."""

import threading
from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from story_seeds import BANK, PHONE, SHOP, Seeds

from reports.api import create
from reports.query import MessagesQuery
from store import audit, search_follow, tokens
from store.database import Database
from store.status import STATUSES

LIST = "/api/v1/messages"


def client(database: Database, token: str | None) -> httpx.AsyncClient:
    app = Starlette(routes=[create(database)])
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://console", headers=headers)


async def ask(seeds: Seeds, path: str, token: str | None = None, **params: Any) -> httpx.Response:
    """With the lists in step with what was seeded."""
    while search_follow.step(seeds.database):
        pass
    async with client(seeds.database, token or seeds.token()) as http:
        return await http.get(path, params=params or None)


def is_problem(answer: httpx.Response, status: int) -> Mapping[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


async def ids(seeds: Seeds, **params: Any) -> list[str]:
    answer = await ask(seeds, LIST, **params)
    assert answer.status_code == 200, answer.text
    return [one["message_id"] or one["wamid"] for one in answer.json()["messages"]]


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer", "Bearer wt_0123456789ab_" + "A" * 43])
async def test_without_a_known_token_nothing_is_answered(seeds: Seeds, header: str | None):
    async with client(seeds.database, None) as http:
        for path in (LIST, f"{LIST}/wamid.A"):
            answer = await http.get(path, headers={"Authorization": header} if header else {})
            is_problem(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_token_opens_nothing(seeds: Seeds):
    token = seeds.token()
    assert (await ask(seeds, LIST, token)).status_code == 200
    with seeds.database.write() as tx:
        tokens.revoke(tx, token.split("_")[1], 1.0)
    is_problem(await ask(seeds, LIST, token), 401)


@pytest.mark.parametrize("role", ["reporter", "support", "admin"])
async def test_roles_that_read_may_read(seeds: Seeds, role: str):
    assert (await ask(seeds, LIST, seeds.token(role))).json() == {"messages": [], "next": None}


async def test_a_sender_may_not_read(seeds: Seeds):
    body = is_problem(await ask(seeds, LIST, seeds.token("sender")), 403)
    assert "sender" in body["detail"]


async def test_pages_hold_every_message_once_newest_first(seeds: Seeds):
    made = [seeds.send(at=float(at)) for at in range(5)]
    seeds.stranger("wamid.S+/=", at=60)
    token, seen, cursor = seeds.token(), [], None
    for _ in range(3):
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        body = (await ask(seeds, LIST, token, **params)).json()
        seen += [one["message_id"] or one["wamid"] for one in body["messages"]]
        cursor = body["next"]
    assert seen == ["wamid.S+/=", *reversed(made)]
    assert cursor is None


async def test_each_parameter_narrows(seeds: Seeds):
    first = seeds.accepted("wamid.1", at=0, reference="order-1")
    second = seeds.send(at=100, phone_number_id=BANK, recipient="4915112345678")
    seeds.status("wamid.1", "delivered", 5)
    assert await ids(seeds, status="delivered") == [first]
    assert await ids(seeds, status="sending") == [second]
    assert await ids(seeds, reference="order-1") == [first]
    assert await ids(seeds, **{"from": BANK}) == [second]
    assert await ids(seeds, to=PHONE) == [first]
    assert await ids(seeds, to="+49 1511 2345678") == [second]
    assert await ids(seeds, since="2026-11-22T10:01:00Z") == [second]
    assert await ids(seeds, until="2026-11-22T15:31:00+05:30") == [first]
    assert await ids(seeds, since="2026-11-22", until="2026-11-23") == [second, first]
    assert await ids(seeds, since="2026-11-23") == []


async def test_a_search_by_number_stands_in_the_audit_log_and_no_other_question_does(seeds: Seeds):
    token = seeds.token()
    await ask(seeds, LIST, token, status="delivered")
    await ask(seeds, LIST, token, to=f"+{PHONE}")
    with seeds.database.read() as tx:
        (entry,) = audit.listed(tx)
    assert (entry.who, entry.action) == (f"token:{token.split('_')[1]}", "search_number")
    assert entry.target.removeprefix("+") == PHONE


async def test_a_plus_that_the_address_turned_into_a_blank_is_understood(seeds: Seeds):
    first = seeds.send()
    token = seeds.token()
    answer = await ask(seeds, f"{LIST}?to=+{PHONE}&until=2026-11-22T15:31:00+05:30", token)
    assert [one["message_id"] for one in answer.json()["messages"]] == [first]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "many"),
        ("status", "lost"),
        ("since", "yesterday"),
        ("since", "2026-11-22T10:00:00"),
        ("until", "2026-13-01"),
        ("until", "0001-01-01T00:00:00+14:60"),
        ("to", "98765 43210"),
        ("to", ""),
        ("to", "a\x00b"),
        ("from", ""),
        ("reference", "x" * 513),
        ("cursor", "nonsense"),
        ("cursor", "bmFufGtleQ=="),
        ("cursor", "MS4wfA=="),
        ("colour", "red"),
    ],
)
async def test_a_wrong_parameter_is_named(seeds: Seeds, name: str, value: str):
    body = is_problem(await ask(seeds, LIST, **{name: value}), 400)
    assert [one["parameter"] for one in body["errors"]] == [name]
    assert body["errors"][0]["detail"]


async def test_a_parameter_given_twice_is_refused(seeds: Seeds):
    body = is_problem(await ask(seeds, f"{LIST}?status=sent&status=read"), 400)
    assert body["errors"][0]["parameter"] == "status"


def test_every_status_can_be_asked_for():
    words = {
        word for part in get_args(MessagesQuery.model_fields["status"].annotation) for word in get_args(part)
    }
    assert words == set(STATUSES)


async def test_one_message_is_found_by_each_of_its_names(seeds: Seeds):
    wamid = "wamid.HBgM/a+b=="
    old = seeds.accepted("wamid.old", at=0, reference="order-77")
    new = seeds.accepted(wamid, at=50, reference="order-77")
    token = seeds.token()
    for typed, expected in (
        (wamid, new),
        (quote(wamid, safe=""), new),
        (new, new),
        (old.upper(), old),
        ("order-77", new),
    ):
        answer = await ask(seeds, f"{LIST}/{typed}", token)
        assert answer.json()["message_id"] == expected
        assert answer.headers["cache-control"] == "no-store"
        assert len(answer.json()["attempts"]) == 1


@pytest.mark.parametrize("typed", ["wamid.none", "", "a%00b", "x" * 600])
async def test_an_unknown_id_is_404(seeds: Seeds, typed: str):
    is_problem(await ask(seeds, f"{LIST}/{typed}"), 404)


async def test_a_token_sees_only_its_own_numbers(seeds: Seeds):
    shops = seeds.accepted("wamid.1", at=0, reference="order-77")
    banks = seeds.accepted("wamid.2", at=50, reference="order-77", phone_number_id=BANK)
    seeds.stranger("wamid.3")  # of the bank
    token = seeds.token("reporter", SHOP)
    listed = (await ask(seeds, LIST, token)).json()["messages"]
    assert [one["message_id"] for one in listed] == [shops]
    for hidden in (banks, "wamid.2", "wamid.3"):
        is_problem(await ask(seeds, f"{LIST}/{hidden}", token), 404)
    assert (await ask(seeds, f"{LIST}/order-77", token)).json()["message_id"] == shops
    is_problem(await ask(seeds, f"{LIST}/wamid.1", seeds.token("reporter", "999")), 404)


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/message", "/api/v2/messages"])
async def test_another_address_is_404(seeds: Seeds, path: str):
    answer = await ask(seeds, path)
    if answer.status_code == 307:  # /api itself leads to /api/
        answer = await ask(seeds, answer.headers["location"])
    is_problem(answer, 404)


async def test_another_method_is_405(seeds: Seeds):
    async with client(seeds.database, seeds.token()) as http:
        for path in (LIST, f"{LIST}/x"):
            answer = await http.delete(path)
            is_problem(answer, 405)
            assert "GET" in answer.headers["allow"]


async def test_a_database_that_is_away_is_503(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/nowhere/none.db")
    async with client(database, "wt_0123456789ab_" + "A" * 43) as http:
        answer = await http.get(LIST)
    database.close()
    is_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


async def test_a_reference_with_a_line_end_is_found(seeds: Seeds):
    message_id = seeds.accepted("wamid.1", reference="order\n77\n")
    answer = await ask(seeds, f"{LIST}/order%0A77%0A")
    assert answer.json()["message_id"] == message_id
    is_problem(await ask(seeds, f"{LIST}/order%0A78"), 404)


async def test_the_event_loop_never_waits_for_the_database(seeds: Seeds, monkeypatch):
    threads = set()
    read = Database.read

    def noted(self, **more):
        threads.add(threading.get_ident())
        return read(self, **more)

    monkeypatch.setattr(Database, "read", noted)
    async with client(seeds.database, seeds.token()) as http:
        await http.get(LIST)
        await http.get(f"{LIST}/x")
    assert threads
    assert threading.get_ident() not in threads


async def test_a_reference_that_others_use_often_still_finds_ones_own(seeds: Seeds):
    mine = seeds.send(reference="order-77", phone_number_id=BANK)
    for n in range(51):
        seeds.send(reference="order-77", at=n + 1.0)
    answer = await ask(seeds, "/api/v1/messages/order-77", seeds.token("reporter", BANK))
    assert answer.status_code == 200
    assert answer.json()["message_id"] == mine
