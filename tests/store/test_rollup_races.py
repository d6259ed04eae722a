"""Figures come right however many work them out at once, and wherever one of them is cut off."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import text
from store_samples import NOW, CutOff, rows
from test_rollups import DAY, LATER, UTC, ours, over_rollups, over_rows, refreshed, told

from store import rollup_refresh, rollups
from store.database import Database
from store.histogram import Histogram
from store.rollup_sums import Period, steps

WORDS = ("sent", "delivered", "read")
MESSAGES = 18


def test_several_that_refresh_at_once_end_with_the_figures_of_the_rows(database: Database) -> None:
    stopping, failures = threading.Event(), []

    def refresh() -> None:
        try:
            with closing(Database(database.url)) as own:
                while not stopping.is_set():
                    rollups.refresh_all(own, UTC, lambda: LATER)
        except BaseException as problem:
            failures.append(problem)

    threads = [threading.Thread(target=refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for n in range(1, MESSAGES):
            ours(database, n, at=NOW + (n % 3) * DAY, phone_number_id=("100", "200")[n % 2])
            told(database, n, f"w-{n - n % 2}", WORDS[n % 3], NOW + n)
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert failures == []
    refreshed(database, at=LATER + 1)
    assert over_rollups(database) == over_rows(database)
    assert sum(over_rollups(database).values()) == len(over_whole(database))


def over_whole(database: Database) -> set[str]:
    """Every message there is, by its wamid."""
    return {row["wamid"] for table in ("sends", "messages") for row in rows(database, table)}


@pytest.mark.parametrize("place", ["while reading", "before writing", "while writing"])
def test_a_refresh_that_is_cut_off_leaves_the_figures_and_its_mark(
    database: Database, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    ours(database, 1)
    ours(database, 2)
    refreshed(database)
    before = everything(database)
    told(database, 1, "w-1", "delivered")
    cut_off(monkeypatch, place)
    with pytest.raises(CutOff):
        refreshed(database)
    monkeypatch.undo()
    assert everything(database) == before
    assert [row["waiting"] for row in rows(database, "dirty_buckets")] == [0]
    refreshed(database)
    assert over_rollups(database) == over_rows(database)


def everything(database: Database) -> list[Any]:
    return [
        rows(database, name) for name in ("report_buckets", "report_costs", "report_latency", "report_days")
    ]


def cut_off(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    pages, write = rollup_refresh.pages, rollup_refresh._write

    def reading(*given: Any) -> Iterator[Any]:
        if place == "while reading":
            yield next(iter(pages(*given)))
        else:
            yield from pages(*given)
        raise CutOff

    def writing(*given: Any) -> None:
        write(*given)
        raise CutOff

    if place == "while writing":
        monkeypatch.setattr(rollup_refresh, "_write", writing)
    else:
        monkeypatch.setattr(rollup_refresh, "pages", reading)


def test_figures_of_code_that_knows_no_sums_of_histograms_are_read_as_well(database: Database) -> None:
    """During an upgrade the older processor may still work buckets out, in its own form."""
    for n in (1, 2):
        ours(database, n)
        told(database, n, f"w-{n}", "sent")
    refreshed(database)
    period = Period("2020-01-01", "2030-01-01")
    with database.read() as tx:
        new = [steps(tx, period, by)[0][-1] for by in ((), ("template",), ("template", "country"))]
    one = Histogram()
    one.add(3)
    as_before(database, one)
    with database.read() as tx:
        old = [steps(tx, period, by) for by in ((), ("template",), ("template", "country"))]
    assert all('"h"' in found for found in new)
    assert [len(found) for found in old] == [1, 1, 1]
    assert all('"b"' in found[0][-1] for found in old)


def as_before(database: Database, one: Histogram) -> None:
    with database.write() as tx:
        latency = json.dumps({"accepted_sent": one.plain()})
        tx.run(text("UPDATE report_buckets SET steps = NULL, latency = :latency"), {"latency": latency})
        tx.run(text("UPDATE report_days SET refreshes = refreshes + 1"))
