"""Both databases: a list is taken in once whatever happens, and looked at before anything leaves."""

import itertools
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from bulk_samples import HEAD, begun, found, listed, load, of_run, taken_in
from sending import (
    NUMBER,
    anybody,
    opened,
    rows,
)
from sqlalchemy import text

from sender import bulk_estimate
from sender.bulk_check import Checker, Terms, wrong_columns
from sender.bulk_lines import Row, chunks
from sender.bulk_list import opened as opened_list
from sender.bulk_load import dry_run
from store import bulk_runs, rate_cards, suppressions, templates
from store.bulk_intake import NotReading
from store.bulk_runs import NewRun
from store.database import Database
from store.rate_cards import Rate as Price
from store.records import TemplateWord


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as found:
        yield found


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
