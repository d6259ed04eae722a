"""Both databases: a run's rows are claimed, held, released, taken back, sent, told of and tried again."""

import csv
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from bulk_samples import begun, claim, found, listed, load, of_run, refuse, taken_in
from sending import (
    FAST,
    NUMBER,
    SCENARIO,
    new_send,
    opened,
    queue_all,
    worked,
    worker_for,
    wrapper_for,
)
from sqlalchemy import text

from sender import bulk_result
from sender.bulk_again import Again, helps
from sender.bulk_lines import BadList
from sender.bulk_progress import Rate, Standing, standing, time_left
from sender.bulk_work import Work
from simulator.running import RunningSimulator
from store import bulk_claims, bulk_runs, claims
from store.bulk_runs import Run
from store.database import Database
from store.sends import give_back_all


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


def test_rows_leave_in_the_lists_order_after_everything_urgent(database: Database, tmp_path: Path):
    taken_in(database, listed(tmp_path, 30))
    (urgent,) = queue_all(database, [new_send()])
    taken = claim(database, 4)
    order = [str(one["message_id"]) for one in of_run(database)]
    assert set(taken) == {urgent, *order[:3]}


def test_a_held_run_stands_in_nobodys_way(database: Database, tmp_path: Path):
    taken_in(database, listed(tmp_path, 300), "held")
    taken_in(database, listed(tmp_path, 300), "open")
    with database.write() as tx:
        assert bulk_runs.pause(tx, "held")
        assert not bulk_runs.pause(tx, "held")
    claimed = claim(database, 8)
    assert set(claimed) == {one["message_id"] for one in of_run(database, "open")[:8]}
    with database.write() as tx:
        assert bulk_runs.cancel(tx, "open", time.time())
        assert claims.due_numbers(tx, time.time()) == []
    assert claim(database) == []
    with database.write() as tx:
        assert bulk_runs.resume(tx, "held")
        assert claims.due_numbers(tx, time.time()) == [NUMBER]
    assert set(claim(database, 4)) == {one["message_id"] for one in of_run(database, "held")[:4]}


def test_open_runs_of_one_number_share_it(database: Database, tmp_path: Path):
    for name in ("one", "two"):
        taken_in(database, listed(tmp_path, 100), name)
    claimed = set(claim(database, 60))
    shares = [sum(one["message_id"] in claimed for one in of_run(database, name)) for name in ("one", "two")]
    assert sum(shares) == len(claimed) == 60
    assert min(shares) >= 20


def test_the_claim_of_a_runs_rows_reads_them_in_order_from_their_index(database: Database, tmp_path: Path):
    taken_in(database, listed(tmp_path, 2_000))
    statement = bulk_claims._ROWS_POSTGRES if not database.sqlite else bulk_claims._ROWS_SQLITE
    with database.write() as tx:
        if tx.postgres:
            tx.run(text("ANALYZE sends"))
        explain = "EXPLAIN " if tx.postgres else "EXPLAIN QUERY PLAN "
        values = {"run": "run", "now": time.time(), "most": 20}
        plan = " ".join(str(tuple(row)) for row in tx.all(text(explain + str(statement)), values))
    assert "ix_sends_run_due" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def test_cancelling_takes_back_what_has_not_left(database: Database, tmp_path: Path):
    taken_in(database, listed(tmp_path, 700))
    on_the_wire = claim(database, 5)
    with database.write() as tx:
        assert bulk_runs.cancel(tx, "run", time.time())
        assert not bulk_runs.resume(tx, "run")
    counts = []
    while not counts or counts[-1]:
        with database.write() as tx:
            counts.append(bulk_runs.cancel_rows(tx, "run", time.time()))
    assert sum(counts) == 695
    assert max(counts) <= bulk_runs.MOST
    states = Counter(one["state"] for one in of_run(database))
    assert states == {"cancelled": 695, "sending": len(on_the_wire)}
    assert {one["payload"] for one in of_run(database) if one["state"] == "cancelled"} == {None}


async def test_a_row_that_comes_back_after_its_run_was_cancelled_is_taken_back_too(
    database: Database, tmp_path: Path
):
    taken_in(database, listed(tmp_path, 5))
    claimed = claim(database, 2)
    with database.write() as tx:
        assert bulk_runs.cancel(tx, "run", time.time())
        assert bulk_runs.cancel_rows(tx, "run", time.time()) == 3
        row = tx.first(text("SELECT claim_id FROM sends WHERE state = 'sending'"))
        assert row is not None
        assert give_back_all(tx, claimed, row.claim_id) == 2
    with RunningSimulator(SCENARIO) as simulator:
        async with wrapper_for(simulator) as wrapper:
            await worked(
                worker_for(database, wrapper),
                lambda: {one["state"] for one in of_run(database)} == {"cancelled"},
            )
        assert simulator.posts() == []


async def test_a_list_is_read_and_sent_at_once_and_its_result_has_every_row(
    database: Database, tmp_path: Path
):
    file, result = listed(tmp_path, 130, 7, 8), tmp_path / "result.csv"
    run, seen = begun(database, file), list[Standing]()
    with RunningSimulator(SCENARIO) as simulator:
        async with wrapper_for(simulator) as wrapper:
            work = Work(
                database,
                "run",
                clock=time.time,
                load=load(database, run),
                worker=worker_for(database, wrapper),
                report=seen.append,
            )
            end = await work.run()
        taken = Counter(one["callback_data"] for one in simulator.messages())
    assert (end.accepted, end.run.invalid, end.run.state, end.over) == (128, 2, "done", True)
    assert seen[-1] == end
    assert set(taken.values()) == {1}
    assert bulk_result.write(database, "run", result) == 130
    with result.open(newline="") as lines:
        told = list(csv.DictReader(lines))
    assert [int(one["line"]) for one in told] == list(range(2, 132))
    assert [one["reference"] for one in told] == [f"order-{n}" for n in range(130)]
    assert {one["message_id"] for one in told} - {""} == set(taken)
    assert Counter(one["status"] for one in told) == {"accepted": 128, "not sent": 2}
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


