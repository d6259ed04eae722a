"""GET /api/v1/events and /api/v1/reports: never skips, never repeats, only what the asker may see."""

import asyncio
import base64
import threading
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from story_seeds import CLAIM, SHOP, START, Seeds, ours

from reports import reports_api
from reports.api import create
from store import events, search_follow
from store.apply import Understood, apply
from store.database import Database, WriteTx
from store.outcomes import Claim, Ended, record_outcomes
from store.records import AttemptEnd, Parsed, StatusUpdate

NOW = 1_800_000_000.25
FEED = "/api/v1/events"


class RolledBack(Exception):
    pass


def told(tx: WriteTx, webhook: int, names: list[str], number: str = "100") -> None:
    updates = tuple(StatusUpdate(name, "", "sent", 1_800_000_000, "", number) for name in names)
    apply(tx, [Understood(webhook, NOW, Parsed(updates))], NOW)


def write(database: Database, webhook: int, *names: str, number: str = "100") -> None:
    with database.write() as tx:
        told(tx, webhook, list(names), number)


async def ask(seeds: Seeds, path: str, token: str | None = None, **params: Any) -> httpx.Response:
    while search_follow.step(seeds.database):
        pass
    more = reports_api.routes(seeds.database, ZoneInfo("UTC"), lambda: NOW)
    app = Starlette(routes=[create(seeds.database, more)])
    headers = {"Authorization": f"Bearer {token or seeds.token()}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://console", headers=headers
    ) as http:
        return await http.get(path, params=params)


def read_all(database: Database, limit: int, after: events.After | None = None) -> Iterator[str]:
    while True:
        with database.read() as tx:
            page = events.page(tx, after, limit)
        yield from (one["wamid"] for one in page.updates_and_attempts)
        after = page.after
        if not page.more:
            return


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_large_batches_are_split_over_pages_without_skip_or_repeat(seeds: Seeds, limit: int):
    write(seeds.database, 1, *[f"a{n}" for n in range(5)])
    write(seeds.database, 2, *[f"b{n}" for n in range(4)])
    assert list(read_all(seeds.database, limit)) == [f"a{n}" for n in range(5)] + [f"b{n}" for n in range(4)]


async def test_a_job_polls_on_from_next_and_a_pruned_cursor_is_gone(seeds: Seeds):
    empty = (await ask(seeds, FEED)).json()
    assert empty["events"] == []
    assert empty["more"] is False
    write(seeds.database, 1, "w1")
    found = (await ask(seeds, FEED, after=empty["next"])).json()
    assert [one["wamid"] for one in found["events"]] == ["w1"]
    with seeds.database.write() as tx:
        events.mark_pruned(tx, 1)
    assert (await ask(seeds, FEED, after=empty["next"])).status_code == 410
    assert (await ask(seeds, FEED, after=found["next"])).status_code == 200


async def test_a_cursor_after_the_newest_event_is_gone_because_a_restored_feed_would_skip(seeds: Seeds):
    """Positions are given again after a restore; those up to the cursor would never be read."""
    write(seeds.database, 1, "w1")
    write(seeds.database, 2, "w2-0", "w2-1")
    inside = (await ask(seeds, FEED, limit=2)).json()["next"]
    newest = (await ask(seeds, FEED, after=inside)).json()["next"]
    assert (await ask(seeds, FEED, after=newest)).status_code == 200
    with seeds.database.write() as tx:  # as it was before the second
        tx.run(text("DELETE FROM status_updates WHERE wamid LIKE 'w2%'"))
        tx.run(text("DELETE FROM feed WHERE position = (SELECT max(position) FROM feed)"))
    for cursor in (inside, newest):
        answer = await ask(seeds, FEED, after=cursor)
        assert answer.status_code == 410
        assert "restored" in answer.json()["detail"]
        assert "without `after`" in answer.json()["detail"]
    again = (await ask(seeds, FEED)).json()
    assert [one["wamid"] for one in again["events"]] == ["w1"]
    assert (await ask(seeds, FEED, after=again["next"])).status_code == 200


