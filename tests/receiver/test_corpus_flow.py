"""Public bodies of Meta's webhooks through a real receiver, when they lie beside the project."""

import asyncio
import json
from pathlib import Path
from time import time
from typing import Any

import httpx
import pytest
from crash_check import drained
from kept_rows import OUTCOMES, count, kept_bodies, rows
from receiver_process import SECRET, ReceiverProcess
from test_corpus import EVIDENCE, WEBHOOKS, in_envelope, is_valid, known_by, statuses_in

from receiver.processor import understood
from store.database import Database
from store.extras import event_digest, quarantine_digest
from store.updates import Heard
from store.verify import verify
from store.webhooks import Kept
from whatsapp.signature import sign

KNOWN = {"sent", "delivered", "read", "played", "failed"}


@pytest.fixture(scope="module")
def evidence() -> list[dict[str, Any]]:
    if not WEBHOOKS.is_dir():
        pytest.skip(
            "DID NOT RUN: there is no corpus of webhooks beside the project (../shared/corpus/webhooks)."
        )
    every = [json.loads(path.read_bytes()) for path in sorted(WEBHOOKS.glob("*.json"))]
    return [entry for entry in every if entry["origin"] in EVIDENCE]


def signed(body: bytes) -> dict[str, str]:
    return {"X-Hub-Signature-256": sign(SECRET, body)}


def distinct(bodies: list[bytes]) -> dict[str, int]:
    """How many rows these bodies make, each said once: documentation uses its example ids again and again."""
    parts = [understood(Kept(0, time(), "", body)).parsed for body in bodies]
    return {
        "status_updates": len({Heard(one, 0, 0).key for part in parts for one in part.updates}),
        "inbound_messages": len({one.wamid for part in parts for one in part.inbound}),
        "account_events": len({event_digest(one) for part in parts for one in part.events}),
        "quarantine": len({quarantine_digest(one) for part in parts for one in part.quarantined}),
    }


async def test_every_body_of_the_evidence_is_taken_and_every_known_status_found_again(
    database: Database, database_url: str, tmp_path: Path, evidence: list[dict[str, Any]]
) -> None:
    bodies = [json.dumps(in_envelope(entry)).encode() for entry in evidence]
    with ReceiverProcess(database_url, tmp_path) as receiver:
        await asyncio.to_thread(receiver.start)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{receiver.port}") as client:
            for body in bodies:
                answer = await client.post("/webhooks/whatsapp", content=body, headers=signed(body))
                assert answer.status_code == 200
        await drained(database)
        assert receiver.terminate()[0] == 0
    assert len(bodies) > 100
    assert kept_bodies(database) == bodies
    assert {table: count(database, table) for table in OUTCOMES} == distinct(bodies)

    updates = {(row["wamid"], row["status"], row["occurred_at"]) for row in rows(database, "status_updates")}
    events = [json.loads(row["value"]) for row in rows(database, "account_events")]
    aside = {known_by(item) for event in events for item in statuses_in(event) if is_valid(item)}
    expected = {
        known_by(item)
        for entry in evidence
        if entry["form"] != "wrapped"
        for item in statuses_in(in_envelope(entry))
        if is_valid(item) and item["status"] in KNOWN
    }
    assert expected <= updates | aside
    captured = {
        known_by(item)
        for entry in evidence
        if entry["origin"] == "captured" and entry["form"] != "wrapped"
        for item in statuses_in(in_envelope(entry))
        if is_valid(item) and item["status"] in KNOWN
    }
    assert len(captured) > 20
    assert captured <= updates
    folded = {row["wamid"]: row for row in rows(database, "messages")}
    for wamid, word, second in updates:
        if word in KNOWN:
            assert folded[wamid][f"{word}_at"] <= second
    assert verify(database).good
