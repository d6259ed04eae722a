"""Both databases do the same: lists page by page without skip or repeat, filters, finding one message."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text
from store_samples import CLAIM, NOW, ended, message_id, new_send, rows, status_update, webhook

from store import search_follow, sends
from store.apply import apply
from store.database import Database
from store.errors import DatabaseAway
from store.listing import Cursor
from store.search import find as listed
from store.search_wanted import Wanted
from store.stories import find, story

EVENT = 1_800_000_000


@pytest.fixture
def filled(database: Database) -> Database:
    """Twelve of ours (three a second, so times tie), seven of strangers, each kind in several statuses."""
    with database.write() as tx:
        for n in range(1, 13):
            new = new_send(
                n,
                phone_number_id="100" if n % 2 else "200",
                recipient=f"1555000000{n % 3}",
                reference=None if n % 4 else f"order-{n}",
            )
            sends.submit(tx, new, NOW + n // 3, CLAIM)
            if n <= 8:
                sends.record_outcome(tx, message_id(n), 1, CLAIM, ended("accepted", wamid=f"ours-{n}"))
        updates = [status_update(f"ours-{n}", "read", EVENT + n) for n in range(1, 5)]
        apply(tx, [webhook(1, *updates)], NOW)
        for n in range(1, 8):
            number = "100" if n % 2 else "300"
            theirs = status_update(
                f"theirs-{n}",
                "failed",
                EVENT,
                phone_number_id=number,
                recipient_id="15550000001",
                recipient_user_id="US.7",
            )
            apply(tx, [webhook(1 + n, theirs, received_at=NOW + n // 3)], NOW)
    while search_follow.step(database):
        pass
    return database


def paged(database: Database, wanted: Wanted, limit: int) -> list[Mapping[str, Any]]:
    """Every row, page by page."""
    found: list[Mapping[str, Any]] = []
    after: Cursor | None = None
    while True:
        with database.read() as tx:
            page = listed(tx, wanted, limit, after).rows
        found += page
        if len(page) < limit:
            return found
        after = Cursor(page[-1]["at"], page[-1]["key"])


def keys(database: Database, wanted: Wanted | None = None) -> set[str]:
    return {row["key"] for row in paged(database, wanted or Wanted(), 100)}


def ours(*numbers: int) -> set[str]:
    return {message_id(n) for n in numbers}


def theirs(*numbers: int) -> set[str]:
    return {f"theirs-{n}" for n in numbers}


def test_an_empty_database_lists_nothing(database: Database) -> None:
    assert paged(database, Wanted(), 5) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 19, 50])
def test_pages_of_any_size_skip_nothing_and_repeat_nothing(filled: Database, limit: int) -> None:
    found = [(row["at"], row["key"]) for row in paged(filled, Wanted(), limit)]
    assert found == sorted(found, reverse=True)
    assert len(found) == len(set(found)) == 19


def test_what_comes_meanwhile_does_not_shift_the_pages(filled: Database) -> None:
    with filled.read() as tx:
        first = listed(tx, Wanted(), 6).rows
    with filled.write() as tx:
        sends.submit(tx, new_send(99), NOW + 100)
        apply(tx, [webhook(99, status_update("theirs-1", "delivered"), received_at=NOW + 100)], NOW)
    with filled.read() as tx:
        rest = listed(tx, Wanted(), 50, Cursor(first[-1]["at"], first[-1]["key"])).rows
    assert len({row["key"] for row in [*first, *rest]}) == len(first) + len(rest) == 19


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), ours(*range(1, 13)) | theirs(*range(1, 8))),
        (Wanted(recipients=("15550000001",)), ours(1, 4, 7, 10) | theirs(*range(1, 8))),
        (Wanted(recipients=("1555000000",)), set()),
        (Wanted(recipients=("US.7",)), theirs(*range(1, 8))),
        (Wanted(recipients=("us.7",)), set()),
        (Wanted(status="read"), ours(1, 2, 3, 4)),
        (Wanted(status="accepted"), ours(5, 6, 7, 8)),
        (Wanted(status="sending"), ours(9, 10, 11, 12)),
        (Wanted(status="failed"), theirs(*range(1, 8))),
        (Wanted(status="lost"), set()),
        (Wanted(since=NOW + 2), ours(*range(6, 13)) | theirs(6, 7)),
        (Wanted(until=NOW + 1), ours(1, 2) | theirs(1, 2)),
        (Wanted(since=NOW + 1, until=NOW + 2), ours(3, 4, 5) | theirs(3, 4, 5)),
        (Wanted(phone_number_id="200"), ours(2, 4, 6, 8, 10, 12)),
        (Wanted(phone_number_id="300"), theirs(2, 4, 6)),
        (Wanted(reference="order-8"), ours(8)),
        (Wanted(numbers=("300",)), theirs(2, 4, 6)),
        (Wanted(numbers=("200", "300")), ours(2, 4, 6, 8, 10, 12) | theirs(2, 4, 6)),
        (Wanted(numbers=("100",), phone_number_id="200"), set()),
        (Wanted(recipients=("15550000001",), status="read", numbers=("100",)), ours(1)),
    ],
)
def test_a_list_is_narrowed(filled: Database, wanted: Wanted, expected: set[str]) -> None:
    assert keys(filled, wanted) == expected
    assert {row["key"] for row in paged(filled, wanted, 2)} == expected


def test_a_listed_row_says_what_the_story_says(filled: Database) -> None:
    for row in paged(filled, Wanted(), 50):
        with filled.read() as tx:
            told = story(tx, row["key"])
        assert told is not None
        assert told.status == row["status"]
        columns = {**(told.send or {}), **{k: v for k, v in (told.message or {}).items() if v is not None}}
        for name in ("message_id", "reference", "type", "sent_at", "read_at", "failed_at", "accepted_at"):
            assert columns.get(name) == row[name], name


def test_one_message_is_found_by_each_of_its_names(filled: Database) -> None:
    with filled.read() as tx:
        assert find(tx, message_id(8)) == [message_id(8)]
        assert find(tx, message_id(8).upper()) == [message_id(8)]
        assert find(tx, "ours-8") == ["ours-8"]
        assert find(tx, "order-8") == [message_id(8)]
        assert find(tx, "theirs-3") == ["theirs-3"]
        for absent in ("", "ours-88", "Ours-8", "ours-8 ", "ORDER-8", "order-", "%", message_id(77)):
            assert find(tx, absent) == [], absent
        by_wamid, by_id = story(tx, "ours-8"), story(tx, message_id(8))
        assert by_wamid == by_id
        assert by_id is not None
        assert [attempt["outcome"] for attempt in by_id.attempts] == ["accepted"]
        assert story(tx, "ours-88") is None


def test_a_reference_names_its_messages_newest_first(database: Database) -> None:
    with database.write() as tx:
        for n, at in ((1, 5.0), (2, 7.0), (3, 5.0), (4, 6.0)):
            sends.submit(tx, new_send(n, reference="order-1"), at)
    with database.read() as tx:
        assert find(tx, "order-1") == [message_id(n) for n in (2, 4, 3, 1)]


def test_the_story_of_a_stranger_is_told_without_a_sender(filled: Database) -> None:
    with filled.read() as tx:
        told = story(tx, "theirs-2")
    assert told is not None
    assert (told.send, told.status, len(told.updates), told.attempts) == (None, "failed", 1, [])


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseAway), database.read() as tx:
        tx.value(text("INSERT INTO installation VALUES ('a', 'b') RETURNING name"))
    assert "a" not in {row["name"] for row in rows(database, "installation")}
