"""`wamtrail erase` as people use it: any spelling, a script, a kill at any moment, a dry run."""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from receiver.processor import understood
from store import backlog, webhooks
from store.apply import apply
from store.database import Database
from store.tables import metadata

NOW = 1_800_000_000.25
WHO = "919876543210"
MESSAGES = 400


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def wamid(who: str, tail: int) -> str:
    record = b"\x1c\x18\x0c" + who.encode() + b"\x15\x02\x00\x11\x18\x12" + f"{tail:018X}".encode() + b"\x00"
    return "wamid." + base64.b64encode(record).decode()


def filled(database: Database, messages: int) -> None:
    """One body a message; every fourth is another person's."""
    bodies = []
    for n in range(messages):
        who = "15550000002x" if n % 4 == 0 else WHO
        told = {"id": wamid(who, n), "status": "delivered", "timestamp": "1800000000", "recipient_id": who}
        value = {"metadata": {"phone_number_id": "100"}, "statuses": [told]}
        entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
        bodies.append(json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode())
    with database.write() as tx:
        webhooks.keep(tx, [webhooks.Incoming(body, NOW) for body in bodies])
    with database.write() as tx:
        markers = backlog.claim(tx, after=0, most=messages, most_bytes=10**9)
        kept = webhooks.load(tx, [(one.webhook_id, one.received_at) for one in markers])
        apply(tx, [understood(one) for one in kept], NOW)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "wamtrail", "erase", *arguments]


def run(database: Database, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env=environment(database, **more), capture_output=True, text=True
    )


def environment(database: Database, **more: str) -> dict[str, str]:
    return {**os.environ, "WAMTRAIL_DATABASE_URL": database.url, **more}


def traces(database: Database) -> int:
    """How many values hold the number, plain or in a wamid."""
    encoded = wamid(WHO, 0)[10:24]
    found = 0
    for table in metadata.sorted_tables:
        with database.read() as tx:
            for row in tx.all(text(f"SELECT * FROM {table.name}")):
                values = [_text(value) for value in row]
                found += sum(WHO in value or encoded in value for value in values)
    return found


def _text(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


def count(database: Database, table: str, where: str) -> int:
    with database.read() as tx:
        return int(tx.value(text(f"SELECT count(*) FROM {table} WHERE {where}")))


def test_a_person_goes_in_any_spelling_without_a_question(database: Database) -> None:
    filled(database, 8)
    done = run(database, "--recipient", "098765 432-10", WAMTRAIL_DEFAULT_COUNTRY="IN")
    assert done.returncode == 0, done.stderr
    assert traces(database) == 0
    assert count(database, "messages", "wamid LIKE 'erased-%'") == 6
    assert "webhook bodies" in done.stdout
    assert "98765" not in done.stdout + done.stderr
    assert done.stderr == ""
    again = run(database, "--recipient", f"+{WHO}")
    assert (again.returncode, again.stdout) == (0, "Nothing is kept about this person.\n")


def test_a_dry_run_only_tells(database: Database) -> None:
    filled(database, 8)
    before = traces(database)
    done = run(database, "--recipient", f"+{WHO}", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "would change" in done.stdout
    assert "Nothing was changed." in done.stdout
    assert traces(database) == before


def test_it_tells_as_much_as_its_dry_run(database: Database) -> None:
    filled(database, 8)
    counts = [
        run(database, "--recipient", f"+{WHO}", *more).stdout.splitlines() for more in (["--dry-run"], [])
    ]
    told, changed = ({line.strip() for line in lines if line.startswith("  ")} for lines in counts)
    assert changed == told
    assert any(line.startswith("status_updates") for line in changed)


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_sending_number_of_ours_is_refused(database: Database, more: list[str]) -> None:
    with database.write() as tx:
        tx.run(
            text(
                "INSERT INTO strangers (wamid, address, seen_at, phone_number_id)"
                " VALUES ('w', 'w-1', 1.0, '106540352242922'), ('v', 'w-2', 1.0, '9876512345')"
            )
        )
    for typed in ("106540352242922", "9876512345"):
        country = {"WAMTRAIL_DEFAULT_COUNTRY": "IN"} if len(typed) == 10 else {}
        done = run(database, "--recipient", typed, *more, **country)
        assert done.returncode == 1
        assert done.stderr == "wamtrail: This is one of your own sending numbers, not a person's.\n"


@pytest.mark.parametrize("typed", ["98765 43210", "hello", ""])
def test_what_is_no_recipient_is_one_plain_sentence(database: Database, typed: str) -> None:
    done = run(database, "--recipient", typed)
    assert done.returncode == 2
    assert done.stderr.startswith("wamtrail: --recipient: ")
    assert done.stderr.count("\n") == 1
    assert count(database, "audit_log", "1 = 1") == 0


def test_killed_in_the_middle_and_run_again_it_ends_the_same(database: Database, tmp_path: Path) -> None:
    filled(database, MESSAGES)
    kills = 0
    for wanted in (1, MESSAGES // 2):
        started = subprocess.Popen(
            command("--recipient", f"+{WHO}"), env=environment(database), stdout=subprocess.DEVNULL
        )
        while started.poll() is None and count(database, "messages", "wamid LIKE 'erased-%'") < wanted:
            time.sleep(0.01)
        started.kill()
        kills += started.wait() < 0
    assert kills >= 1
    done = run(database, "--recipient", f"+{WHO}")
    assert done.returncode == 0, done.stderr
    assert traces(database) == 0
    assert count(database, "messages", "wamid LIKE 'erased-%'") == MESSAGES * 3 // 4
    assert count(database, "status_updates", "wamid LIKE 'erased-%'") == MESSAGES * 3 // 4
    assert count(database, "installation", "name LIKE 'erasure:%'") == 0
    assert count(database, "audit_log", "action = 'erase'") == 1
