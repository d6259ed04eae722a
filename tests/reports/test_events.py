"""GET /api/v1/events and /api/v1/reports: never skips, never repeats, only what the asker may see."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from story_seeds import Seeds

from reports import reports_api
from reports.api import create
from store import events
from store.apply import Understood, apply
from store.database import Database, WriteTx
from store.records import Parsed, StatusUpdate

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


async def test_a_scoped_token_sees_its_numbers_and_its_cursor_goes_past_others(seeds: Seeds):
    write(seeds.database, 1, "w1", number="200")
    write(seeds.database, 2, "w2", number="100")
    token = seeds.token("reporter", "100")
    first = (await ask(seeds, FEED, token, limit=1)).json()
    assert first["events"] == []
    assert first["more"] is True
    second = (await ask(seeds, FEED, token, after=first["next"])).json()
    assert [one["wamid"] for one in second["events"]] == ["w2"]


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