async def test_a_scoped_token_sees_its_numbers_and_its_cursor_goes_past_others(seeds: Seeds):
    write(seeds.database, 1, "w1", "w1-too", number="200")
    write(seeds.database, 2, "w2", number="100")
    token = seeds.token("reporter", "100")
    first = (await ask(seeds, FEED, token, limit=1)).json()
    assert first["events"] == []
    assert first["more"] is True
    second = (await ask(seeds, FEED, token, after=first["next"])).json()
    assert [one["wamid"] for one in second["events"]] == ["w2"]


async def test_a_scoped_cursor_names_no_row_of_others(seeds: Seeds):
    write(seeds.database, 1, "w1", "w2", "w3", number="200")
    write(seeds.database, 2, "w4", "w5", number="100")
    write(seeds.database, 3, "w6", "w7", number="200")
    token, seen, after, more = seeds.token("reporter", "100"), [], {}, True
    while more:
        page = (await ask(seeds, FEED, token, limit=1, **after)).json()
        seen += [one["wamid"] for one in page["events"]]
        told = base64.urlsafe_b64decode(page["next"]).decode()
        assert not any(name in told for name in ("w1", "w2", "w3", "w6", "w7"))
        after, more = {"after": page["next"]}, page["more"]
    assert seen == ["w4", "w5"]


@pytest.mark.parametrize("after", ["x", "W10=", "WzEsWzFdXQ==", "Wy0xLG51bGxd"])
async def test_what_is_no_cursor_is_refused(seeds: Seeds, after: str):
    answer = await ask(seeds, FEED, after=after)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "after"


async def test_reports_answer_and_refuse_what_they_do_not_know(seeds: Seeds):
    for kind in ("delivery", "failures", "latency", "cost"):
        answer = await ask(seeds, f"/api/v1/reports/{kind}", by="day,number")
        assert answer.status_code == 200
        assert answer.json()["report"] == kind
    for wrong in ({"by": "shoe"}, {"since": "yesterday"}, {"colour": "red"}):
        answer = await ask(seeds, "/api/v1/reports/delivery", **wrong)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == next(iter(wrong))


async def test_four_writers_and_a_reader_that_always_polls_lose_and_repeat_nothing(seeds: Seeds):
    database = seeds.database

    def writer(w: int) -> None:
        for n in range(15):
            try:
                with database.write() as tx:
                    told(tx, w * 100 + n + 1, [f"w{w}-{n}-{k}" for k in range(3)])
                    if n % 5 == 4:
                        raise RolledBack
            except RolledBack:
                pass

    threads = [threading.Thread(target=writer, args=(w,)) for w in range(4)]
    stranger = database.read()
    tx = stranger.__enter__()  # open all the while
    tx.value(text("SELECT count(*) FROM feed"))
    seen: list[str] = []
    after: events.After | None = None

    def poll() -> bool:
        nonlocal after
        with database.read() as reading:
            page = events.page(reading, after, 4)
        after = page.after
        seen.extend(one["wamid"] for one in page.updates_and_attempts)
        return page.more

    for one in threads:
        one.start()
    while any(one.is_alive() for one in threads):
        await asyncio.to_thread(poll)
    while poll():
        pass
    stranger.__exit__(None, None, None)
    wanted = {f"w{w}-{n}-{k}" for w in range(4) for n in range(15) if n % 5 != 4 for k in range(3)}
    assert len(seen) == len(set(seen))
    assert set(seen) == wanted


# How our own POSTs ended.


def ended(seeds: Seeds, *outcomes: str, wamid: str = "a") -> list[str]:
    """One batch of ends; their message_ids, which are in order."""
    ids = [seeds.send(at=n, reference=f"order-{wamid}{n}") for n in range(len(outcomes))]
    ends = [
        Ended(message_id, 1, CLAIM, AttemptEnd(outcome, START + n + 0.5, **SHAPES[outcome](f"{wamid}{n}")))
        for n, (message_id, outcome) in enumerate(zip(ids, outcomes, strict=True))
    ]
    with seeds.database.write() as tx:
        record_outcomes(tx, ends)
    return ids


