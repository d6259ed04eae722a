"""The processor and replay with an age: what is older makes no row, is counted, and noted at its webhook."""

import json

from kept_rows import NOW, count, keep_all, rows
from payload_samples import TIME, envelope, status, value
from prometheus_client import CollectorRegistry

from receiver.backlog_figures import BacklogFigures
from receiver.figures import ProcessorFigures
from receiver.processor import Processor
from receiver.replaying import replay_all
from store.database import Database
from store.kept import Which, too_old
from store.retention_ages import DAY, MessageAge

AGE = 400 * DAY


def body(*seconds: int, wamid: str = "wamid.A") -> bytes:
    said = [status(wamid, status="read", timestamp=str(TIME + second)) for second in seconds]
    return json.dumps(envelope({"field": "messages", "value": value(statuses=said)})).encode()


def processed(database: Database, now: float, registry: CollectorRegistry) -> None:
    Processor(database, ProcessorFigures(registry), lambda: now, age=MessageAge(AGE)).drain()


def test_an_old_webhook_is_processed_counted_and_noted_and_its_body_stays(database: Database) -> None:
    registry = CollectorRegistry()
    now = TIME + AGE + 10
    keep_all(database, body(5, 6), body(20, wamid="wamid.B"), at=now - 60)
    figures = BacklogFigures(registry)
    processed(database, now, registry)
    assert registry.get_sample_value("wamtrail_too_old_total", {"kind": "status"}) == 2
    assert [row["wamid"] for row in rows(database, "messages")] == ["wamid.B"]
    assert count(database, "webhook_backlog") == 0
    assert count(database, "webhooks") == 2
    with database.read() as tx:
        assert too_old(tx, 1) == (2, 0)
        figures.measure(tx, now)
    assert registry.get_sample_value("wamtrail_too_old_noted") == 2


def test_a_replay_of_old_webhooks_changes_nothing_while_their_rows_are_there(database: Database) -> None:
    keep_all(database, body(5), body(6))
    processed(database, NOW, CollectorRegistry())
    before = rows(database, "messages"), rows(database, "status_updates")
    done = replay_all(database, Which(), lambda: TIME + AGE + 1000, age=MessageAge(AGE))
    assert (done.webhooks, done.changed) == (2, 0)
    assert (rows(database, "messages"), rows(database, "status_updates")) == before
