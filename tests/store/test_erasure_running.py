"""Erasing while things happen: killed and run again, statuses that come meanwhile and later."""

from typing import Any

import pytest
from erasure_works import (
    AT,
    MINE,
    USER,
    WHO,
    WORDS,
    asked,
    body,
    contact,
    erase,
    filled,
    follow,
    left,
    process,
    replayed,
    status,
)
from store_samples import NOW, message_id, rows, status_update, webhook

from store import erasure, event_rows, events, followers, following, search_follow, verify, webhooks
from store.apply import apply
from store.database import Database
from whatsapp.erased import erased_on


class Killed(BaseException):
    """What ends the program between two transactions."""


@pytest.mark.parametrize("after", [3, 9])
def test_killed_and_run_again_it_ends_the_same(database: Database, after: int) -> None:
    filled(database)
    assert dies_after(database, after)
    erase(database, secret=b"other" * 7)
    as_if_it_had_not_been_killed(database)


def test_killed_again_and_again_it_ends_the_same(database: Database) -> None:
    filled(database)
    runs = 1
    while dies_after(database, runs):
        runs += 1
    assert runs > 5
    as_if_it_had_not_been_killed(database)


def as_if_it_had_not_been_killed(database: Database) -> None:
    assert left(database) == {}
    assert replayed(database) == 0
    erased = [row["wamid"] for row in rows(database, "messages") if erased_on(row["wamid"])]
    assert len(erased) == 5
    assert {row["message_id"] for row in rows(database, "messages")} >= set(map(message_id, range(1, 6)))
    assert {row["wamid"] for row in rows(database, "status_updates")} & set(erased) == {
        row["wamid"] for row in rows(database, "messages") if row["first_seen_at"] and erased_on(row["wamid"])
    }
    assert verify.verify(database).good


def dies_after(database: Database, transactions: int) -> bool:
    """Erase until so many transactions have been committed; whether there would have been more."""
    whole, count = database.write, 0

    def write(**more: Any) -> Any:
        nonlocal count
        count += 1
        if count > transactions:
            raise Killed
        return whole(**more)

    database.write = write  # type: ignore[method-assign]
    try:
        erase(database)
    except Killed:
        return True
    finally:
        database.write = whole  # type: ignore[method-assign]
    return False


def test_what_is_not_processed_yet_is_erased_too(database: Database) -> None:
    """Bodies that wait tell of names and ids that no row knows."""
    late = "opaque-id-of-a-provider-000002"
    hidden = [
        body(contacts=[contact(WHO, USER, "Ravi")], statuses=[status(late, "sent", WHO)]),
        body(statuses=[{"id": late, "status": "delivered", "timestamp": str(AT + 7)}]),
        body(statuses=[status("opaque-id-of-a-provider-000003", "sent", "", recipient_user_id=USER)]),
    ]
    with database.write() as tx:
        webhooks.keep(tx, [webhooks.Incoming(one, NOW) for one in hidden])
    erase(database)
    assert left(database) == {}
    process(database)
    assert left(database) == {}
    found = rows(database, "messages")
    assert len(found) == 2
    assert sorted(row["delivered_at"] or 0 for row in found) == [0, AT + 7]


def test_a_status_that_comes_while_it_runs_is_merged_into_its_message(database: Database) -> None:
    filled(database)

    def told(_: float) -> None:
        with database.write() as tx:
            late = status_update(MINE, "played", AT + 40, callback_data=message_id(1), recipient_id=WHO)
            apply(tx, [webhook(99, late)], NOW + 70)

    def look(phase: str, _: int) -> None:
        if phase == "tables" and not done:
            done.append(True)
            told(0)

    done: list[bool] = []
    erasure.erase(database, asked(), WORDS, lambda _: None, look)
    assert done
    assert left(database) == {}
    assert rows(database, "sent_twice") == []
    (mine,) = [row for row in rows(database, "messages") if row["message_id"] == message_id(1)]
    assert (mine["delivered_at"], mine["played_at"]) == (AT + 5, AT + 40)


def test_a_late_status_is_a_strangers_and_goes_with_the_next_run(database: Database) -> None:
    filled(database)
    erase(database)
    late = status_update(MINE, "played", AT + 40, callback_data=message_id(1), recipient_id=WHO)
    with database.write() as tx:
        apply(tx, [webhook(99, late)], NOW + 70)
    follow(database)
    assert rows(database, "sent_twice") == []
    assert left(database)
    erase(database, secret=b"another" * 5)
    assert left(database) == {}


def test_followers_that_looked_before_bring_no_old_id_back(database: Database) -> None:
    filled(database)
    with database.write() as tx:
        apply(tx, [webhook(99, status_update(MINE, "played", AT + 40))], NOW + 70)
    with database.read() as tx:
        before = followers.position(tx, search_follow.NAME)
        news = followers.news(tx, before, 10)
        seen = search_follow.look(tx, news.wamids)
    erase(database)
    with database.write() as tx:
        assert not following.moved(tx, search_follow.NAME, before, news.position) or not seen
    follow(database)
    assert left(database) == {}


def test_the_feed_goes_on_without_skip_or_repeat(database: Database) -> None:
    filled(database)
    with database.read() as tx:
        every = events.page(tx, None, 1000).updates_and_attempts
        whole = events.page(tx, None, len(every) - 1)
        ended = events.page(tx, None, 1000).after
    erase(database)
    with database.read() as tx:
        again = events.page(tx, None, 1000).updates_and_attempts
        assert events.page(tx, ended, 1000).updates_and_attempts == ()
    same = ("position", "kind", "message_id", "occurred_at", "status", "outcome", "number")
    assert len(again) == len(every)
    assert sorted(str([one.get(name) for name in same]) for one in again) == sorted(
        str([one.get(name) for name in same]) for one in every
    )
    assert whole.after.position == every[-1]["position"]


@pytest.mark.parametrize("limit", [3, 7, 9, 12])
def test_a_reader_inside_a_batch_whose_order_an_erasure_changed_is_told(
    database: Database, limit: int
) -> None:
    filled(database)
    with database.read() as tx:
        cut = events.page(tx, None, limit)
    erase(database)
    inside = cut.after.key is not None and len(cut.after.key) == len(event_rows.UPDATE_KEY)
    with database.read() as tx:
        if inside:
            with pytest.raises(events.Pruned):
                events.page(tx, cut.after, 100)
        else:
            rest = events.page(tx, cut.after, 100)
            assert len(rest.updates_and_attempts) + limit == len(
                events.page(tx, None, 100).updates_and_attempts
            )
        anew = events.page(tx, None, 8)
        further = events.page(tx, anew.after, 100)
        assert len(further.updates_and_attempts) + 8 == len(events.page(tx, None, 100).updates_and_attempts)
