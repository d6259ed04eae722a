"""Erasing a person: nothing of them stays or comes back, and everything else stays as it is."""

from typing import Any

import pytest
from erasure_works import (
    USER,
    WHO,
    WORDS,
    asked,
    everything,
    filled,
    follow,
    replayed,
    traces,
)
from sqlalchemy import text
from store_samples import NOW, message_id, rows

from store import erasure, sends, verify
from store.database import Database


def erase(database: Database, name: str = WHO, **more: Any) -> erasure.Erased:
    return erasure.erase(database, asked(name, **more), WORDS, lambda _: None)


def left(database: Database) -> dict[str, list[str]]:
    return {place: found for place, value in everything(database) if (found := traces(value))}


@pytest.mark.parametrize("name", [WHO, USER])
def test_no_column_of_any_table_and_no_body_holds_the_person(database: Database, name: str) -> None:
    filled(database)
    assert len(left(database)) > 20  # else the scan sees nothing
    erase(database, name)
    assert left(database) == {}


def test_a_replay_of_every_webhook_brings_nothing_back_and_changes_nothing(database: Database) -> None:
    filled(database)
    erase(database)
    tables = (
        "messages",
        "participants",
        "status_updates",
        "inbound_messages",
        "account_events",
        "suppressions",
        "sent_twice",
    )
    before = {table: rows(database, table) for table in tables}
    assert replayed(database) == 0
    follow(database)
    assert left(database) == {}
    assert {table: rows(database, table) for table in tables} == before
    assert verify.verify(database).good


def test_figures_stay_as_they_were(database: Database) -> None:
    filled(database)
    with database.write() as tx:  # cancelled for good reason, so not compared
        sends.cancel(tx, message_id(7), NOW + 55)
    follow(database)
    before = figures(database)
    assert before["accounts"][0]["charged_micro"] >= 0
    erase(database)
    assert figures(database) == before
    with database.write() as tx:
        tx.run(text("INSERT INTO dirty_buckets SELECT day, phone_number_id, 1, 0, 0, 0 FROM report_days"))
    follow(database)
    assert figures(database) == before


def figures(database: Database) -> dict[str, Any]:
    without = ("errors", "feed_position", "refreshed_at", "refreshes", "not_before")
    return {
        table: sorted(map(str, rows(database, table, without)))
        if table != "accounts"
        else rows(database, table, without, order="1")
        for table in ("report_buckets", "report_costs", "accounts", "holds")
    }
