"""Which messages are marked as open, whatever the order in which things become known."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from store_samples import NOW, W1, W2, ended, rows, status_update, submitted, webhook

from store import (
    failing,
    following,
    health_figures,
    newest,
    open_messages,
    replay,
    search_follow,
    sends,
    webhooks,
    work_lists,
)
from store.apply import apply
from store.database import Database
from store.sends import Claim
from store.work_lists import Cursor

LATER = NOW + 10_000


def heard(database: Database, webhook_id: int, *updates: Any) -> None:
    with database.write() as tx:
        apply(tx, [webhook(webhook_id, *updates)], NOW)


def accepted(database: Database, n: int = 1, wamid: str = W1, **changes: Any) -> str:
    message_id = submitted(database, n, **changes)
    with database.write() as tx:
        sends.record_outcome(tx, message_id, 1, Claim("claim-1", NOW + 30), ended("accepted", wamid=wamid))
    return message_id


def followed(database: Database) -> list[tuple[str, str]]:
    while open_messages.step(database, 2):
        pass
    return [(row["kind"], row["wamid"]) for row in rows(database, "open_messages")]


def test_an_accepted_message_waits_until_it_is_delivered(database: Database):
    accepted(database)
    assert followed(database) == [("waiting", W1)]
    heard(database, 1, status_update(status="sent"))
    assert followed(database) == [("waiting", W1)]
    heard(database, 2, status_update(status="delivered", occurred_at=1_800_000_009))
    assert followed(database) == []


@pytest.mark.parametrize("end", ["delivered", "read", "played", "failed"])
def test_any_end_ends_the_waiting(database: Database, end: str):
    accepted(database)
    assert followed(database)
    heard(database, 1, status_update(status=end))
    assert followed(database) == []


def test_a_delivery_beside_a_failure_is_a_conflict(database: Database):
    accepted(database)
    heard(database, 1, status_update(status="failed", occurred_at=1_800_000_004))
    heard(database, 2, status_update(status="read", occurred_at=1_800_000_009))
    assert followed(database) == [("conflict", W1)]
    assert rows(database, "open_messages")[0]["since"] == 1_800_000_009


def test_members_of_a_group_that_fare_differently_are_no_conflict(database: Database):
    accepted(database)
    heard(database, 1, status_update(status="failed", participant="1"))
    heard(database, 2, status_update(status="delivered", participant="2"))
    assert followed(database) == []
    heard(database, 3, status_update(status="failed", participant="2"))
    assert followed(database) == [("conflict", W1)]


def test_a_strangers_message_is_unmatched_until_a_send_owns_it(database: Database):
    heard(database, 1, status_update(status="delivered", phone_number_id="100"))
    assert followed(database) == [("unmatched", W1)]
    accepted(database)
    assert followed(database) == []


def test_a_follower_that_looked_before_another_wrote_writes_nothing(database: Database):
    accepted(database)
    with database.read() as tx:
        stale = open_messages.look(tx, [W1])
    heard(database, 1, status_update(status="delivered"))
    assert followed(database) == []
    with database.write() as tx:
        if following.moved(tx, open_messages.NAME, 0, 1):
            open_messages.write(tx, stale)
    assert rows(database, "open_messages") == []


def test_a_replay_that_takes_a_status_back_lets_the_message_wait_again(database: Database):
    accepted(database)
    with database.write() as tx:
        webhooks.keep(tx, [webhooks.Incoming(b"{}", NOW)])
    heard(database, 1, status_update(status="delivered"))
    assert followed(database) == []
    with database.write() as tx:
        replay.replay(tx, 1, lambda kept: webhook(kept.webhook_id, received_at=NOW), NOW)
    assert followed(database) == [("waiting", W1)]


@pytest.mark.parametrize("beginning", [True, False])
def test_a_replay_wins_over_a_follower_that_looked_just_before(database: Database, beginning: bool):
    accepted(database)
    with database.write() as tx:
        webhooks.keep(tx, [webhooks.Incoming(b"{}", NOW)])
    heard(database, 1, status_update(status="delivered"), status_update(W2, "delivered"))
    if not beginning:
        open_messages.step(database, 1)
        search_follow.step(database, 1)

    def looked_before_the_replay(look: Any) -> Any:
        def looked(tx: Any, wamids: Any) -> Any:
            seen = look(tx, wamids)
            with database.write() as other:  # it ends while what was seen is not written yet
                replay.replay(other, 1, lambda kept: webhook(kept.webhook_id, received_at=NOW), NOW)
            return seen

        return looked

    for one in (open_messages, search_follow):
        following.step(database, one.NAME, looked_before_the_replay(one.look), one.write)
    assert followed(database) == [("waiting", W1)]
    while search_follow.step(database):
        pass
    assert rows(database, "strangers") == []


def test_what_a_replay_takes_back_of_a_stranger_is_not_found_any_more(database: Database):
    with database.write() as tx:
        webhooks.keep(tx, [webhooks.Incoming(b"{}", NOW)])
    heard(database, 1, status_update(W2, "delivered"))
    search_follow.step(database)
    assert len(rows(database, "strangers")) == 1
    with database.write() as tx:
        replay.replay(tx, 1, lambda kept: webhook(kept.webhook_id, received_at=NOW), NOW)
    assert rows(database, "strangers") == []


STEPS = st.lists(
    st.sampled_from(["send", "sent", "delivered", "read", "failed", "other", "follow"]), max_size=10
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_following_at_any_moments_ends_with_the_same_marks(sqlite_database: Database, steps: list[str]):
    database = sqlite_database
    with database.write() as tx:
        for table in ("open_messages", "followers", "feed", "status_updates", "messages", "sends"):
            tx.run(text(f"DELETE FROM {table}"))
        for table in ("send_attempts", "attempt_outcomes", "participants"):
            tx.run(text(f"DELETE FROM {table}"))
    for place, step in enumerate(dict.fromkeys(steps) if "follow" not in steps else steps):
        if step == "follow":
            open_messages.step(database, 1)
        elif step == "send":
            with database.read() as tx:
                there = tx.value(text("SELECT count(*) FROM sends"))
            if not there:
                accepted(database)
        else:
            wamid, word = (W2, "sent") if step == "other" else (W1, step)
            heard(database, place + 1, status_update(wamid, word, 1_800_000_000 + place))
    followed(database)
    with database.write() as tx:
        kept = rows(tx, "open_messages")
        tx.run(text("DELETE FROM open_messages"))
        open_messages.look_again(tx, [W1, W2])
        assert rows(tx, "open_messages") == kept


def filled(database: Database, count: int, number: str = "100", start: int = 0) -> None:
    for n in range(start, start + count):
        accepted(database, n + 1, f"wamid.{n:04}", phone_number_id=number, idempotency_key=f"k{n}")
    followed(database)


def test_a_list_is_read_page_by_page_without_gap_or_repeat(database: Database):
    filled(database, 7)
    seen: list[str] = []
    after = None
    with database.read() as tx:
        while page := work_lists.open_page(tx, "waiting", (), LATER, 3, after):
            seen += [row["wamid"] for row in page]
            after = Cursor(page[-1]["at"], page[-1]["key"])
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 7


def test_somebody_limited_to_a_number_sees_and_counts_only_its_messages(database: Database):
    filled(database, 3, "100")
    filled(database, 2, "200", start=3)
    with database.read() as tx:
        for numbers, count in (((), 5), (("200",), 2), (("100", "200"), 5), (("300",), 0)):
            assert len(work_lists.open_page(tx, "waiting", numbers, LATER, 50)) == count
            assert work_lists.open_count(tx, "waiting", numbers, LATER).exact == count


def test_counts_are_exact_when_small_and_open_above(database: Database):
    filled(database, 4)
    with database.read() as tx:
        assert str(work_lists.open_count(tx, "waiting", (), LATER, 4)) == "4"
        assert str(work_lists.open_count(tx, "waiting", (), LATER, 3)) == "3+"
        assert str(work_lists.open_count(tx, "waiting", ("100", "200"), LATER, 3)) == "3+"
        assert str(work_lists.open_count(tx, "waiting", (), NOW - 1)) == "0"


def test_unknown_sends_are_listed_by_number(database: Database):
    message_id = submitted(database)
    with database.write() as tx:
        sends.end_leases(tx, NOW + 100)
    with database.read() as tx:
        assert [row["message_id"] for row in work_lists.unknown_page(tx, (), 10)] == [message_id]
        assert work_lists.unknown_page(tx, ("200",), 10) == []
        assert work_lists.unknown_count(tx, ("100",)).exact == 1
        after = Cursor(NOW, message_id)
        assert work_lists.unknown_page(tx, (), 10, after) == []


def plan(database: Database, statement: str, values: dict[str, Any]) -> str:
    with database.write() as tx:
        if tx.postgres:
            tx.run(text("SET LOCAL enable_seqscan = off"))
            tx.run(text("SET LOCAL enable_bitmapscan = off"))
        word = "EXPLAIN" if tx.postgres else "EXPLAIN QUERY PLAN"
        return "\n".join(str(row[-1]) for row in tx.all(text(f"{word} {statement}"), values))


@pytest.mark.parametrize("number", [None, "100"])
@pytest.mark.parametrize("after", [None, Cursor(NOW, W1)])
def test_lists_read_their_index_from_its_end_without_sorting(
    database: Database, number: str | None, after: Cursor | None
):
    values: dict[str, Any] = {"kind": "waiting", "until": NOW, "limit": 50, "number": number}
    if after:
        values |= {"after_at": after.at, "after_key": after.key}
    if number is None:
        del values["number"]
    told = plan(database, work_lists.open_part(number, after), values)
    assert ("ix_open_messages_number" if number else "ix_open_messages_since") in told
    assert "Sort" not in told
    assert "TEMP B-TREE" not in told


def test_failures_of_a_code_are_read_by_the_index_over_errors(database: Database):
    values = {"codes": "131047", "since": NOW - 3600, "until": NOW, "most": 100, "steps": 12}
    with database.read() as tx:
        statement = failing.reported_statement(tx, ())
    told = plan(database, statement, values)
    assert "ix_status_updates_errors" in told
    assert "Sort" not in told.replace("Sort Key: (", "").split("ix_status_updates_errors")[1]


@pytest.mark.parametrize("number", [None, "100"])
def test_the_newest_messages_are_read_by_an_index_in_its_order(database: Database, number: str | None):
    values: dict[str, Any] = {"since": NOW - 3600, "most": 1000}
    if number is not None:
        values["number"] = number
    told = plan(database, newest.statement(number), values)
    assert ("ix_sends_number" if number else "ix_sends_queued_at") in told
    assert "uq_sends_wamid" not in told


def test_figures_of_the_minutes_and_of_silence_jump_through_indexes(database: Database):
    seen = {"endpoint": "", "number": "100"}
    assert "ix_receiver_minutes_subject" in plan(database, health_figures.LATEST, seen)
    values = {"number": "100", "since": 0.0, "until": NOW, "heard": 0.0}
    assert "ix_sends_number" in plan(database, health_figures.SILENT, values)
