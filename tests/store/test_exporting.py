"""Both databases do the same: an export holds each row once, whatever is written while it goes on."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from store_samples import CLAIM, NOW, ended, message_id, new_send, status_update, webhook

from store import exporting, sends
from store.apply import apply
from store.database import Database
from store.exporting import Span

ALL = Span(until=NOW + 1_000)


def submit(database: Database, n: int, at: float, wamid: str | None = None, **more: Any) -> None:
    with database.write() as tx:
        sends.submit(tx, new_send(n, **more), at, CLAIM)
        if wamid:
            sends.record_outcome(tx, message_id(n), 1, CLAIM, ended("accepted", wamid=wamid))


def told(database: Database, wamid: str, webhook_id: int, *statuses: str, at: float = NOW) -> None:
    updates = [status_update(wamid, word, 1_800_000_000, phone_number_id="200") for word in statuses]
    with database.write() as tx:
        apply(tx, [webhook(webhook_id, *updates, received_at=at)], at)


@pytest.fixture
def filled(database: Database) -> Database:
    for n in range(1, 11):
        submit(database, n, NOW + n // 3, f"ours-{n}" if n % 2 else None)
    for n in range(1, 6):
        told(database, f"theirs-{n}", n, "sent", "delivered")
        told(database, f"ours-{2 * n - 1}", 10 + n, "delivered", "read")
    return database


def rows(database: Database, kind: str, size: int, span: Span = ALL) -> list[Any]:
    return [row for page in exporting.pages(database, kind, span, size) for row in page]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_pages_of_any_size_hold_every_row_once(filled: Database, size: int) -> None:
    messages = [row["message_id"] or row["wamid"] for row in rows(filled, "messages", size)]
    assert sorted(messages) == sorted(
        [message_id(n) for n in range(1, 11)] + [f"theirs-{n}" for n in range(1, 6)]
    )
    updates = [(row["wamid"], row["status"]) for row in rows(filled, "updates", size)]
    assert len(updates) == len(set(updates)) == 20
    attempts = [(row["message_id"], row["number"]) for row in rows(filled, "attempts", size)]
    assert len(attempts) == len(set(attempts)) == 10


@pytest.mark.parametrize("kind", exporting.KINDS)
def test_the_count_is_that_of_the_rows_and_ends_at_its_limit(filled: Database, kind: str) -> None:
    for span in (ALL, Span(NOW + 2, NOW), Span(NOW + 9, None, "200"), Span(NOW + 9, numbers=("100", "x"))):
        with filled.read() as tx:
            found = len(rows(filled, kind, 4, span))
            assert exporting.count(tx, kind, span, 1_000) == found
            assert exporting.count(tx, kind, span, 3) == min(found, 3)


def test_times_and_numbers_narrow_an_export(filled: Database) -> None:
    within = rows(filled, "messages", 3, Span(NOW + 2, NOW + 1))
    assert {row["message_id"] for row in within} == {message_id(n) for n in (3, 4, 5)}
    for kind, span in (
        ("messages", Span(NOW + 9, None, "200")),
        ("updates", Span(NOW + 9, numbers=("200",))),
    ):
        assert {row["phone_number_id"] for row in rows(filled, kind, 3, span)} == {"200"}
    assert rows(filled, "messages", 3, Span(NOW + 9, numbers=("nobody",))) == []


def test_rows_that_come_during_an_export_neither_repeat_nor_skip_nor_prolong_it(filled: Database) -> None:
    def walk() -> Iterator[Any]:
        for at, page in enumerate(exporting.pages(filled, "messages", Span(until=NOW + 5), 2)):
            yield from page
            submit(filled, 100 + at, NOW + 5 + at, f"new-{at}")
            told(filled, f"new-{at}", 100 + at, "sent", at=NOW + 5 + at)
            told(filled, f"aa-{at}", 200 + at, "sent", at=NOW + 5 + at)

    found = [row["message_id"] or row["wamid"] for row in walk()]
    assert len(found) == len(set(found)) == 15


def test_a_stranger_that_becomes_ours_during_an_export_stands_once(database: Database) -> None:
    submit(database, 1, NOW)
    submit(database, 2, NOW + 1)
    told(database, "late", 1, "delivered")
    pages = exporting.pages(database, "messages", ALL, 1)
    found = list(next(pages))  # message 1 without a wamid yet
    with database.write() as tx:
        sends.record_outcome(tx, message_id(1), 1, CLAIM, ended("accepted", wamid="late"))
    found += [row for page in pages for row in page]
    assert [row["message_id"] for row in found] == [message_id(1), message_id(2)]


def test_a_page_is_a_transaction_of_its_own(filled: Database) -> None:
    pages = exporting.pages(filled, "messages", ALL, 1)
    next(pages)
    with filled.write() as tx:  # nothing of the export is open, so even this goes through
        tx.run(text("DELETE FROM messages WHERE wamid = 'theirs-5'"))
        tx.run(text("ALTER TABLE bulk_problems ADD COLUMN passing TEXT"))
        tx.run(text("ALTER TABLE bulk_problems DROP COLUMN passing"))
    assert len([row for page in pages for row in page]) == 13


def test_a_group_is_a_conflict_only_for_one_participant(database: Database) -> None:
    updates = [
        status_update("group", "delivered", 1_800_000_000, participant="1"),
        status_update("group", "failed", 1_800_000_000, participant="2", codes="131000"),
    ]
    with database.write() as tx:
        apply(tx, [webhook(1, *updates)], NOW)
    assert [row["group_conflict"] for row in rows(database, "messages", 5)] == [0]
    with database.write() as tx:
        apply(tx, [webhook(2, status_update("group", "delivered", 1_800_000_001, participant="2"))], NOW)
    assert [row["group_conflict"] for row in rows(database, "messages", 5)] == [1]
