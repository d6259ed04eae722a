"""Figures and balance stand when the rows they came from are gone; what comes late is counted as that."""

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from balance_samples import account, adds_up, caught_up, claimed, delivered, rated, recorded, topped_up
from balance_samples import heard as told_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from retention_samples import LATER, MESSAGE_AGE, UTC, cleaned, counts, followed, heard, sent
from sqlalchemy import text
from store_samples import NOW, W1, message_id, new_send, rows

from store import events, retention_messages, rollup_marks, rollups, sends
from store.database import Database
from store.retention_ages import DAY
from store.rollup_days import bounds, day_of
from store.status import STATUSES
from store.tables import metadata

REPORTS = ("report_buckets", "report_costs")


def figures(database: Database) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for row in rows(database, "report_buckets"):
        for word in STATUSES:
            found[row["day"], word] += row[word]
    return +found


def test_figures_are_the_same_afterwards_and_stay_so(database: Database) -> None:
    sent(database, 1, template="hello")
    heard(database, "w-1", "read", NOW + DAY)
    sent(database, 2, "refused", NOW + 3 * DAY)
    heard(database, "stranger", "failed", codes="131026", errors='[{"code":131026}]')
    followed(database, NOW + 5 * DAY)
    before = [rows(database, table) for table in REPORTS]
    cleaned(database)
    followed(database, LATER)
    assert counts(database, "sends", "messages") == {"sends": 0, "messages": 0}
    assert [rows(database, table) for table in REPORTS] == before
    assert sum(figures(database).values()) == 3


def test_what_comes_for_a_sealed_day_is_counted_as_late(database: Database) -> None:
    sent(database, 1, "unknown")
    sent(database, 2)
    followed(database, NOW + 2 * DAY)
    assert cleaned(database).gone["messages"] == 1
    before = rows(database, "report_buckets")
    heard(database, "w-1", "sent", LATER, callback_data=message_id(1), age=MESSAGE_AGE)
    followed(database, LATER + 60)
    assert rows(database, "report_buckets") == before
    assert [row["late"] for row in rows(database, "report_days") if row["phone_number_id"] == "100"] == [1]


def test_a_mark_on_a_message_of_a_sealed_day_is_counted_before_the_message_goes(database: Database) -> None:
    sent(database, 1, "unknown")
    sent(database, 2)
    heard(database, "stranger", at=NOW)
    followed(database, NOW + 2 * DAY)
    with database.write() as tx:
        rollups.seal(tx, day_of(NOW + DAY, UTC))
        rollup_marks.mark(tx, ["w-2", "stranger"])
    sweeps = (retention_messages.ours(LATER), retention_messages.strangers(LATER))
    for sweep, some in zip(sweeps, ([message_id(2)], ["stranger"]), strict=True):
        with database.write() as tx:
            assert sweep.remove(tx, some) == 0
    gone = cleaned(database).gone
    assert (gone["messages"], gone["strangers' messages"]) == (1, 1)
    followed(database, LATER)
    assert sum(row["late"] for row in rows(database, "report_days")) == 2


def test_ages_count_by_the_zone_that_days_are_sealed_in(database: Database) -> None:
    start, _ = bounds(day_of(NOW, UTC), UTC)
    for n, hour in enumerate((-3, 1, 23), 1):
        sent(database, n, at=start + hour * 3600)
    followed(database, start + 2 * DAY)
    with database.write() as tx:
        rollups.seal(tx, day_of(NOW, UTC))
    before = figures(database)
    cleaned(database, start + 400 * DAY, zone=ZoneInfo("Asia/Kolkata"))
    assert [row["wamid"] for row in rows(database, "sends")] == ["w-2", "w-3"]
    followed(database, start + 400 * DAY, zone=ZoneInfo("Asia/Kolkata"))
    assert figures(database) == before