SHAPES: dict[str, Callable[[str], dict[str, Any]]] = {
    "accepted": lambda wamid: {"http_status": 200, "wamid": wamid},
    "refused": lambda _: {"http_status": 400, "refused_by": "meta", "error": '{"code":131008}'},
    "throttled": lambda _: {"http_status": 429, "error": '{"code":130429}', "again_at": START + 60},
    "unreachable": lambda _: {"error": '{"code":null}', "again_at": START + 60},
    "unknown": lambda _: {"error": '{"code":null}'},
}


async def follow(seeds: Seeds, limit: int, token: str | None = None) -> list[dict[str, Any]]:
    """Page by page to the end; no page is longer than it may be."""
    found: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": limit}
    while True:
        page = (await ask(seeds, FEED, token, **params)).json()
        assert len(page["events"]) <= limit
        found += page["events"]
        if not page["more"]:
            return found
        params["after"] = page["next"]


async def test_each_end_of_an_attempt_is_an_event_with_all_that_is_known(seeds: Seeds):
    ids = ended(seeds, *SHAPES)
    found = await follow(seeds, 100)
    assert [(one["message_id"], one["outcome"]) for one in found] == list(zip(ids, SHAPES, strict=True))
    assert found[0] == {
        "kind": "attempt",
        "position": found[0]["position"],
        "message_id": ids[0],
        "wamid": "a0",
        "reference": "order-a0",
        "phone_number_id": SHOP,
        "queued_at": "2026-11-22T10:00:00Z",
        "status": None,
        "participant": None,
        "attempt": 1,
        "outcome": "accepted",
        "http_status": 200,
        "occurred_at": "2026-11-22T10:00:00.500Z",
        "received_at": "2026-11-22T10:00:04.500Z",  # when its batch was written
        "error": None,
    }
    assert [one["http_status"] for one in found] == [200, 400, 429, None, None]
    assert [one["wamid"] for one in found] == ["a0", None, None, None, None]
    assert found[1]["error"]["code"] == 131008
    assert {"meaning", "owner", "retryable", "action"} <= set(found[1]["error"])


async def test_each_try_of_a_message_is_an_event_of_its_own(seeds: Seeds):
    (message_id,) = ended(seeds, "throttled")
    accepted = AttemptEnd("accepted", START + 62, http_status=200, wamid="w")
    with seeds.database.write() as tx:
        record_outcomes(tx, [Ended(message_id, 2, Claim("claim-2", START + 120), accepted)])
    found = await follow(seeds, 1)
    assert [(one["attempt"], one["outcome"]) for one in found] == [(1, "throttled"), (2, "accepted")]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
async def test_a_cursor_stands_inside_a_batch_of_attempts_and_between_kinds(seeds: Seeds, limit: int):
    first = ended(seeds, *["accepted"] * 4)
    write(seeds.database, 1, *[f"s{n}" for n in range(4)])
    second = ended(seeds, *["refused"] * 4, wamid="b")
    found = await follow(seeds, limit)
    assert [one["message_id"] or one["wamid"] for one in found] == [
        *first,
        *[f"s{n}" for n in range(4)],
        *second,
    ]
    assert [one["kind"] for one in found] == ["attempt"] * 4 + ["status"] * 4 + ["attempt"] * 4


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_a_token_for_some_numbers_sees_only_their_attempts_and_gets_past_the_others(
    seeds: Seeds, limit: int
):
    ended(seeds, "accepted", "accepted")
    mine = seeds.send(at=9, phone_number_id="100")
    seeds.ended(mine, "refused", http_status=400, refused_by="meta", error='{"code":100}')
    ended(seeds, "accepted", wamid="b")
    write(seeds.database, 1, "x", number="200")
    write(seeds.database, 2, "y", number="100")
    found = await follow(seeds, limit, seeds.token("reporter", "100"))
    assert [(one["kind"], one["message_id"] or one["wamid"]) for one in found] == [
        ("attempt", mine),
        ("status", "y"),
    ]


