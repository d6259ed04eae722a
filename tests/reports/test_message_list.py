"""Pages of messages have a bounded cost: short ones tell where to go on, skip nothing, name no others'."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import text
from story_seeds import BANK, PHONE, SHOP, Seeds

from reports import message_list
from reports.query import MessagesQuery
from store import search_follow
from store.search import Found
from store.tokens import Bearer

ADMIN = Bearer("t", "admin", ())
QUERIES: tuple[dict[str, Any], ...] = (
    {},
    {"status": "failed"},
    {"status": "unknown"},
    {"status": "refused"},
    {"status": "queued"},
    {"to": PHONE},
    {"reference": "order-77"},
    {"from": BANK},
)


@pytest.fixture
def filled(seeds: Seeds) -> Seeds:
    """Both numbers' messages of every fate, in turns, many at the same time."""
    for n in range(2):
        for number, at in ((SHOP, n), (BANK, n), (BANK, n + 10)):
            more = {"phone_number_id": number, "reference": "order-77", "at": float(at)}
            seeds.accepted(f"wamid.{number}.{at}.sent", **more)
            seeds.accepted(f"wamid.{number}.{at}.failed", **more)
            seeds.failed(f"wamid.{number}.{at}.failed", at + 1, phone_number_id=number)
            seeds.ended(seeds.send(**more), "unknown")
            seeds.ended(seeds.send(**more), "refused", refused_by="meta", error='{"code":100}')
        seeds.stranger(f"wamid.strange.{n}", at=n)
        seeds.status(f"wamid.nameless.{n}", "sent", n, recipient_id=PHONE)
    while search_follow.step(seeds.database):
        pass
    return seeds


def page(seeds: Seeds, bearer: Bearer, **more: Any) -> Found:
    options = {name: more.pop(name) for name in ("steps", "scan") if name in more}
    with seeds.database.read() as tx:
        return message_list.found(tx, MessagesQuery.model_validate(more), bearer, **options)


def keys(found: Found) -> list[str]:
    return [row["key"] for row in found.rows]


@pytest.mark.parametrize(
    "bearer", [ADMIN, Bearer("t", "reporter", ()), Bearer("t", "reporter", (SHOP,))], ids=repr
)
def test_pages_that_end_where_a_look_ends_hold_everything_once(filled: Seeds, bearer: Bearer):
    for query, scan in product(QUERIES, (1, 3, 7)):
        whole = page(filled, bearer, **query, limit="500", steps=None)
        assert whole.older is None
        seen: list[str] = []
        cursor, pages = None, 0
        while pages == 0 or cursor:
            part = page(filled, bearer, **query, limit="5", cursor=cursor, steps=1, scan=scan)
            seen += keys(part)
            cursor, pages = part.older, pages + 1
            assert len(part.rows) <= 5
            assert pages < 200
            assert cursor is None or bearer.may_see(number_of(filled, cursor.key))
        assert seen == keys(whole), (query, scan)


def number_of(seeds: Seeds, key: str) -> str | None:
    """Whose message a cursor names."""
    statement = (
        "SELECT phone_number_id FROM sends WHERE message_id = :key"
        " UNION ALL SELECT reported_number FROM messages WHERE wamid = :key"
    )
    with seeds.database.read() as tx:
        return tx.value(text(statement), {"key": key})


def test_without_a_bound_a_page_is_looked_for_until_it_is_full(filled: Seeds):
    found = page(filled, ADMIN, status="refused", limit="5", steps=None, scan=2)
    assert len(found.rows) == 5


def test_what_nobody_is_looked_for_ends_after_its_steps(filled: Seeds):
    short = page(filled, ADMIN, status="played", steps=2, scan=3)
    assert short.rows == []
    assert short.older is not None
