"""Erasing beside a running installation, and where some updates are gone by age."""

import threading
from contextlib import suppress
from typing import Any

import pytest
from erasure_works import (
    AT,
    MINE,
    OTHER,
    WHO,
    WORDS,
    asked,
    body,
    contact,
    erase,
    everything,
    filled,
    follow,
    left,
    process,
    replayed,
    status,
    wamid,
)
from sqlalchemy import text
from store_samples import CLAIM, NOW, ended, feed_is_whole, message_id, new_send, rows

from store import erasure, outcomes, sends, verify, webhooks
from store.database import Database, is_transient
from store.erasure_state import open_ones
from store.errors import Refused

ROUNDS = 12


def test_receiving_and_sending_go_on_meanwhile(database: Database) -> None:
    filled(database)
    faults: list[BaseException] = []
    threads = [
        threading.Thread(target=_until_done, args=(work, database, faults))
        for work in (received, sent, followed)
    ]
    for thread in threads:
        thread.start()
    with suppress(Refused):  # more kept coming in: it says so, and is run again
        erase(database)
    for thread in threads:
        thread.join()
    assert faults == []
    process(database)
    erase(database, secret=b"later" * 6)
    follow(database)
    assert left(database) == {}
    assert rows(database, "sent_twice") == []
    assert verify.verify(database).good
    feed_is_whole(database)
    kept = {row["wamid"] for row in rows(database, "messages")}
    assert {wamid(OTHER, 100 + n) for n in range(ROUNDS)} <= kept
    reported = sum(row["status"] == "played" for row in rows(database, "status_updates"))
    assert reported == ROUNDS


def received(database: Database, n: int) -> None:
    """A status of theirs and one of somebody else in one body."""
    told = [status(MINE, "played", WHO, AT + 100 + n), status(wamid(OTHER, 100 + n), "sent", OTHER)]
    with database.write(urgent=True) as tx:
        webhooks.keep(tx, [webhooks.Incoming(body(statuses=told), NOW + n)])
    process(database)


def sent(database: Database, n: int) -> None:
    with database.write() as tx:
        sends.submit(tx, new_send(50 + n, recipient=OTHER, recipient_typed=OTHER), NOW, CLAIM)
    with database.write() as tx:
        end = ended("accepted", wamid=wamid(OTHER, 50 + n))
        outcomes.record_outcome(tx, message_id(50 + n), 1, CLAIM, end)


def followed(database: Database, _: int) -> None:
    follow(database)


def _until_done(work: Any, database: Database, faults: list[BaseException]) -> None:
    for n in range(ROUNDS):
        for _ in range(50):
            try:
                work(database, n)
                break
            except Exception as problem:
                if not is_transient(problem):
                    faults.append(problem)
                    return


ALIAS = "IN.5000000000000051"


def kept_and_processed(database: Database, *bodies: bytes) -> None:
    with database.write() as tx:
        webhooks.keep(tx, [webhooks.Incoming(one, NOW + 30) for one in bodies])
    process(database)


def test_what_bears_only_a_name_that_was_told_meanwhile_goes_as_well(database: Database) -> None:
    filled(database)
    alone = status("opaque-for-the-alias", "sent", "", recipient_user_id=ALIAS)
    kept_and_processed(database, body(statuses=[{**alone, "recipient_id": ALIAS}]))
    told: list[str] = []

    def tell(phase: str, _count: int) -> None:
        if phase == "tables" and not told:
            told.append(phase)
            fresh = status(wamid(WHO, 70), "sent", WHO, recipient_user_id=ALIAS)
            kept_and_processed(database, body(contacts=[contact(WHO, ALIAS, "Ravi")], statuses=[fresh]))

    erasure.erase(database, asked(), WORDS, lambda _: None, tell)
    assert told == ["tables"]
    assert [place for place, value in everything(database) if ALIAS in value] == []
    assert left(database) == {}
    replayed(database)
    assert left(database) == {}


def test_while_more_keeps_coming_in_it_does_not_end_and_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(database)
    monkeypatch.setattr(erasure, "ROUNDS", 1)
    told: list[str] = []

    def tell(phase: str, _count: int) -> None:
        if phase == "tables" and not told:
            told.append(phase)
            kept_and_processed(database, body(statuses=[status(MINE, "played", WHO, AT + 200)]))

    with pytest.raises(Refused, match="run the command again"):
        erasure.erase(database, asked(), WORDS, lambda _: None, tell)
    with database.read() as tx:
        assert open_ones(tx)
    monkeypatch.undo()
    erase(database, secret=b"later" * 6)
    assert left(database) == {}
    with database.read() as tx:
        assert not open_ones(tx)


def test_what_is_folded_of_updates_that_are_gone_stays(database: Database) -> None:
    filled(database)
    with database.write() as tx:
        tx.run(text("DELETE FROM status_updates WHERE status = 'delivered'"))
    before = {row["message_id"]: row for row in rows(database, "messages") if row["message_id"]}
    erase(database)
    after = {row["message_id"]: row for row in rows(database, "messages") if row["message_id"]}
    same = [name for name in before[message_id(1)] if name.endswith("_at") or name in ("pricing", "type")]
    assert {key: [row[name] for name in same] for key, row in after.items()} == {
        key: [row[name] for name in same] for key, row in before.items()
    }
    assert left(database) == {}