async def test_a_message_that_turns_out_to_be_ours_is_told_anew_with_both_its_ids(seeds: Seeds):
    """Its status came before our answer: a stranger's, until an event names message and wamid together."""
    message_id = seeds.send(at=5, reference="order-5")
    seeds.status("w", "sent", 1, phone_number_id=SHOP)
    (early,) = await follow(seeds, 100)
    assert (early["wamid"], early["message_id"], early["reference"]) == ("w", None, None)
    assert early["queued_at"] == "2026-11-22T10:00:01.500Z"
    seeds.ended(message_id, "accepted", at=6, http_status=200, wamid="w")
    told, late = await follow(seeds, 100)
    assert (late["kind"], late["wamid"], late["message_id"]) == ("attempt", "w", message_id)
    for one in (told, late):
        assert (one["message_id"], one["reference"]) == (message_id, "order-5")
        assert one["queued_at"] == "2026-11-22T10:00:05Z"
    unlike = {name for name in early if early[name] != told[name]}
    assert unlike == {"message_id", "reference", "queued_at"}  # the rest of an event never changes


async def test_an_unknown_send_that_a_status_settles_is_told_with_both_its_ids(seeds: Seeds):
    (message_id,) = ended(seeds, "unknown")
    (lost,) = await follow(seeds, 100)
    assert (lost["message_id"], lost["wamid"]) == (message_id, None)
    seeds.status("w", "delivered", 9, callback_data=ours(message_id))
    attempt, status = await follow(seeds, 100)
    assert (status["wamid"], status["message_id"]) == ("w", message_id)
    assert (attempt["outcome"], attempt["wamid"]) == ("unknown", "w")  # how the POST ended does not change


async def test_who_may_only_send_gets_no_events_and_words_it_does_not_know_are_refused(seeds: Seeds):
    assert (await ask(seeds, FEED, seeds.token("sender"))).status_code == 403
    assert (await ask(seeds, FEED, "wt_unknown")).status_code == 401
    for wrong in ({"kind": "attempt"}, {"limit": 0}, {"limit": 5001}, {"after": ""}):
        answer = await ask(seeds, FEED, **wrong)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == next(iter(wrong))


async def test_what_belongs_to_no_number_is_for_admins_alone(seeds: Seeds) -> None:
    with seeds.database.write() as tx:
        updates = (StatusUpdate("wamid.nameless", "", "sent", 1_800_000_000, "", None),)
        apply(tx, [Understood(1, NOW, Parsed(updates))], NOW)
    write(seeds.database, 2, "wamid.named")
    nobodys = {"admin": True, "reporter": False, "support": False}
    for role, seen in nobodys.items():
        token = seeds.token(role)
        heard = [one["wamid"] for one in (await ask(seeds, FEED, token)).json()["events"]]
        assert heard == (["wamid.nameless", "wamid.named"] if seen else ["wamid.named"])
        listed = [one["wamid"] for one in (await ask(seeds, "/api/v1/messages", token)).json()["messages"]]
        assert ("wamid.nameless" in listed, "wamid.named" in listed) == (seen, True)
        one = await ask(seeds, "/api/v1/messages/wamid.nameless", token)
        assert one.status_code == (200 if seen else 404)
    limited = await ask(seeds, "/api/v1/messages/wamid.nameless", seeds.token("admin", "100"))
    assert limited.status_code == 404


async def test_a_cursor_of_an_id_with_signs_that_nobody_sees_is_taken(seeds: Seeds) -> None:
    names = ["wamid.a\u200b\n", "wamid.b\u202e"]
    write(seeds.database, 1, *names)
    first = (await ask(seeds, FEED, limit=1)).json()
    second = await ask(seeds, FEED, limit=1, after=first["next"])
    assert second.status_code == 200
    assert [one["wamid"] for page in (first, second.json()) for one in page["events"]] == names
