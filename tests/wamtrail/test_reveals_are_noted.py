"""What a command shows whole stands in the audit log; nothing but age and erasure takes a line out of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from story_seeds import PHONE, SHOP, START, Seeds
from typer.testing import CliRunner, Result

import store
from store import audit, webhooks
from store.database import Database
from wamtrail.main import app

ROOT = Path(store.__file__).parent.parent


@pytest.fixture
def seeds(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seeds]:
    monkeypatch.setenv("WAMTRAIL_DATABASE_URL", database_url)
    database = Database(database_url)
    yield Seeds(database)
    database.close()


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def noted(seeds: Seeds) -> list[tuple[str, str, str]]:
    with seeds.database.read() as tx:
        return [(one.who, one.action, one.target) for one in audit.listed(tx)]


def test_a_message_shown_whole_is_noted_with_its_number(seeds: Seeds):
    message_id = seeds.accepted("wamid.A")
    assert PHONE not in ran("message", "show", message_id).stdout
    assert noted(seeds) == []
    assert PHONE in ran("message", "show", message_id, "--reveal").stdout
    assert noted(seeds) == [("command", "reveal", message_id)]
    with seeds.database.read() as tx:
        assert audit.listed(tx)[0].number == SHOP
    assert ran("message", "show", "none", "--reveal").exit_code == 1
    assert len(noted(seeds)) == 1


def test_a_search_by_number_and_a_list_shown_whole_are_noted(seeds: Seeds):
    seeds.accepted("wamid.A")
    assert ran("message", "list", "--to", f"+{PHONE}", "--reveal").exit_code == 0
    assert [(action, target) for _, action, target in noted(seeds)] == [
        ("reveal", "message list"),
        ("search_number", PHONE),
    ]
    assert ran("suppression", "list", "--reveal").exit_code == 0
    assert noted(seeds)[0] == ("command", "reveal", "suppression list")


def test_a_webhook_shown_whole_is_noted(seeds: Seeds):
    with seeds.database.write() as tx:
        webhooks.keep(tx, [webhooks.Incoming(b'{"from": "919876543678"}', START)])
        webhook_id = tx.value(text("SELECT id FROM webhooks"))
    assert PHONE not in ran("webhooks", "show", str(webhook_id)).stdout
    assert noted(seeds) == []
    assert PHONE in ran("webhooks", "show", str(webhook_id), "--reveal").stdout
    assert noted(seeds) == [("command", "view_body", f"webhook {webhook_id}")]


def test_no_page_call_or_command_changes_the_audit_log():
    named = re.compile(r"\baudit_log\b")
    rooms = ("receiver", "reports", "sender", "simulator", "store", "support", "wamtrail", "whatsapp")
    files = {
        file.relative_to(ROOT).as_posix(): file.read_text()
        for room in rooms
        for file in (ROOT / room).rglob("*.py")
    }
    knowing = {name for name, source in files.items() if named.search(source)}
    by_rule = {name for name in knowing if name.startswith(("store/retention", "store/erasure"))}
    assert knowing - by_rule == {"store/audit.py", "store/tables/access.py"}
    assert not re.search(r"\b(UPDATE|DELETE|REPLACE)\b", files["store/audit.py"])
    assert not any("AuditEntry" in source for name, source in files.items() if "store/tables" not in name)


def test_tokens_that_are_made_and_ended_are_noted_without_their_secret(seeds: Seeds):
    token = ran("token", "create", "--role", "reporter", "--number", SHOP).stdout.strip()
    token_id = token.split("_")[1]
    assert ran("token", "revoke", token_id).exit_code == 0
    assert ran("token", "revoke", token_id).exit_code == 1
    with seeds.database.read() as tx:
        told = [(one.action, one.target, one.reason) for one in audit.listed(tx)]
    assert told == [
        ("token_revoke", token_id, ""),
        ("token_create", token_id, f"reporter, numbers {SHOP}"),
    ]
    assert token not in repr(told)
