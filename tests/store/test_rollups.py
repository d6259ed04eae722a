"""Reports over the rollups equal the same figures counted over the rows, whatever happened in which order."""

from collections import Counter
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from store_samples import CLAIM, NOW, ended, message_id, new_send, rows, status_update, webhook

from store import rollup_dirty, rollup_refresh, rollups, sends
from store.apply import apply
from store.database import Database
from store.rollup_days import bounds, country, day_of
from store.status import STATUSES, status
from store.tables import metadata
from whatsapp.market import market

UTC, KOLKATA = ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")
DAY = 86_400
LATER = NOW + 3 * DAY


def refreshed(database: Database, zone: ZoneInfo = UTC, at: float = LATER) -> None:
    rollups.refresh_all(database, zone, lambda: at)


def over_rollups(database: Database) -> Counter[tuple[str, str, str, str]]:
    """(day, number, template, status) -> messages."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    for row in rows(database, "report_buckets"):
        for word in STATUSES:
            found[row["day"], row["phone_number_id"], row["template"], word] += row[word]
    return +found


def over_rows(database: Database, zone: ZoneInfo = UTC) -> Counter[tuple[str, str, str, str]]:
    """The same, counted message by message, and nothing else in common with what is tested."""
    told = {row["wamid"]: row for row in rows(database, "messages")}
    found: Counter[tuple[str, str, str, str]] = Counter()
    for send in rows(database, "sends"):
        facts: dict[str, Any] = {**send, **told.pop(send["wamid"], {"wamid": None})}
        day = day_of(send["queued_at"], zone)
        found[day, send["phone_number_id"], send["template"] or "", status(facts)] += 1
    for one in told.values():
        day = day_of(one["first_seen_at"], zone)
        found[day, one["reported_number"] or "", "", status({**one, "state": None})] += 1
    return found


def ours(database: Database, n: int, outcome: str | None = "accepted", **changes: Any) -> None:
    at = changes.pop("at", NOW)
    with database.write() as tx:
        sends.submit(tx, new_send(n, **changes), at, CLAIM)
        if outcome:
            sends.record_outcome(tx, message_id(n), 1, CLAIM, ended(outcome, wamid=f"w-{n}", at=at + 1))


def told(database: Database, hook: int, wamid: str, word: str, at: float = NOW, **more: Any) -> None:
    with database.write() as tx:
        apply(tx, [webhook(hook, status_update(wamid, word, int(NOW) + 5, **more), received_at=at)], at)


def test_a_day_is_told_by_number_template_and_status(database: Database) -> None:
    ours(database, 1, template="hello")
    ours(database, 2, "refused", template="hello")
    ours(database, 3, None)
    told(database, 1, "w-1", "read")
    told(database, 2, "stranger", "delivered", phone_number_id="300")
    refreshed(database)
    day = day_of(NOW, UTC)
    assert over_rollups(database) == {
        (day, "100", "hello", "read"): 1,
        (day, "100", "hello", "refused"): 1,
        (day, "100", "", "sending"): 1,
        (day, "300", "", "delivered"): 1,
    }
    assert over_rollups(database) == over_rows(database)


def test_a_stranger_that_turns_out_ours_is_counted_once_on_the_day_it_was_taken_in(
    database: Database,
) -> None:
    told(database, 1, "w-1", "delivered", NOW + DAY, phone_number_id="100")
    refreshed(database)
    assert sum(over_rollups(database).values()) == 1
    ours(database, 1)
    refreshed(database)
    assert over_rollups(database) == {(day_of(NOW, UTC), "100", "", "delivered"): 1}


def test_what_is_cancelled_or_settled_by_a_person_is_told_without_the_feed(database: Database) -> None:
    with database.write() as tx:
        sends.submit(tx, new_send(1), NOW)
    ours(database, 2, "unknown")
    refreshed(database)
    with database.write() as tx:
        sends.cancel(tx, message_id(1), NOW + 2)
        sends.settle_by_person(tx, message_id(2), sent=False, note="asked", now=NOW + 2)
    refreshed(database, at=LATER + 1)
    assert over_rollups(database) == over_rows(database)
    assert rows(database, "dirty_buckets") == []


def test_another_zone_counts_every_day_anew(database: Database) -> None:
    start, _ = bounds(day_of(NOW, UTC), UTC)
    for n, hour in enumerate((1, 12, 23), 1):
        ours(database, n, at=start + hour * 3600)
    refreshed(database)
    refreshed(database, KOLKATA)
    assert over_rollups(database) == over_rows(database, KOLKATA)
    assert len({row["day"] for row in rows(database, "report_buckets")}) == 2


def test_a_sealed_day_never_changes_and_what_comes_late_is_counted(database: Database) -> None:
    ours(database, 1)
    refreshed(database)
    before = rows(database, "report_buckets")
    with database.write() as tx:
        rollups.seal(tx, day_of(NOW + DAY, UTC))
    told(database, 1, "w-1", "read", LATER)
    refreshed(database)
    assert rows(database, "report_buckets") == before
    assert [row["late"] for row in rows(database, "report_days")] == [1]


def test_nothing_is_sealed_before_it_is_up_to_date(database: Database) -> None:
    with database.write() as tx, pytest.raises(rollups.NotRefreshed):
        rollups.seal(tx, day_of(LATER, UTC))
    ours(database, 1)
    refreshed(database)
    told(database, 1, "w-1", "delivered")
    with database.write() as tx, pytest.raises(rollups.NotRefreshed):
        rollups.seal(tx, day_of(NOW + DAY, UTC))


def test_a_bucket_that_is_marked_while_it_is_worked_out_stays_dirty(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours(database, 1)
    refreshed(database)
    told(database, 1, "w-1", "delivered")
    pages = rollup_refresh.pages

    def meanwhile(*given: Any) -> Any:
        yield from pages(*given)
        with database.write() as tx:
            rollup_dirty.mark(tx, [("100", NOW)], UTC, LATER)

    monkeypatch.setattr(rollup_refresh, "pages", meanwhile)
    refreshed(database)
    assert len(rows(database, "dirty_buckets")) == 1
    monkeypatch.undo()
    refreshed(database)
    assert rows(database, "dirty_buckets") == []


def test_a_bucket_rests_between_two_refreshes(database: Database) -> None:
    ours(database, 1)
    refreshed(database)
    told(database, 1, "w-1", "delivered")
    assert rollups.step(database, UTC, LATER + 1)
    assert {word for *_, word in over_rollups(database)} == {"accepted"}
    rollups.step(database, UTC, LATER + 20)
    assert {word for *_, word in over_rollups(database)} == {"delivered"}


def test_a_bucket_is_read_page_by_page(database: Database) -> None:
    for n in range(1, 8):
        ours(database, n)
        told(database, n, f"strange-{n}", "sent", phone_number_id="100")
    refreshed(database)
    with database.write() as tx:
        rollup_dirty.mark(tx, [("100", NOW)], UTC, LATER)
    assert rollup_refresh.refresh(database, day_of(NOW, UTC), "100", UTC, LATER, 15.0, page=3)
    assert over_rollups(database) == over_rows(database)


@given(
    at=st.floats(0, 4e9), zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/Sao_Paulo", "Asia/Beirut"])
)
def test_every_moment_lies_within_its_day(at: float, zone: str) -> None:
    start, end = bounds(day_of(at, ZoneInfo(zone)), ZoneInfo(zone))
    assert start <= at < end


@given(
    st.one_of(
        st.from_regex(r"[0-9]{5,16}", fullmatch=True), st.sampled_from(["US.13", "", "x", "919876543210"])
    )
)
def test_the_quick_country_is_the_markets(recipient: str) -> None:
    assert country(recipient) == (market(recipient) or "")


_WORDS = st.sampled_from(["sent", "delivered", "read", "failed"])
_EVENT = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 4), st.sampled_from(["accepted", "refused", "unknown", None])),
    st.tuples(st.just("status"), st.integers(1, 6), _WORDS),
    st.tuples(st.just("cancel"), st.integers(1, 4), st.none()),
    st.tuples(st.just("settle"), st.integers(1, 4), st.booleans()),
    st.tuples(st.just("lease"), st.just(0), st.none()),
    st.tuples(st.just("refresh"), st.just(0), st.none()),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(_EVENT, max_size=14))
def test_after_any_events_the_rollups_equal_the_rows(database: Database, events: list[Any]) -> None:
    _emptied(database)
    at, known = NOW, set()
    for hook, (what, n, more) in enumerate(events, 1):
        at += 7_000
        if what == "send" and n not in known:
            known.add(n)
            ours(database, n, more, at=at)
        elif what == "status":
            told(database, hook, f"w-{n}", more, at, phone_number_id="100")
        elif what == "refresh":
            refreshed(database, at=at + 200)
        else:
            with database.write() as tx:
                _by_person(tx, what, n, more, at)
    refreshed(database)
    assert over_rollups(database) == over_rows(database)


def _by_person(tx: Any, what: str, n: int, more: Any, at: float) -> None:
    if what == "cancel":
        sends.cancel(tx, message_id(n), at)
    elif what == "settle":
        sends.settle_by_person(tx, message_id(n), sent=more, note="", now=at)
    elif what == "lease":
        sends.end_leases(tx, at)


def _emptied(database: Database) -> None:
    kept = {"installation", "alembic_version"}
    with database.write() as tx:
        for table in metadata.tables.keys() - kept:
            tx.run(text(f"DELETE FROM {table}"))


class Paced:
    """A processor for whom each look at the clock takes `each` seconds: so does each page of a bucket."""

    def __init__(self, database: Database, each: float = 0.0) -> None:
        self.database, self.at, self.each = database, 0.0, each
        self.pace = rollup_refresh.Pace(self._clock, Random(1))

    def _clock(self) -> float:
        self.at += self.each
        return self.at

    def step(self, zone: ZoneInfo = UTC) -> bool:
        return rollups.step(self.database, zone, LATER + self.at, pace=self.pace)


def test_at_its_pace_a_processor_rests_for_ten_times_as_long_as_its_work_took(database: Database) -> None:
    ours(database, 1)
    processor = Paced(database, each=1.0)
    assert processor.step()  # looks when it begins, after its first page, and when it ends
    assert processor.pace.rests_until == 3 + rollup_refresh.REST * 2
    assert rows(database, "report_days") == []
    processor.at = processor.pace.rests_until - 2
    assert not processor.step()
    assert processor.step()
    assert over_rollups(database) == over_rows(database)


def test_a_processor_that_rests_takes_in_news_all_the_same(database: Database) -> None:
    ours(database, 1)
    processor = Paced(database)
    processor.pace.rests_until = 10.0
    assert processor.step()
    assert rows(database, "report_days") == []
    assert len(rows(database, "dirty_buckets")) == 1


def test_at_its_pace_every_bucket_is_worked_out_in_the_end(database: Database) -> None:
    for n in range(1, 9):
        ours(database, n, at=NOW - n * DAY)
    processor = Paced(database)
    for _ in range(3):
        processor.step()
        processor.at += 20
    assert over_rollups(database) == over_rows(database)
    assert rows(database, "dirty_buckets") == []


def test_of_two_who_work_out_one_bucket_the_slower_writes_nothing_and_reads_no_further(
    database: Database,
) -> None:
    ours(database, 1)
    place = (day_of(NOW, UTC), "100")
    ours(database, 2)
    with database.write() as tx:
        rollup_dirty.mark(tx, [("100", NOW)], UTC, LATER)
    slower = rollup_refresh.begin(database, *place, UTC, LATER, page=1)
    assert slower is not None
    assert not rollup_refresh.go_on(database, slower, LATER, 15.0)
    refreshed(database)
    assert rollup_refresh.go_on(database, slower, LATER, 15.0)
    assert slower.size == 1
    assert [row["refreshes"] for row in rows(database, "report_days")] == [1]
    assert over_rollups(database) == over_rows(database)


def test_figures_of_a_zone_that_changed_meanwhile_are_not_written(database: Database) -> None:
    ours(database, 1)
    rollups.step(database, UTC, LATER - 60)
    told(database, 1, "w-1", "read")
    with database.write() as tx:
        rollup_dirty.mark(tx, [("100", NOW)], UTC, LATER)
    work = rollup_refresh.begin(database, day_of(NOW, UTC), "100", UTC, LATER)
    assert work is not None
    refreshed(database, KOLKATA)
    while not rollup_refresh.go_on(database, work, LATER, 15.0):
        pass
    assert over_rollups(database) == over_rows(database, KOLKATA)


def test_once_a_day_is_sealed_the_zone_stays(database: Database) -> None:
    start, _ = bounds(day_of(NOW, UTC), UTC)
    for n, hour in enumerate((1, 12, 23, 26), 1):
        ours(database, n, at=start + hour * 3600)
    refreshed(database)
    with database.write() as tx:
        rollups.seal(tx, day_of(NOW + DAY, UTC))
    refreshed(database, KOLKATA)
    told(database, 1, "w-4", "read", LATER)
    rollups.step(database, KOLKATA, LATER + 20)
    assert over_rollups(database) == over_rows(database)
    with database.read() as tx:
        assert rollups.zone_in_force(tx, KOLKATA) == UTC


def test_before_anything_is_sealed_the_zone_is_the_wanted_one(database: Database) -> None:
    refreshed(database)
    with database.read() as tx:
        assert rollups.zone_in_force(tx, KOLKATA) == KOLKATA
