"""Bulk runs on both databases: taken in once whatever happens, held, released, taken back, tried again."""

import csv
import itertools
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sending import (
    FAST,
    NUMBER,
    SCENARIO,
    anybody,
    new_send,
    opened,
    queue_all,
    rows,
    worked,
    worker_for,
    wrapper_for,
)
from sqlalchemy import text

from sender import bulk_estimate, bulk_result
from sender.bulk_again import Again, helps
from sender.bulk_check import Checker, Terms, wrong_columns
from sender.bulk_lines import BadList, Row, chunks
from sender.bulk_list import opened as opened_list
from sender.bulk_load import Load, dry_run
from sender.bulk_progress import Rate, Standing, standing, time_left
from sender.bulk_work import Work
from simulator.running import RunningSimulator
from store import bulk_claims, bulk_runs, claims, rate_cards, suppressions, templates
from store.bulk_intake import NotReading
from store.bulk_runs import NewRun, Run
from store.claims import Hunt
from store.database import Database
from store.outcomes import error_json
from store.rate_cards import Rate as Price
from store.records import TemplateWord
from store.sends import give_back_all

HEAD = "to,reference,1\n"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


def listed(folder: Path, count: int, *bad: int) -> Path:
    """A CSV; the rows `bad`, from 0, have a number that cannot be used."""
    file = folder / f"list-{secrets.token_hex(3)}.csv"
    people = (f"{'12' if n in bad else anybody()},order-{n},Person {n}\n" for n in range(count))
    file.write_text(HEAD + "".join(people))
    return file


def begun(database: Database, file: Path, run_id: str = "run", **more: object) -> Run:
    new = NewRun(run_id, file.name, str(file), run_id.encode(), NUMBER, "hello", "en", **more)  # type: ignore[arg-type]
    with database.write() as tx:
        assert bulk_runs.begin(tx, new, time.time())
    return found(database, run_id)


def found(database: Database, run_id: str = "run") -> Run:
    with database.read() as tx:
        run = bulk_runs.find(tx, run_id)
    assert run is not None
    return run


def terms(run: Run) -> Terms:
    return Terms(run.bulk_run_id, run.phone_number_id, run.template, run.language, run.valid_for)


def load(
    database: Database, run: Run, clock: Callable[[], float] = time.time, again: Again | None = None
) -> Load:
    return Load(database, run, terms(run), clock=clock, random=secrets.token_bytes, again=again)


def taken_in(database: Database, file: Path, run_id: str = "run", **more: object) -> Run:
    load(database, begun(database, file, run_id, **more)).take_in(lambda: False)
    return found(database, run_id)


def claim(database: Database, room: int = 4) -> list[str]:
    with database.write() as tx:
        hunt = Hunt(secrets.token_hex(4), 60.0, room, FAST, horizon=1.0)
        return [one.message_id for one in claims.claim_due(tx, time.time(), hunt).claimed]


def of_run(database: Database, run_id: str = "run") -> list[dict[str, object]]:
    return rows(database, "SELECT * FROM sends WHERE bulk_run_id = :id ORDER BY row_number", id=run_id)


def refuse(database: Database, line: int, by: str, code: int | None = None) -> None:
    statement = (
        "UPDATE sends SET state = 'refused', refused_by = :by, error = :error WHERE row_number = :line"
    )
    with database.write() as tx:
        tx.run(text(statement), {"line": line, "by": by, "error": error_json("No.", code=code)})


# Taking in


def test_a_list_is_taken_in_with_its_bad_rows_kept_apart(database: Database, tmp_path: Path):
    run = taken_in(database, listed(tmp_path, 700, 3, 650))
    assert (run.state, run.valid, run.invalid, run.read_to) == ("running", 698, 2, 701)
    sends = of_run(database)
    assert [one["row_number"] for one in sends] == [n for n in range(2, 702) if n not in (5, 652)]
    assert {(one["state"], one["priority"], one["attempts"]) for one in sends} == {("queued", 2, 0)}
    assert [one["reference"] for one in sorted(sends, key=lambda one: one["due_at"])] == [
        one["reference"] for one in sends
    ]
    problems = rows(database, "SELECT * FROM bulk_problems ORDER BY row_number")
    assert [(one["row_number"], one["recipient_typed"]) for one in problems] == [(5, "12"), (652, "12")]
    assert all("country code" in one["reason"] for one in problems)