def test_messages_of_days_that_cannot_be_sealed_stay_and_bodies_go(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(database, 1)
    heard(database, "w-1")
    followed(database, NOW + 2 * DAY)

    def never(*_: Any) -> None:
        raise rollups.NotRefreshed("The reports of those days are not up to date yet.")

    monkeypatch.setattr(rollups, "seal", never)
    outcome = cleaned(database)
    assert "not up to date" in outcome.stays[0]
    assert counts(database, "sends", "webhooks") == {"sends": 1, "webhooks": 0}
    monkeypatch.undo()
    assert cleaned(database).gone["messages"] == 1


def test_reports_that_were_never_worked_out_are_before_anything_goes(database: Database) -> None:
    with database.write() as tx:
        sends.submit(tx, new_send(1), NOW)
        sends.cancel(tx, message_id(1), NOW + 1)
    assert counts(database, "report_state") == {"report_state": 0}
    assert cleaned(database).gone["messages"] == 1
    assert {word for _, word in figures(database)} == {"cancelled"}


def test_the_balance_is_the_same_when_charges_go(database: Database) -> None:
    rated(database)
    topped_up(database, 10_000_000)
    claimed(database)
    recorded(database, "accepted")
    told_of(database, delivered())
    caught_up(database)
    followed(database, NOW + 2 * DAY)
    before = account(database)
    assert before.charged > 0
    assert cleaned(database).gone["messages"] == 1
    assert counts(database, "charges") == {"charges": 0}
    assert adds_up(database) == before


def test_charges_that_are_behind_hold_the_messages_and_say_so(database: Database) -> None:
    rated(database)
    topped_up(database, 10_000_000)
    claimed(database)
    recorded(database, "accepted")
    told_of(database, delivered())
    followed(database, NOW + 2 * DAY)
    outcome = cleaned(database)
    assert outcome.gone["messages"] == 0
    assert "WAMTRAIL_BALANCE=on" in outcome.stays[0]
    caught_up(database)
    assert cleaned(database).gone["messages"] == 1
    assert adds_up(database).charged > 0


def test_a_message_that_money_is_held_for_stays(database: Database) -> None:
    rated(database)
    topped_up(database, 10_000_000)
    claimed(database, expires_at=LATER)
    recorded(database, "accepted")
    caught_up(database)
    followed(database, NOW + 2 * DAY)
    assert cleaned(database).gone["messages"] == 0
    assert counts(database, "holds") == {"holds": 1}
    assert [row["wamid"] for row in rows(database, "messages")] == [W1]


def test_a_reader_of_the_feed_is_told_that_it_was_pruned(database: Database) -> None:
    for n in range(1, 4):
        heard(database, f"w-{n}")
    with database.read() as tx:
        begun = events.page(tx, None, 1)
    followed(database, NOW + DAY)
    cleaned(database)
    with database.read() as tx, pytest.raises(events.Pruned):
        events.page(tx, begun.after, 10)
    heard(database, "w-4", at=LATER)
    with database.read() as tx:
        found = events.page(tx, None, 10)
    assert [row["wamid"] for row in found.updates_and_attempts] == ["w-4"]


_EVENT = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 5), st.sampled_from(["accepted", "refused", "unknown", None])),
    st.tuples(st.just("status"), st.integers(1, 7), st.sampled_from(["sent", "delivered", "read", "failed"])),
    st.tuples(st.just("charge"), st.just(0), st.none()),
    st.tuples(st.just("clean"), st.just(0), st.none()),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(st.tuples(_EVENT, st.integers(0, 120)), max_size=10), wait=st.integers(0, 900))
def test_after_any_history_ages_are_obeyed_and_sums_stand(
    database: Database, history: list[Any], wait: int
) -> None:
    _emptied(database)
    rated(database)
    topped_up(database, 10_000_000)
    at, known = NOW, set()
    for (what, n, word), days in history:
        at += days * DAY
        if what == "send" and n not in known:
            known.add(n)
            sent(database, n, word, at, recipient="919812345678")
        elif what == "status":
            heard(database, f"w-{n}", word, at, age=MESSAGE_AGE)
        elif what == "charge":
            caught_up(database, at)
        elif what == "clean":
            cleaned(database, at)
    at += wait * DAY
    caught_up(database, at)
    followed(database, at)
    before, money = figures(database), adds_up(database)
    unsettled = _unsettled(database)
    outcome = cleaned(database, at)
    assert outcome.stays == []
    followed(database, at)
    assert figures(database) == before
    assert adds_up(database) == money
    assert _unsettled(database) == unsettled
    _obeyed(database, at)


def _unsettled(database: Database) -> set[str]:
    final = ("accepted", "refused", "cancelled")
    return {row["message_id"] for row in rows(database, "sends") if row["state"] not in final}


def _obeyed(database: Database, now: float) -> None:
    """Nothing is left but what is young, unsettled, held for, or named by the feed."""
    named = {row["batch"] for row in rows(database, "feed")}
    assert all(row["stamped_at"] >= now - 90 * DAY for row in rows(database, "feed"))
    assert all(row["received_at"] >= now - 91 * DAY for row in rows(database, "webhooks", order="1"))
    told = {row["wamid"] for row in rows(database, "status_updates") if row["batch"] in named}
    posted = {row["message_id"] for row in rows(database, "attempt_outcomes") if row["batch"] in named}
    held = {row["message_id"] for row in rows(database, "holds")}
    day = DAY  # whole days of the reports go
    for row in rows(database, "sends"):
        young = (
            max(row["queued_at"], row["settled_at"] or 0, row["accepted_at"] or 0) >= now - 400 * DAY - day
        )
        why = row["state"] in ("queued", "sending", "unknown") or row["message_id"] in held | posted
        assert young or why or row["wamid"] in told
    wamids = {row["wamid"] for row in rows(database, "sends")}
    for row in rows(database, "messages"):
        assert row["wamid"] in wamids | told or row["first_seen_at"] >= now - 401 * DAY
    left = {row["wamid"] for row in rows(database, "messages")}
    for table in ("status_updates", "strangers", "report_strangers", "open_messages", "charges"):
        assert {row["wamid"] for row in rows(database, table, order="1")} <= left


def _emptied(database: Database) -> None:
    with database.write() as tx:
        for table in sorted(set(metadata.tables) - {"installation"}):
            tx.run(text(f"DELETE FROM {table}"))
        tx.run(text("DELETE FROM installation WHERE name <> 'needs_code'"))
