"""Erasing a person: nothing of them stays or comes back, and everything else stays as it is."""

from typing import Any

import pytest
from erasure_works import (
    AT,
    OTHER,
    THEIRS,
    USER,
    WHO,
    WORDS,
    asked,
    body,
    erase,
    everything,
    filled,
    follow,
    left,
    process,
    replayed,
    wamid,
)
from sqlalchemy import text
from store_samples import CLAIM, NOW, message_id, new_send, rows

from store import erasure, message_page, sends, verify, webhooks
from store.database import Database, ReadTx
from store.errors import Refused
from whatsapp.erased import erased_on


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


def test_other_people_keep_every_row_and_figure(database: Database) -> None:
    filled(database)
    with database.read() as tx:
        before = without_payload(tx, OTHER)
        told = tx.all(text("SELECT * FROM status_updates WHERE wamid = :wamid"), {"wamid": THEIRS})
    erase(database)
    with database.read() as tx:
        assert tx.all(text("SELECT * FROM status_updates WHERE wamid = :wamid"), {"wamid": THEIRS}) == told
        assert without_payload(tx, OTHER) == before
        assert tx.value(text("SELECT count(*) FROM suppressions")) == 1


def without_payload(tx: ReadTx, who: str) -> list[dict[str, Any]]:
    found = tx.all(text("SELECT * FROM sends WHERE recipient = :who"), {"who": who})
    return [{**row._mapping, "payload": None} for row in found]


def test_a_message_still_opens_and_says_that_the_person_was_erased(database: Database) -> None:
    filled(database)
    with database.read() as tx:
        strange = tx.value(text("SELECT count(*) FROM strangers"))
    erase(database)
    follow(database)
    with database.read() as tx:
        seen = message_page.seen(tx, message_id(1))
        addresses = [row.address for row in tx.all(text("SELECT address FROM strangers"))]
        others = [message_page.seen(tx, address) for address in addresses]
    assert seen is not None
    assert seen.story.status == "read"
    assert seen.story.erased_on == erased_on(seen.wamid) == "2026-11-27"
    assert len(addresses) == strange
    assert all(others)
    assert sum(one is not None and one.story.erased_on is not None for one in others) == strange - 1


def test_nothing_is_changed_while_a_message_to_them_is_on_its_way(database: Database) -> None:
    filled(database)
    with database.write() as tx:
        sends.submit(tx, new_send(9, recipient=USER), NOW, CLAIM)
    before = list(everything(database))
    with pytest.raises(Refused, match="being sent right now"):
        erase(database)
    assert list(everything(database)) == before


def test_a_sending_number_of_ours_is_no_person(database: Database) -> None:
    with database.write() as tx:
        tx.run(
            text("INSERT INTO numbers (phone_number_id, display_number) VALUES ('100', '+1 555-000-9999')")
        )
    with pytest.raises(Refused, match="your own"):
        erase(database, "15550009999")


def test_a_dry_run_tells_of_all_and_changes_nothing(database: Database) -> None:
    filled(database)
    before = list(everything(database))
    found = erasure.found(database, asked(), WORDS)
    assert list(everything(database)) == before
    assert found.counts["webhooks"] == 12
    assert found.counts["cancelled"] == 1
    assert found.counts["suppressions"] == 2


def test_it_tells_of_as_many_rows_as_a_dry_run_did(database: Database) -> None:
    filled(database)
    before = erasure.found(database, asked(), WORDS)
    done = erase(database)
    assert (done.names, +done.counts) == (before.names, +before.counts)


def test_an_answer_to_a_message_that_is_not_known_loses_its_id(database: Database) -> None:
    filled(database)
    gone = wamid(WHO, 77)
    reaction = {"emoji": "x", "message_id": gone}
    told = {"from": OTHER, "timestamp": str(AT)}
    bodies = [
        body(messages=[{**told, "id": wamid(OTHER, 71), "type": "reaction", "reaction": reaction}]),
        body(messages=[{**told, "id": wamid(OTHER, 72), "type": "text", "context": {"id": gone}}]),
    ]
    with database.write() as tx:
        webhooks.keep(tx, [webhooks.Incoming(one, NOW) for one in bodies])
    process(database)
    with database.write() as tx:
        changed = text("UPDATE inbound_messages SET group_id = :number, type = :number WHERE wamid = :wamid")
        assert tx.run(changed, {"number": f"{WHO}-123", "wamid": wamid(OTHER, 72)}) == 1
    erase(database)
    assert left(database) == {}
    assert not [place for place, value in everything(database) if gone in value]
    before = rows(database, "inbound_messages", order="wamid")
    assert {one["replies_to"][:7] for one in before if one["sender_id"] == OTHER} == {"erased-"}


def test_it_is_written_down_without_the_number(database: Database) -> None:
    filled(database)
    erase(database)
    (entry,) = [row for row in rows(database, "audit_log") if row["action"] == "erase"]
    assert (entry["who"], entry["target"]) == ("command", "+91 98•••••210")
    assert "12 webhooks" in entry["reason"]
    assert not [row for row in rows(database, "installation") if row["name"].startswith("erasure")]
