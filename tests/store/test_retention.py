"""What is past its age goes, with all that hangs on it; what is not settled, or young, stays."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from retention_samples import (
    AGES,
    LATER,
    MESSAGE_TABLES,
    cleaned,
    counts,
    followed,
    heard,
    kept,
    sent,
    told,
)
from sqlalchemy import text
from store_samples import NOW, message_id, new_send, rows

from store import (
    audit,
    bulk_runs,
    extras,
    minutes,
    rates,
    retention,
    searches,
    sends,
    sessions,
    sign_in_failures,
)
from store.database import Database
from store.minutes import Seen
from store.records import AccountEvent, InboundMessage, QuarantinedPart
from store.retention_ages import DAY
from store.tables import metadata

PART = QuarantinedPart("/entry/0", "Nobody understands this.", "{}")
STAYS = {"followers", "report_state", "report_days", "report_buckets", "report_costs", "report_latency"}
STAYS |= {"installation"}


def old_world(database: Database) -> None:
    """Something of every kind that goes by its age."""
    sent(database, 1, recipient="919812345678")
    heard(database, "w-1", "sent", recipient_user_id="IN.1")
    heard(database, "w-1", "read", participant="15550000009")
    sent(database, 2, "refused")
    heard(database, "stranger", "failed", codes="131026", errors='[{"code":131026}]')
    heard(database, "stranger", "failed", codes="131026", errors='[{"code":131026}]')
    told(
        database,
        inbound=(InboundMessage("in-1", int(NOW), "text", "100", "15550000001", replies_to="w-1"),),
        events=(AccountEvent("1", "account_update", int(NOW), "{}"),),
        quarantined=(PART,),
    )
    followed(database, NOW + 2 * DAY)
    with database.write() as tx:
        extras.close_quarantine(tx, [extras.quarantine_digest(PART)], NOW + 60)
        minutes.write(tx, "p", [Seen(int(NOW // 60), "", webhooks=3)])
        audit.record(tx, at=NOW, who="Asha", action="reveal", target="m1")
        sessions.begin(tx, "u1", "s" * 43, "browser", NOW)
        sign_in_failures.attempt(tx, "asha", "127.0.0.1", NOW)
        searches.keep(tx, "s1", "u1", "q=1", NOW)
        rates.write(tx, {}, {rates.pair_key("100", "1"): 1})
        new = bulk_runs.NewRun("run-1", "list.csv", "list.csv", b"d", "100")
        bulk_runs.begin(tx, new, NOW)
        tx.run(
            text(
                "INSERT INTO bulk_problems (bulk_run_id, row_number, kind, recipient_typed, reason)"
                " VALUES ('run-1', 2, 'list', 'x', 'no')"
            )
        )
        bulk_runs.cancel(tx, "run-1", NOW + 1)


def test_everything_past_its_age_goes_and_is_counted(database: Database) -> None:
    old_world(database)
    before = rows(database, "report_buckets")
    outcome = cleaned(database, NOW + 800 * DAY)
    assert {name: count for name, count in outcome.gone.items() if count} == {
        "webhooks": 5,
        "answers": 2,
        "closed quarantine": 1,
        "feed positions": 5,
        "account events": 1,
        "receiver minutes": 1,
        "messages": 2,
        "strangers' messages": 1,
        "inbound messages": 1,
        "problems of bulk runs": 1,
        "bulk runs": 1,
        "names": 1,
        "audit entries": 1,
    }
    assert outcome.stays == []
    assert set(counts(database)) - STAYS == {"audit_log"}
    (entry,) = rows(database, "audit_log")
    assert (entry["who"], entry["action"]) == ("command", "retention")
    assert "messages 2" in entry["reason"]
    assert rows(database, "report_buckets") == before


def test_a_dry_run_tells_the_same_and_changes_nothing(database: Database) -> None:
    old_world(database)
    before = {table: rows(database, table, order="1") for table in counts(database)}
    told = cleaned(database, NOW + 800 * DAY, dry=True).gone
    assert {table: rows(database, table, order="1") for table in counts(database)} == before
    gone = cleaned(database, NOW + 800 * DAY).gone
    gone.pop("marks of webhooks", None)
    assert told == {**gone, "names": 0}  # a send uses it until that has gone


def test_a_second_run_finds_nothing(database: Database) -> None:
    old_world(database)
    cleaned(database)
    assert not any(cleaned(database).gone.values())
    assert [row["reason"] for row in rows(database, "audit_log")][-1] == "nothing"


def test_what_is_young_stays(database: Database) -> None:
    old_world(database)
    tables = counts(database)
    for name in ("sessions", "sign_in_failures", "searches", "rate_cells"):
        tables.pop(name, None)
    cleaned(database, NOW + 80 * DAY)
    left = counts(database)
    assert left.pop("audit_log") == tables.pop("audit_log") + 1
    left.pop("installation"), tables.pop("installation")
    assert left == tables


def test_bodies_go_before_messages_do(database: Database) -> None:
    old_world(database)
    before = counts(database, *MESSAGE_TABLES)
    cleaned(database, NOW + 100 * DAY)
    assert counts(database, "webhooks", "webhook_repeats", "feed") == {
        "webhooks": 0,
        "webhook_repeats": 0,
        "feed": 0,
    }
    assert counts(database, *MESSAGE_TABLES) == before
    assert {row["answer"] for row in rows(database, "attempt_outcomes")} == {None}


@pytest.mark.parametrize("outcome", ["unknown", "throttled", None])
def test_what_is_not_settled_stays(database: Database, outcome: str | None) -> None:
    sent(database, 1, outcome)
    with database.write() as tx:
        sends.submit(tx, new_send(2), NOW)  # queued
    followed(database, NOW + 2 * DAY)
    assert not any(
        count for name, count in cleaned(database).gone.items() if name not in ("feed positions", "webhooks")
    )
    assert counts(database, "sends") == {"sends": 2}
    assert len(rows(database, "send_attempts")) == 1


def test_a_webhook_that_waits_or_is_in_open_quarantine_stays(database: Database) -> None:
    waiting = kept(database)
    open_one = told(database, quarantined=(PART,))
    heard(database, "stranger")
    followed(database, NOW + 2 * DAY)
    assert cleaned(database).gone["webhooks"] == 1
    assert [row["id"] for row in rows(database, "webhooks", order="1")] == [waiting, open_one]
    assert len(rows(database, "webhook_backlog")) == 1
    assert len(rows(database, "quarantine")) == 1


def test_a_young_webhook_before_an_old_one_hides_nothing(database: Database) -> None:
    for at in (LATER, LATER, LATER, LATER, NOW):
        told(database, at)
    assert cleaned(database).gone["webhooks"] == 1
    assert len(rows(database, "webhooks")) == 4


def test_a_message_of_which_the_feed_still_tells_stays_until_that_is_past_its_age(database: Database) -> None:
    sent(database, 1)
    heard(database, "w-1", "read", LATER - 10 * DAY)
    followed(database, LATER)
    assert cleaned(database).gone["messages"] == 0
    assert cleaned(database, LATER + 85 * DAY).gone["messages"] == 1


def test_what_was_settled_lately_stays(database: Database) -> None:
    sent(database, 1, "unknown")
    with database.write() as tx:
        sends.settle_by_person(tx, message_id(1), sent=False, note="asked", now=LATER - DAY)
    followed(database, LATER)
    assert cleaned(database).gone["messages"] == 0


def test_messages_stay_while_webhooks_of_their_time_wait(database: Database) -> None:
    sent(database, 1)
    kept(database, NOW - DAY)
    followed(database, NOW + 2 * DAY)
    assert cleaned(database).gone["messages"] == 0
    with database.write() as tx:
        tx.run(text("DELETE FROM webhook_backlog"))
    assert cleaned(database).gone["messages"] == 1


def test_a_slow_follower_holds_the_feed_and_its_messages(database: Database) -> None:
    sent(database, 1)
    outcome = cleaned(database)
    assert outcome.gone["feed positions"] == outcome.gone["messages"] == 0
    assert "is behind" in outcome.stays[0]
    followed(database, LATER)
    assert cleaned(database).gone["messages"] == 1


def test_forever_keeps_a_kind(database: Database) -> None:
    old_world(database)
    ages = replace(AGES, messages=None, audit=None)
    before = counts(database, *MESSAGE_TABLES, "strangers")
    outcome = cleaned(database, ages=ages)
    assert "messages" not in outcome.gone
    assert counts(database, *MESSAGE_TABLES, "strangers") == before
    assert counts(database, "webhooks") == {"webhooks": 0}


def test_a_run_that_still_has_messages_stays(database: Database) -> None:
    with database.write() as tx:
        bulk_runs.begin(tx, bulk_runs.NewRun("run-1", "a.csv", "a.csv", b"d", "100"), NOW)
        bulk_runs.cancel(tx, "run-1", NOW)
    sent(database, 1, "unknown", bulk_run_id="run-1", row_number=1)
    followed(database, NOW + 2 * DAY)
    assert cleaned(database).gone["bulk runs"] == 0


def test_lists_of_templates_and_opt_outs_are_nothing_of_an_age(database: Database) -> None:
    with database.write() as tx:
        tx.run(
            text(
                "INSERT INTO suppressions (identity, category, stopped, occurred_at, source)"
                " VALUES ('15550000001', 'marketing_messages', true, 1, 'meta')"
            )
        )
    cleaned(database, LATER + 4000 * DAY)
    assert counts(database, "suppressions") == {"suppressions": 1}


KEPT_ON_PURPOSE = {
    *("accounts", "ledger_entries", "rate_cards", "numbers", "endpoints", "users", "api_tokens"),
    *("suppressions", "templates", "installation", "followers", "processor_marks"),
    *("report_state", "report_days", "report_buckets", "report_costs", "report_latency", "dirty_buckets"),
}


def test_every_table_goes_by_its_age_or_is_kept_on_purpose() -> None:
    """A new table needs a decision: a way to go, or a place among those that stay."""
    store = Path(retention.__file__).parent
    others = ("sessions", "sign_in_failures", "searches", "open_messages", "search_follow", "rates", "aged")
    files = [*store.glob("retention*.py"), *(store / f"{name}.py" for name in others)]
    words = "".join(path.read_text() for path in files)
    assert {name for name in metadata.tables if name not in words} <= KEPT_ON_PURPOSE


def test_the_zone_of_the_reports_says_which_days_are_whole(database: Database) -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    sent(database, 1)
    followed(database, NOW + 2 * DAY, zone=kolkata)
    before = rows(database, "report_buckets")
    assert cleaned(database, zone=kolkata).gone["messages"] == 1
    followed(database, LATER, zone=kolkata)
    assert rows(database, "report_buckets") == before


def test_the_sqlite_file_shrinks(sqlite_database: Database) -> None:
    for n in range(30):
        told(sqlite_database, events=(AccountEvent("1", "calls", n, "x" * 9_000),))
    followed(sqlite_database, NOW)
    with sqlite_database.write() as tx:
        tx.run(text("DELETE FROM account_events"))
    with sqlite_database.read() as tx:
        free, pages = (tx.value(text(f"PRAGMA {one}")) for one in ("freelist_count", "page_count"))
    assert free > 50
    cleaned(sqlite_database, NOW + 800 * DAY)
    with sqlite_database.read() as tx:
        assert tx.value(text("PRAGMA freelist_count")) == 0
        assert tx.value(text("PRAGMA page_count")) <= pages - free
