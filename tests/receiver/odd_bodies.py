"""Authentic bodies that a careless receiver would lose, and where their parts must be found afterwards."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from payload_samples import SAMPLES, envelope, message, status, value

MB = 1024 * 1024


class Odd(NamedTuple):
    body: bytes
    found: dict[str, int]  # table: rows


def _said(**parts: Any) -> bytes:
    return json.dumps(envelope({"field": "messages", "value": value(**parts)})).encode()


def _statuses(*items: Any) -> bytes:
    return _said(statuses=list(items))


def _deep(levels: int) -> Any:
    nested: Any = "bottom"
    for _ in range(levels):
        nested = [nested]
    return nested


def _large() -> bytes:
    """A thousand statuses in a little over 3 MB."""
    padding = {"note": "x" * 3000}
    return _statuses(*(status(f"wamid.{number}", future=padding) for number in range(1000)))


UPDATE, ASIDE = {"status_updates": 1}, {"quarantine": 1}
BOTH = {**UPDATE, **ASIDE}
ODD: dict[str, Odd] = {
    "empty": Odd(b"", ASIDE),
    "blank": Odd(b" \r\n\t", ASIDE),
    "not JSON": Odd(b"statuses: sent", ASIDE),
    "cut JSON": Odd(_statuses(status())[:-3], ASIDE),
    "invalid UTF-8": Odd(_said(contacts=[{"wa_id": "x"}]).replace(b'"x"', b'"\xff\xfe"'), ASIDE),
    "raw NUL": Odd(b'{"entry": "\0"}', ASIDE),
    "escaped NUL": Odd(_statuses(status(recipient_id="9190\0"), status("wamid.B")), {"status_updates": 2}),
    "half an emoji": Odd(
        _said(contacts=[{"profile": {"name": "\ud83d"}, "wa_id": "919000000001"}], messages=[message()]),
        {"inbound_messages": 1},
    ),
    "NaN": Odd(_statuses(status(pricing={"billable": True, "amount": float("nan")})), UPDATE),
    "300 levels deep inside": Odd(_statuses(status(future=_deep(300))), UPDATE),
    "300 levels deep in all": Odd(b"[" * 300 + b"]" * 300, ASIDE),
    "100,000 levels deep": Odd(b"[" * 100_000 + b"]" * 100_000, ASIDE),
    "3 MB": Odd(_large(), {"status_updates": 1000}),
    "an array where an object belongs: status": Odd(_statuses([status()], status("wamid.B")), BOTH),
    "an array where an object belongs: value": Odd(
        json.dumps(
            envelope(
                {"field": "messages", "value": []}, {"field": "messages", "value": value(statuses=[status()])}
            )
        ).encode(),
        BOTH,
    ),
    "an array where an object belongs: change": Odd(
        json.dumps(envelope([], {"field": "messages", "value": value(statuses=[status()])})).encode(), BOTH
    ),
    "an array where an object belongs: all": Odd(b"[]", ASIDE),
    "an object where an array belongs": Odd(_said(statuses=status()), UPDATE),
    "a string for entry": Odd(b'{"object": "whatsapp_business_account", "entry": "none"}', ASIDE),
    "no id": Odd(_statuses({"status": "sent", "timestamp": "1790000000"}, status("wamid.B")), BOTH),
    "a number for an id": Odd(_statuses(status(id=[7]), status("wamid.B")), BOTH),
    "an integer timestamp": Odd(_statuses(status(timestamp=1_790_000_000)), UPDATE),
    "a timestamp of 0": Odd(_statuses(status(timestamp="0"), status("wamid.B")), BOTH),
    "a timestamp beyond 64 bits": Odd(_statuses(status(timestamp=2**70), status("wamid.B")), BOTH),
    "an unknown status word": Odd(_statuses(status(status="teleported")), UPDATE),
    "an unknown field": Odd(
        json.dumps(envelope({"field": "moon_phase_update", "value": {"phase": "full"}})).encode(),
        {"account_events": 1},
    ),
    "no recipient_id": Odd(_statuses(status(recipient_user_id="IN.1234567890")), UPDATE),
    "three spellings of the parent": Odd(
        _statuses(
            status("wamid.A", recipient_parent_user_id="IN.ENT.1"),
            status("wamid.B", parent_recipient_user_id="IN.ENT.1"),
            status("wamid.C", parent_user_id="IN.ENT.1"),
        ),
        {"status_updates": 3},
    ),
    "contacts without profile": Odd(
        _said(contacts=[{"wa_id": "919000000001"}], statuses=[status()], messages=[message()]),
        {"status_updates": 1, "inbound_messages": 1},
    ),
    "a group": Odd(Path(SAMPLES / "group-delivered-to-three.json").read_bytes(), {"participants": 3}),
}