class Died(Exception):
    pass


@pytest.mark.parametrize("step", range(1, 12, 2))
def test_a_load_that_dies_at_any_instant_goes_on_without_a_row_twice(
    database: Database, tmp_path: Path, step: int
):
    file = listed(tmp_path, 1_400, 0, 60, 1_399)
    run, steps = begun(database, file), itertools.count(1)

    def clock() -> float:
        if next(steps) == step:
            raise Died
        return time.time()

    try:
        load(database, run, clock).take_in(lambda: False)
    except Died:
        half = found(database)
        assert half.loaded_at is None
        assert len(of_run(database)) == half.valid
        load(database, half).take_in(lambda: False)
    done = found(database)
    assert (done.state, done.valid, done.invalid) == ("running", 1_397, 3)
    assert [one["row_number"] for one in of_run(database)] == [n for n in range(3, 1_401) if n != 62]


def test_two_processes_that_read_one_list_take_no_row_in_twice(database: Database, tmp_path: Path):
    run = begun(database, listed(tmp_path, 120))
    first, second = load(database, run), load(database, run)
    first.take_in(lambda: False)
    with pytest.raises(NotReading):
        second.take_in(lambda: False)
    assert found(database).valid == len(of_run(database)) == 120


def test_a_run_that_is_held_while_it_is_read_is_read_no_further(database: Database, tmp_path: Path):
    run = begun(database, listed(tmp_path, 120))
    with database.write() as tx:
        assert bulk_runs.pause(tx, run.bulk_run_id)
    with pytest.raises(NotReading):
        load(database, run).take_in(lambda: False)
    assert of_run(database) == []
    with database.write() as tx:
        assert bulk_runs.resume(tx, run.bulk_run_id)
    assert found(database).state == "preparing"
    load(database, found(database)).take_in(lambda: False)
    assert found(database).valid == 120


def test_a_list_is_one_run_unless_it_is_sent_anew_on_purpose(database: Database, tmp_path: Path):
    run = begun(database, listed(tmp_path, 1))
    with database.write() as tx:
        new = NewRun("other", run.name, run.path, run.digest, NUMBER)
        assert not bulk_runs.begin(tx, new, time.time())
        assert bulk_runs.begin(tx, new, time.time(), 1)
        assert [one.bulk_run_id for one in bulk_runs.same_list(tx, run.digest)] == ["other", "run"]


def test_who_opted_out_and_what_a_template_forbids_is_kept_with_its_kind(database: Database, tmp_path: Path):
    file = tmp_path / "list.csv"
    file.write_text(HEAD + "+919812340999,a,x\n+919812341999,b,y\n")
    with database.write() as tx:
        suppressions.set_by_person(tx, "919812340999", True, None, time.time())
    run = taken_in(database, file)
    assert (run.valid, run.invalid) == (1, 1)
    with database.write() as tx:
        templates.record(tx, [TemplateWord("", "hello", "en", "status", "PAUSED", int(time.time()))])
    run = taken_in(database, file, "second")
    assert (run.valid, run.invalid) == (0, 2)
    kinds = rows(database, "SELECT bulk_run_id, kind FROM bulk_problems ORDER BY bulk_run_id, row_number")
    assert [one["kind"] for one in kinds] == ["recipient", "template", "template"]


def test_what_cannot_be_stored_is_told_and_kept_all_the_same(database: Database, tmp_path: Path):
    file = tmp_path / "list.csv"
    file.write_text(f"{HEAD}+9198\0,a\0b,x\n{anybody()},{'r' * 600},x\n{anybody()},,x\0\n{anybody()},,\n")
    run = taken_in(database, file)
    assert (run.valid, run.invalid) == (0, 4)
    reasons = [
        one["reason"] for one in rows(database, "SELECT reason FROM bulk_problems ORDER BY row_number")
    ]
    assert "reference: must have 1 to 512 characters" in reasons[1]
    assert reasons[2].startswith("column 1: has a NUL")
    assert reasons[3] == "column 1: empty; put text in it."


