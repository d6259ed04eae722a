"""Recording outcomes: in groups, past a database that is away, and with what else can go wrong."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry
from sending import FAST, new_send, opened, queue_all, rows, send_row, states
from sqlalchemy import event, text

from sender.figures import SenderFigures
from sender.recorder import Recorder
from store.claims import Claimed, Hunt, claim_due, due_numbers, refuse_expired
from store.database import Database, WriteTx
from store.errors import DatabaseAway
from store.outcomes import Ended, record_outcomes
from store.queue import queue
from store.records import AttemptEnd
from store.sends import end_leases


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


def claimed(database: Database, count: int) -> tuple[Claimed, ...]:
    queue_all(database, [new_send() for _ in range(count)])
    with database.write() as tx:
        found = claim_due(tx, time.time(), Hunt("c" * 32, 30.0, count, FAST)).claimed
    assert len(found) == count
    return found


def accepted(one: Claimed, wamid: str | None = None) -> Ended:
    end = AttemptEnd("accepted", time.time(), 200, wamid or f"wamid.{one.message_id}", answer=b"{}")
    return Ended(one.message_id, one.attempt, one.claim, end)


def refused(one: Claimed) -> Ended:
    end = AttemptEnd("refused", time.time(), 400, refused_by="meta", error='{"code":100}')
    return Ended(one.message_id, one.attempt, one.claim, end)


class Away(Database):
    """Cannot be reached the first few times."""

    def __init__(self, url: str, times: int) -> None:
        super().__init__(url)
        self.times = times

    @contextmanager
    def write(self, *, urgent: bool = False) -> Iterator[WriteTx]:
        if self.times > 0:
            self.times -= 1
            raise DatabaseAway("The database is away.")
        with super().write(urgent=urgent) as tx:
            yield tx


async def test_outcomes_that_end_together_share_a_commit(database: Database):
    registry = CollectorRegistry()
    recorder = Recorder(database, SenderFigures(registry), gather=0.05)
    found = claimed(database, 40)
    ends = [accepted(one) for one in found[:30]] + [refused(one) for one in found[30:]]
    results = await asyncio.gather(*map(recorder.record, ends))
    assert results == ["accepted"] * 30 + ["refused"] * 10
    assert sorted(states(database).values()) == ["accepted"] * 30 + ["refused"] * 10
    assert registry.get_sample_value("wamtrail_send_record_group_size_count") == 1
    assert rows(database, "SELECT count(*) AS n FROM feed") == [{"n": 1}]
    assert rows(database, "SELECT count(*) AS n FROM attempt_outcomes") == [{"n": 40}]


async def test_a_database_that_is_away_is_waited_for(database: Database):
    [one] = claimed(database, 1)
    away = Away(database.url, 3)
    assert await Recorder(away, SenderFigures()).record(accepted(one)) == "accepted"
    away.close()
    assert away.times == 0
    assert list(states(database).values()) == ["accepted"]


async def test_what_cannot_be_written_in_time_is_left_to_its_lease(database: Database):
    [one] = claimed(database, 1)
    registry, away = CollectorRegistry(), Away(database.url, 1_000)
    recorder = Recorder(away, SenderFigures(registry), patience=0.1)
    assert await recorder.record(accepted(one)) is None
    away.close()
    assert registry.get_sample_value("wamtrail_send_outcomes_not_recorded_total") == 1
    with database.write() as tx:
        assert end_leases(tx, time.time() + 60) == 1
    assert list(states(database).values()) == ["unknown"]
    assert await Recorder(database, SenderFigures()).record(accepted(one)) == "accepted"  # it still proves it


async def test_one_wamid_for_two_messages_does_not_take_the_others_along(database: Database):
    first, second, third = claimed(database, 3)
    recorder = Recorder(database, SenderFigures(), gather=0.05)
    ends = [accepted(first, "wamid.same"), accepted(second, "wamid.same"), accepted(third)]
    found = await asyncio.gather(*map(recorder.record, ends))
    assert sorted(str(one) for one in found) == ["accepted", "accepted", "unknown"]
    assert sorted(states(database).values()) == ["accepted", "accepted", "unknown"]


async def test_only_the_owner_of_the_claim_may_say_that_it_was_refused(database: Database):
    [one] = claimed(database, 1)
    with database.write() as tx:
        end_leases(tx, time.time() + 60)
        assert record_outcomes(tx, [refused(one)]) == {one.message_id: "unknown"}
    assert send_row(database, one.message_id)["refused_by"] is None


def test_no_question_of_the_sender_reads_the_whole_table(sqlite_url: str):
    """Each uses a partial index; SQLite says so, and on millions of sends it has to be so."""
    asked: list[tuple[str, object]] = []
    with opened(sqlite_url) as database:
        queue_all(database, [new_send()])
        with database.write() as tx:
            event.listen(
                tx.connection, "before_cursor_execute", lambda *given: asked.append((given[2], given[3]))
            )
            due_numbers(tx, time.time())
            claim_due(tx, time.time(), Hunt("c" * 32, 30.0, 5, FAST))
            refuse_expired(tx, time.time())
            end_leases(tx, time.time())
            queue(tx, time.time())
        with database.read() as tx:
            about_sends = [(statement, values) for statement, values in asked if "sends" in statement]
            plans = [
                row.detail
                for statement, values in about_sends
                for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
            ]
    assert len(about_sends) >= 8
    assert [plan for plan in plans if plan.startswith("SCAN sends") and "INDEX ix_" not in plan] == []


def test_after_a_long_queue_no_claim_walks_over_what_was_sent(postgresql_url: str):
    """With much queued PostgreSQL thinks that any index finds a queued row soon; those in front are sent."""
    with opened(postgresql_url) as database:
        queue_all(database, [new_send() for _ in range(400)])
        with database.write() as tx:
            tx.run(text("ANALYZE sends"))
        asked: list[str] = []
        with database.write() as tx:
            event.listen(tx.connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
            assert due_numbers(tx, time.time())
        with database.read() as tx:
            plan = "\n".join(row[0] for row in tx.connection.exec_driver_sql(f"EXPLAIN {asked[0]}"))
    assert "using ix_sends_due on sends" in plan
    assert "uq_sends" not in plan
    assert "Seq Scan on sends" not in plan
