"""The processor: kept webhooks to rows, any number at once, and a bad body harms no other."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from dying_processor import MARKER
from held_database import end_sessions, plain
from kept_rows import NOW, count, everything, keep_all, processor, rows
from payload_samples import SAMPLES, TIME, envelope, status, value

import receiver.processor
from receiver.processor import Bounds, Processor
from store import marks
from store.database import Database
from store.verify import verify
from store.webhooks import Incoming, keep


def body(*statuses: dict[str, Any]) -> bytes:
    return json.dumps(envelope({"field": "messages", "value": value(statuses=list(statuses))})).encode()


def of_message(n: int, *words: str) -> list[bytes]:
    """One body a status, all of one message."""
    return [
        body(status(f"wamid.{n}", status=word, timestamp=str(TIME + place)))
        for place, word in enumerate(words or ("sent", "delivered", "read"))
    ]


def many(messages: int = 60) -> list[bytes]:
    """Statuses of few messages in many bodies, each body twice, and every written sample."""
    bodies = [one for n in range(messages) for one in of_message(n)]
    return bodies + bodies[::-1] + [path.read_bytes() for path in sorted(SAMPLES.glob("*.json"))]


def break_on(monkeypatch: pytest.MonkeyPatch, marker: bytes) -> None:
    honest = receiver.processor.parse

    def parse(raw: bytes, received_at: float) -> Any:
        if marker in raw:
            raise ZeroDivisionError
        return honest(raw, received_at)

    monkeypatch.setattr(receiver.processor, "parse", parse)


def test_kept_webhooks_become_rows(database: Database) -> None:
    keep_all(database, *of_message(1, "read", "sent", "delivered"), *of_message(2, "sent", "failed"))
    assert processor(database).drain() == 5
    first, second = rows(database, "messages")
    assert (first["sent_at"], first["delivered_at"], first["read_at"]) == (TIME + 1, TIME + 2, TIME)
    assert (second["sent_at"], second["failed_at"]) == (TIME, TIME + 1)
    assert first["first_seen_at"] == NOW
    assert count(database, "status_updates") == 5
    assert count(database, "webhook_backlog") == 0
    assert count(database, "webhooks") == 5


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_how_the_webhooks_are_grouped_changes_no_row(
    sqlite_database: Database, postgresql_database: Database, most: int
) -> None:
    for database, bounds in ((sqlite_database, Bounds(most=most)), (postgresql_database, Bounds())):
        keep_all(database, *many())
        processor(database, bounds).drain()
        assert verify(database).good
    assert everything(sqlite_database) == everything(postgresql_database)


def test_a_run_is_bounded_by_bytes_and_takes_at_least_one(database: Database) -> None:
    bodies = of_message(1) + of_message(2)
    keep_all(database, *bodies)
    size = sum(len(one) for one in bodies[:2])
    assert processor(database, Bounds(most_bytes=size)).process() == 2
    assert processor(database, Bounds(most_bytes=1)).process() == 1


def test_several_at_once_process_each_webhook_once_with_the_same_rows(
    postgresql_database: Database, sqlite_database: Database
) -> None:
    bodies = many()
    keep_all(sqlite_database, *bodies)
    processor(sqlite_database).drain()
    keep_all(postgresql_database, *bodies)
    databases = [Database(postgresql_database.url) for _ in range(4)]
    working = [processor(one, Bounds(most=7)) for one in databases]
    threads = [threading.Thread(target=one.drain) for one in working]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in databases:
        one.close()
    assert count(postgresql_database, "webhook_backlog") == 0
    assert sum(one._figures.webhooks._value.get() for one in working) == len(bodies)
    assert everything(postgresql_database) == everything(sqlite_database)
    assert verify(postgresql_database).good


def test_a_body_that_breaks_its_run_is_quarantined_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_on(monkeypatch, MARKER)
    poison = body(status(f"wamid.{MARKER.decode()}"))
    good = [one for n in range(10) for one in of_message(n)]
    keep_all(database, *good[:15], poison, *good[15:])
    assert processor(database).drain() == len(good) + 1
    (aside,) = rows(database, "quarantine")
    assert aside["webhook_id"] == 16
    assert aside["pointer"] == ""
    assert "wamid" not in aside["reason"] + aside["part"]
    assert count(database, "messages") == 10
    assert count(database, "status_updates") == len(good)
    assert count(database, "webhook_backlog") == 0


def test_a_row_that_the_database_refuses_costs_only_its_own_webhook(database: Database) -> None:
    with database.write() as tx:
        if database.sqlite:
            tx.driver(
                "CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN NEW.wamid = 'wamid.3'"
                " BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        else:
            tx.driver("ALTER TABLE messages ADD CONSTRAINT refuse CHECK (wamid <> 'wamid.3')")
    keep_all(database, *(one for n in range(6) for one in of_message(n, "sent")))
    processor(database).drain()
    assert [row["wamid"] for row in rows(database, "messages")] == [f"wamid.{n}" for n in (0, 1, 2, 4, 5)]
    assert count(database, "quarantine") == 1
    assert count(database, "status_updates WHERE wamid = 'wamid.3'") == 0


def test_a_body_that_kills_the_process_is_quarantined_at_its_third_try(database: Database) -> None:
    keep_all(database, *of_message(1), body(status(f"wamid.{MARKER.decode()}")), *of_message(2))
    script = Path(__file__).with_name("dying_processor.py")
    exits = []
    while not exits or exits[-1]:
        done = subprocess.run(
            [sys.executable, str(script), plain(database.url)],
            cwd=script.parent,
            capture_output=True,
            timeout=60,
            check=False,
        )
        exits.append(done.returncode)
        assert len(exits) < 6, done.stderr[-2000:]
    assert exits == [42, 42, 42, 0]  # in company, alone, alone once more, and then it is not tried again
    assert count(database, "quarantine WHERE webhook_id = 4") == 1
    assert [row["read_at"] for row in rows(database, "messages")] == [TIME + 2, TIME + 2]
    assert count(database, "processor_marks") == 0
    assert verify(database).good


def test_an_id_that_becomes_visible_late_is_not_missed(postgresql_database: Database) -> None:
    late = Database(postgresql_database.url)
    working = processor(postgresql_database, Bounds(most=5, whole_scan=3600))
    with late.write() as tx:
        keep(tx, [Incoming(of_message(99, "sent")[0], NOW)])  # takes its id, and is not committed yet
        keep_all(postgresql_database, *(one for n in range(5) for one in of_message(n)))
        assert [working.process() for _ in range(3)] == [5, 5, 5]
    assert working.drain() == 1
    late.close()
    assert count(postgresql_database, "messages WHERE wamid = 'wamid.99'") == 1
    assert count(postgresql_database, "webhook_backlog") == 0


def test_an_id_that_becomes_visible_late_does_not_wait_for_a_pause_in_the_traffic(
    postgresql_database: Database,
) -> None:
    late = Database(postgresql_database.url)
    working = processor(postgresql_database, Bounds(most=5, whole_scan=0.0))
    with late.write() as tx:
        keep(tx, [Incoming(of_message(99, "sent")[0], NOW)])
        keep_all(postgresql_database, *(one for n in range(10) for one in of_message(n)))
        assert working.process() == 5
    working.process()
    late.close()
    assert count(postgresql_database, "messages WHERE wamid = 'wamid.99'") == 1


def run_until_idle(database: Database, working: Processor) -> None:
    thread = threading.Thread(target=working.run)
    thread.start()
    while count(database, "webhook_backlog"):
        threading.Event().wait(0.005)
    working.stop()
    thread.join()


def test_a_clean_stop_leaves_no_mark_and_the_next_start_is_not_careful(database: Database) -> None:
    keep_all(database, *many(5))
    run_until_idle(database, processor(database))
    assert count(database, "processor_marks") == 0
    mark = marks.begin(database, NOW)
    assert not mark.unclean
    mark.end()


def test_an_unclean_stop_is_noticed_once(database: Database) -> None:
    """A mark whose holder is gone: what SIGKILL leaves."""
    with database.write() as tx:
        tx.driver("INSERT INTO processor_marks (owner, started_at) VALUES (1, 0)")
    first = marks.begin(database, NOW)
    assert first.unclean
    first.end()
    second = marks.begin(database, NOW)
    assert not second.unclean
    second.end()


def test_a_living_processor_is_not_taken_for_a_dead_one(postgresql_database: Database) -> None:
    living = marks.begin(postgresql_database, NOW)
    other = Database(postgresql_database.url)
    beside = marks.begin(other, NOW)
    assert not beside.unclean
    beside.end()
    living.end()
    other.close()
    assert count(postgresql_database, "processor_marks") == 0


def test_after_an_unclean_stop_the_oldest_are_tried_alone_with_the_same_rows(
    postgresql_database: Database, sqlite_database: Database
) -> None:
    for database, owner in ((postgresql_database, 7), (sqlite_database, None)):
        keep_all(database, *many(10))
        if owner is not None:
            with database.write() as tx:
                tx.driver(f"INSERT INTO processor_marks (owner, started_at) VALUES ({owner}, 0)")
        run_until_idle(database, processor(database))
    assert everything(postgresql_database) == everything(sqlite_database)


def test_a_deadlock_while_a_body_is_tried_alone_is_not_the_bodys_fault(
    postgresql_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql_database.write() as tx:
        tx.driver("CREATE SEQUENCE tries")
        tx.driver(
            "CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN IF nextval('tries') = 1 THEN RAISE SQLSTATE '40P01'; END IF; RETURN NEW; END $$"
        )
        tx.driver(
            "CREATE TRIGGER failing BEFORE INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION fail_once()"
        )
    break_on(monkeypatch, MARKER)
    keep_all(postgresql_database, *of_message(1), body(status(f"wamid.{MARKER.decode()}")))
    processor(postgresql_database).drain()
    assert count(postgresql_database, "status_updates WHERE wamid = 'wamid.1'") == 3
    assert count(postgresql_database, "quarantine") == 1


def test_a_database_that_goes_away_is_waited_for(postgresql_database: Database) -> None:
    keep_all(postgresql_database, *of_message(1))
    working = processor(postgresql_database)
    thread = threading.Thread(target=working.run)
    thread.start()
    while count(postgresql_database, "webhook_backlog"):
        threading.Event().wait(0.005)
    end_sessions(postgresql_database.url)
    other = Database(postgresql_database.url)
    keep_all(other, *of_message(2))
    while count(other, "webhook_backlog"):
        threading.Event().wait(0.005)
    working.stop()
    thread.join()
    assert count(other, "messages") == 2
    other.close()


def test_a_fault_of_ours_does_not_end_the_processor(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[int] = []
    honest = Processor.process

    def process(self: Processor) -> int:
        if not faults:
            faults.append(1)
            raise ZeroDivisionError
        return honest(self)

    monkeypatch.setattr(Processor, "process", process)
    keep_all(sqlite_database, *of_message(1))
    working = processor(sqlite_database)
    working.wake()
    run_until_idle(sqlite_database, working)
    assert faults == [1]
    assert count(sqlite_database, "messages") == 1