# Claims


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


# Sending, and what became of it


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


# Trying again


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


# Before anything leaves


def test_a_dry_run_writes_nothing(database: Database, tmp_path: Path):
    run = Terms("dry", NUMBER, "hello", "en")
    checks = list(dry_run(database, listed(tmp_path, 60, 2), run, time.time, secrets.token_bytes))
    assert [len(one.sends) for one in checks] == [49, 10]
    assert [one.line for check in checks for one in check.faults] == [4]
    assert rows(database, "SELECT count(*) AS n FROM sends") == [{"n": 0}]
    assert rows(database, "SELECT count(*) AS n FROM bulk_problems") == [{"n": 0}]


def test_the_estimate_adds_up_the_rates_and_names_what_has_none(database: Database, tmp_path: Path):
    file = tmp_path / "list.csv"
    file.write_text(HEAD + "+919812340999,,x\n+919812341999,,x\n+16505551234,,x\n")
    kinds: bulk_estimate.Kinds = Counter()
    for one in dry_run(database, file, Terms("dry", NUMBER, "hello", "en"), time.time, secrets.token_bytes):
        bulk_estimate.count(kinds, one.sends)
    with database.write() as tx:
        rate_cards.put(tx, [Price("INR", "IN", "marketing", "2020-01-01", 800_000, 50_000)])
        cost = bulk_estimate.cost(tx, kinds, "INR", time.time())
        assert (cost.amount, cost.unpriced, cost.balance) == (1_700_000, {("US", "marketing"): 1}, None)
        assert bulk_estimate.seconds(tx, NUMBER, 776) == pytest.approx(10.0, rel=0.01)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (7_500, "2 h 5 min"), (3_600, "1 h")],
)
def test_durations_are_spelled_for_people(seconds: float, said: str):
    assert bulk_estimate.spelled(seconds) == said


def test_columns_are_compared_with_the_templates_definition(database: Database):
    body = [{"type": "BODY", "text": "Hi {{1}}, {{2}}"}]
    named = [{"type": "BODY", "text": "Hi {{name}}, {{day}}"}]
    with database.write() as tx:
        words = [("hello", body), ("named", named)]
        templates.record(
            tx,
            [
                TemplateWord("", name, "en", "components", json.dumps(parts), 1, source="person")
                for name, parts in words
            ],
        )
        hello, other = Terms("r", NUMBER, "hello", "en"), Terms("r", NUMBER, "named", "en")
        assert wrong_columns(tx, hello, ["1", "2"], named=False) is None
        assert "name the columns 1 to 2" in str(wrong_columns(tx, hello, ["1"], named=False))
        assert wrong_columns(tx, other, ["day", "name"], named=True) is None
        said = str(wrong_columns(tx, other, ["day", "nmae"], named=True))
        assert "no column for name and nothing in it is called nmae" in said
        assert wrong_columns(tx, Terms("r", NUMBER, "unknown", "en"), ["7"], named=False) is None


def test_the_number_s_own_country_completes_national_numbers(database: Database, tmp_path: Path):
    with database.write() as tx:
        tx.run(
            text("INSERT INTO numbers (phone_number_id, default_country) VALUES (:n, 'IN')"), {"n": NUMBER}
        )
        checked = Checker(Terms("r", NUMBER), secrets.token_bytes).check(
            tx,
            [Row(1, {"messaging_product": "whatsapp", "to": "98123 40999", "text": {"body": "x"}})],
            time.time(),
        )
    assert [one.recipient for one in checked.sends] == ["919812340999"]


def test_chunks_begin_small_and_lose_no_row(tmp_path: Path):
    with opened_list(listed(tmp_path, 120), "hello", "en") as found:
        sizes = [len(chunk) for chunk in chunks(found.rows, 50, 30)]
    assert sizes == [50, 30, 30, 10]


# How it goes on


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