async def test_work_that_is_told_to_stop_holds_its_run_and_goes_on_later(database: Database, tmp_path: Path):
    run = begun(database, listed(tmp_path, 90))
    with RunningSimulator(SCENARIO) as simulator:
        async with wrapper_for(simulator) as wrapper:
            works: list[Work] = []

            def stop_early(now: Standing) -> None:
                if now.accepted:
                    works[0].stop()

            slow = worker_for(database, wrapper, type(FAST)(rate=40.0))
            works.append(
                Work(
                    database,
                    "run",
                    clock=time.time,
                    load=load(database, run),
                    worker=slow,
                    report=stop_early,
                )
            )
            half = await works[0].run()
            assert half.run.state == "paused"
            assert half.queued > 0
            assert half.sending == 0
            with database.write() as tx:
                assert bulk_runs.resume(tx, "run")
            rest = load(database, found(database)) if half.run.loaded_at is None else None
            works[0] = Work(
                database,
                "run",
                clock=time.time,
                load=rest,
                worker=worker_for(database, wrapper),
                report=lambda _now: None,
            )
            end = await works[0].run()
        assert max(Counter(one["callback_data"] for one in simulator.posts()).values()) == 1
    assert (end.accepted, end.run.state) == (90, "done")


async def test_a_list_that_cannot_be_read_holds_its_run(database: Database, tmp_path: Path):
    file = tmp_path / "list.csv"
    file.write_text("to,to\n")
    work = Work(
        database,
        "run",
        clock=time.time,
        load=load(database, begun(database, file)),
        worker=None,
        report=lambda _now: None,
    )
    with pytest.raises(BadList):
        await work.run()
    assert found(database).state == "paused"


async def test_a_worker_marks_a_run_done_when_nothing_of_it_is_left(database: Database, tmp_path: Path):
    taken_in(database, listed(tmp_path, 3))
    with RunningSimulator(SCENARIO) as simulator:
        async with wrapper_for(simulator) as wrapper:
            await worked(worker_for(database, wrapper), lambda: found(database).state == "done")
    assert found(database).finished_at is not None


def test_a_run_with_something_under_way_is_not_done(database: Database, tmp_path: Path):
    taken_in(database, listed(tmp_path, 1))
    assert len(claim(database)) == 1
    with database.write() as tx:
        assert bulk_runs.finish(tx, time.time()) == 0
        tx.run(text("UPDATE sends SET state = 'unknown', lease_until = NULL"))
        assert bulk_runs.finish(tx, time.time()) == 1


def test_a_retry_sends_the_refused_rows_that_another_try_can_help_once(database: Database, tmp_path: Path):
    file = listed(tmp_path, 12, 11)
    taken_in(database, file)
    for line, by, code in (
        (2, "meta", 131048),
        (3, "meta", 100),
        (4, "wamtrail", None),
        (5, "wrapper", None),
    ):
        refuse(database, line, by, code)
    with database.write() as tx:
        tx.run(text("UPDATE sends SET state = 'unknown' WHERE row_number = 6"))
    before = found(database)
    run = begun(database, file, "again", retry_of="run")
    load(database, run, again=Again(before, every=False)).take_in(lambda: False)
    assert [one["row_number"] for one in of_run(database, "again")] == [2, 4]
    everything = begun(database, file, "all", retry_of="run", retry_all=True)
    load(database, everything, again=Again(before, every=True)).take_in(lambda: False)
    assert [one["row_number"] for one in of_run(database, "all")] == [3, 5]
    assert found(database, "all").invalid == 1
    with database.read() as tx:
        assert [one.bulk_run_id for one in bulk_runs.retries(tx, "run")] == ["all", "again"]


@pytest.mark.parametrize(
    ("by", "code", "expected"),
    [
        ("wamtrail", None, True),
        ("template", None, True),
        ("list", None, False),
        ("recipient", None, False),
        ("person", 131048, False),
        ("meta", 131048, True),
        ("meta", 131026, False),
        ("meta", 987654, False),
        ("wrapper", "RBC201", True),
    ],
)
def test_which_refusals_another_try_can_help(by: str, code: int | str | None, expected: bool):
    assert helps(by, json.dumps({"code": code})) is expected


def test_the_rate_is_taken_over_the_last_moments_and_tells_the_time_left(database: Database, tmp_path: Path):
    run = taken_in(database, listed(tmp_path, 10))
    rate = Rate()
    assert rate.see(0.0, 0) is None
    assert rate.see(10.0, 100) == 10.0
    assert rate.see(100.0, 100) == 0.0
    assert rate.see(120.0, 300) == 10.0
    with database.read() as tx:
        now = standing(tx, run, time.time())
    assert (now.queued, now.settled, now.over) == (10, 0, False)
    assert time_left(now, 5.0) == 2.0
    assert time_left(now, 0.0) is None
    assert time_left(Standing(Run(**{**_fields(run), "loaded_at": None}), queued=5), 5.0) is None


def _fields(run: Run) -> dict[str, object]:
    return {name: getattr(run, name) for name in Run.__dataclass_fields__}
