"""Public bodies of Meta's webhooks, when a collection of them lies beside the project: no status is lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from payload_samples import RECEIVED_AT, assert_storable, parsed

WEBHOOKS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "webhooks"
EVIDENCE = {"captured", "meta-sample", "official-docs"}


@pytest.fixture(scope="module")
def corpus() -> dict[str, dict[str, Any]]:
    if not WEBHOOKS.is_dir():
        pytest.skip(
            "DID NOT RUN: there is no corpus of webhooks beside the project (../shared/corpus/webhooks)."
        )
    return {path.name: json.loads(path.read_bytes()) for path in sorted(WEBHOOKS.glob("*.json"))}


def in_envelope(entry: dict[str, Any]) -> Any:
    """A whole body; a change or a value alone gets the envelope that it lost."""
    found = entry["payload"]
    if entry["form"] == "value":
        found = {"field": "messages", "value": found}
    if entry["form"] in {"value", "change"}:
        found = {"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": [found]}]}
    return found


def statuses_in(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object in any list named statuses, found without knowing the envelope."""
    if isinstance(tree, dict):
        for key, inner in tree.items():
            if key == "statuses" and isinstance(inner, list):
                yield from (item for item in inner if isinstance(item, dict))
            else:
                yield from statuses_in(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from statuses_in(inner)


def is_valid(item: dict[str, Any]) -> bool:
    stamp = str(item.get("timestamp"))
    return (
        bool(item.get("id"))
        and bool(item.get("status"))
        and stamp.isdigit()
        and 1_230_768_000 <= int(stamp) < RECEIVED_AT
    )


def known_by(item: dict[str, Any]) -> tuple[str, str, int]:
    return item["id"], item["status"], int(item["timestamp"])


def test_every_status_of_the_evidence_is_found_again(corpus: dict[str, dict[str, Any]]) -> None:
    looked_at = 0
    for file, entry in corpus.items():
        if entry["origin"] not in EVIDENCE or entry["form"] == "wrapped":
            continue
        tree = in_envelope(entry)
        outcome = parsed(tree)
        of_events = [item for event in outcome.events for item in statuses_in(json.loads(event.value))]
        found = {(update.wamid, update.status, update.occurred_at) for update in outcome.updates}
        found |= {known_by(item) for item in of_events if is_valid(item)}
        # a set, since one captured body was mirrored under a second key by the framework that logged it
        expected = {known_by(item) for item in statuses_in(tree) if is_valid(item)}
        assert found == expected, file
        looked_at += len(expected)
    assert looked_at > 60


def test_placeholders_of_documentation_go_to_quarantine(corpus: dict[str, dict[str, Any]]) -> None:
    seen = 0
    for file, entry in corpus.items():
        for item in statuses_in(in_envelope(entry)):
            if item.get("timestamp") == "WEBHOOK_TRIGGER_TIMESTAMP":
                parts = [part.part for part in parsed(in_envelope(entry)).quarantined]
                assert any(json.loads(part) == item for part in parts), file
                seen += 1
    assert seen > 0


def test_every_body_whatever_its_origin_is_answered_with_something(corpus: dict[str, dict[str, Any]]) -> None:
    assert len(corpus) > 100
    for file, entry in corpus.items():
        for tree in (entry["payload"], in_envelope(entry)):
            outcome = parsed(tree)
            assert outcome.updates or outcome.inbound or outcome.events or outcome.quarantined, file
            assert_storable(outcome)


def test_metas_own_test_samples_are_out_of_every_figure(corpus: dict[str, dict[str, Any]]) -> None:
    samples = [in_envelope(entry) for entry in corpus.values() if entry["origin"] == "meta-sample"]
    outcomes = [parsed(tree) for tree in samples]
    assert outcomes
    assert not any(outcome.updates or outcome.inbound or outcome.quarantined for outcome in outcomes)
