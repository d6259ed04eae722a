"""What the tests of the parser share: the written samples, small bodies, and what every outcome must keep."""

import json
from pathlib import Path
from typing import Any

from receiver.payload import parse
from store.records import Parsed

SAMPLES = Path(__file__).parent.parent / "data" / "webhooks"
RECEIVED_AT = 1_795_305_600.0  # 2026-11-22
TIME = 1_790_000_000
NUMBER = "300000000000001"


def sample(name: str) -> Parsed:
    return parse((SAMPLES / f"{name}.json").read_bytes(), RECEIVED_AT)


def parsed(tree: Any) -> Parsed:
    """The outcome of a body in the form that Meta signs: every other character escaped."""
    return parse(json.dumps(tree).encode(), RECEIVED_AT)


def envelope(*changes: Any, **entry: Any) -> dict[str, Any]:
    entries = [{"id": "200000000000001", **entry, "changes": list(changes)}]
    return {"object": "whatsapp_business_account", "entry": entries}


def value(**parts: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER}, **parts}


def with_value(field: str = "messages", /, **parts: Any) -> Parsed:
    return parsed(envelope({"field": field, "value": value(**parts)}))


def status(wamid: str = "wamid.A", **parts: Any) -> dict[str, Any]:
    return {"id": wamid, "status": "sent", "timestamp": str(TIME), **parts}


def message(wamid: str = "wamid.M", **parts: Any) -> dict[str, Any]:
    return {"id": wamid, "from": "919000000001", "timestamp": str(TIME), "type": "text", **parts}


def texts(outcome: Parsed) -> list[str]:
    """Every string of every record."""
    records: tuple[Any, ...] = (*outcome.updates, *outcome.inbound, *outcome.events, *outcome.quarantined)
    found = [getattr(record, name) for record in records for name in record.__slots__]
    return [text for text in found if isinstance(text, str)]


def assert_storable(outcome: Parsed) -> None:
    """Both databases take every text and time, indexes take the keys, and every JSON text loads."""
    for text in texts(outcome):
        assert "\0" not in text
        text.encode()
    for update in outcome.updates:
        assert len((update.wamid + update.participant + update.status + update.error_codes).encode()) < 2000
        for found in (update.errors, update.pricing, update.rest):
            assert found is None or json.loads(found) is not None
        assert update.errors is None or isinstance(json.loads(update.errors), list)
    for inbound in outcome.inbound:
        assert inbound.content is not None
        json.loads(inbound.content)
    for event in outcome.events:
        json.loads(event.value)
        assert event.occurred_at is None or 0 < event.occurred_at < 2**40
    for part in outcome.quarantined:
        assert part.reason.endswith(".")
        assert part.part == "" or json.loads(part.part) is not ...
