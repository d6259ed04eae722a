"""Hearing kept webhooks again: the same rows when nothing changed, right ones after a parser fix."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from kept_rows import NOW, count, everything, keep_all, processor, rows
from payload_samples import SAMPLES, TIME, envelope, status, value

import receiver.processor
from receiver.replaying import Replayed, replay_all
from store.database import Database
from store.kept import Which
from store.records import Parsed
from store.verify import verify

LATER = NOW + 90_000


def body(*statuses: dict[str, Any]) -> bytes:
    return json.dumps(envelope({"field": "messages", "value": value(statuses=list(statuses))})).encode()


def at(word: str, second: int, wamid: str = "wamid.A") -> dict[str, Any]:
    return status(wamid, status=word, timestamp=str(TIME + second))


def processed(database: Database, *bodies: bytes) -> None:
    keep_all(database, *bodies)
    processor(database).drain()


def replayed(database: Database, *ids: int, **which: Any) -> Replayed:
    return replay_all(database, Which(ids=ids, **which), lambda: LATER)


def feed(database: Database) -> tuple[list[Any], list[Any]]:
    """The feed, and where each status update stands in it."""
    carried = [(row["wamid"], row["status"], row["batch"]) for row in rows(database, "status_updates")]
    return rows(database, "feed"), carried


def samples() -> Sequence[bytes]:
    return [path.read_bytes() for path in sorted(SAMPLES.glob("*.json"))]


def test_a_replay_of_everything_changes_no_row_and_is_no_news(database: Database) -> None:
    processed(database, *samples(), *samples()[::2])
    before, news = everything(database), feed(database)
    for _ in range(2):
        done = replayed(database)
        assert (done.webhooks, done.changed) == (len(samples()) + len(samples()[::2]), 0)
        assert everything(database) == before
        assert feed(database) == news
    assert count(database, "webhook_backlog") == 0


def test_after_a_parser_fix_the_wrong_rows_go_and_the_right_ones_come(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = receiver.processor.parse

    def swapped(raw: bytes, received_at: float) -> Parsed:
        """Takes delivered for read, and invents a message."""
        said = honest(raw, received_at)
        updates = [
            replace(one, status="read", wamid="wamid.invented" if one.wamid == "wamid.B" else one.wamid)
            for one in said.updates
        ]
        return replace(said, updates=tuple(updates))

    bodies = [body(at("delivered", 5)), body(at("delivered", 7, "wamid.B")), body(at("sent", 1))]
    with monkeypatch.context() as wrong:
        wrong.setattr(receiver.processor, "parse", swapped)
        processed(database, *bodies[:2])
    processed(database, bodies[2])
    assert [row["wamid"] for row in rows(database, "messages")] == ["wamid.A", "wamid.invented"]
    positions = count(database, "feed")
    done = replayed(database, since=NOW, until=NOW + 2)
    assert (done.webhooks, done.changed) == (2 + 1, 4)  # the third came at NOW as well, and was right
    first, second = rows(database, "messages")
    assert (first["sent_at"], first["delivered_at"], first["read_at"]) == (TIME + 1, TIME + 5, None)
    assert (second["wamid"], second["delivered_at"], second["read_at"]) == ("wamid.B", TIME + 7, None)
    assert count(database, "feed") > positions  # who follows the feed must hear of it
    assert verify(database).good


def test_a_repeat_in_other_company_keeps_its_rows_when_either_is_heard_again(database: Database) -> None:
    """Meta repeats what was not answered in other groups: A with B, then B with C, then C alone."""
    a, b, c = at("sent", 1), at("sent", 2, "wamid.B"), at("sent", 3, "wamid.C")
    processed(database, body(a, b), body(b, c), body(c), body(at("read", 9, "wamid.C")))
    before, news = everything(database), feed(database)
    for webhook_id in (1, 2, 3, 4):
        assert replayed(database, webhook_id).changed == 0
        assert everything(database) == before
        assert feed(database) == news


def test_a_wrong_reading_that_two_copies_share_goes_from_both(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = receiver.processor.parse

    def wrong(raw: bytes, received_at: float) -> Parsed:
        said = honest(raw, received_at)
        return replace(said, updates=tuple(replace(one, status="read") for one in said.updates))

    with monkeypatch.context() as patched:
        patched.setattr(receiver.processor, "parse", wrong)
        processed(database, body(at("sent", 1)), body(at("sent", 1)))
    replayed(database, 2)
    (update,) = rows(database, "status_updates")
    assert (update["status"], update["webhook_id"]) == ("sent", 1)
    (message,) = rows(database, "messages")
    assert (message["sent_at"], message["read_at"]) == (TIME + 1, None)


def test_a_copy_whose_first_is_gone_by_retention_is_no_news(database: Database) -> None:
    processed(database, body(at("sent", 1)), body(at("sent", 1)))
    with database.write() as tx:
        tx.driver("DELETE FROM webhooks WHERE id = 1")
    before, news = everything(database), feed(database)
    assert replayed(database, 2).changed == 0
    assert everything(database) == before
    assert feed(database) == news


def test_what_is_understood_now_leaves_quarantine_closed_and_not_deleted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(raw: bytes, received_at: float) -> Parsed:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(receiver.processor, "parse", fails)
        processed(database, body(at("sent", 1)))
    processed(database, b"never understood")
    assert count(database, "quarantine WHERE closed_at IS NULL") == 2
    assert replayed(database, quarantined=True).webhooks == 2
    assert [row["closed_at"] for row in rows(database, "quarantine") if row["webhook_id"] == 1] == [LATER]
    assert count(database, "quarantine WHERE closed_at IS NULL") == 1
    assert count(database, "status_updates") == 1


def test_a_webhook_that_is_gone_is_passed_over(database: Database) -> None:
    processed(database, *samples()[:2])
    with database.write() as tx:
        tx.driver("DELETE FROM webhooks WHERE id = 1")
    assert replayed(database, 1, 2).webhooks == 1


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE messages SET read_at = 1 WHERE wamid = 'wamid.A'",
        "UPDATE messages SET sent_at = NULL WHERE wamid = 'wamid.A'",
        "DELETE FROM messages WHERE wamid = 'wamid.A'",
        "DELETE FROM status_updates WHERE wamid = 'wamid.A'",
        "UPDATE participants SET delivered_at = 1 WHERE participant = '919000000002'",
        "DELETE FROM participants WHERE participant = '919000000002'",
    ],
)
def test_verify_notices_a_tampered_row_and_a_replay_mends_it(database: Database, tampering: str) -> None:
    group = [
        {**at("delivered", 3, "wamid.G"), "recipient_participant_id": f"91900000000{n}"} for n in range(4)
    ]
    processed(database, body(at("sent", 1), at("delivered", 2)), body(at("sent", 4, "wamid.B")), body(*group))
    assert verify(database).good
    before = everything(database)
    with database.write() as tx:
        assert tx.driver(tampering).rowcount > 0
    found = verify(database)
    assert not found.good
    assert found.wrong == 1
    assert "wamid.A" not in found.sentence
    replayed(database)
    assert verify(database).good
    assert everything(database) == before
