"""What a webhook's body says, as plain records: `parse`, pure and total.

It takes any bytes and never raises. What it understands becomes status updates and inbound messages; what is
authentic but something else becomes account events; what needs a person goes to quarantine, alone, with a
JSON pointer to where it stood. One bad part costs none of its siblings.

Meta's envelope: entry[] (one an account) > changes[] (field and value) > value.statuses[], value.messages[].
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
"""

from dataclasses import replace
from typing import Any, Final

from receiver.payload_events import whole_event
from receiver.payload_json import Unreadable, canonical, read
from receiver.payload_parts import (
    LONGEST_WORD,
    NOT_AN_OBJECT,
    Findings,
    Place,
    ending,
    listed,
    moment,
    name,
)
from receiver.payload_values import MESSAGING_FIELDS, read_value, surroundings
from receiver.probe import is_probe
from store.records import AccountEvent, Parsed, QuarantinedPart

DAY: Final = 86_400
OUR_OBJECT: Final = "whatsapp_business_account"

NO_ENVELOPE: Final = "The body is JSON, but no WhatsApp envelope (no entry list)."
FOREIGN: Final = (
    "The body is JSON, but not about a WhatsApp Business Account, and no entry of it has changes."
)
NO_CHANGES: Final = "The entry has no list of changes."
NO_VALUE: Final = "The change has no value that is an object."
LONG_FIELD: Final = f"The change names its field in more than {LONGEST_WORD} characters."


def parse(body: bytes, received_at: float) -> Parsed:
    """All that one webhook said. `received_at` (Unix seconds) bounds event times: at most a day later."""
    try:
        tree = read(body)
    except Unreadable as fault:
        return Parsed(quarantined=(QuarantinedPart("", str(fault), ""),))
    if is_probe(tree):
        return Parsed()
    findings = Findings()
    odd = _odd_envelope(tree)
    if odd is not None:
        findings.set_aside("", odd, tree)
    else:
        _entries(findings, tree, received_at + DAY)
    return findings.parsed()


def _odd_envelope(tree: Any) -> str | None:
    """Why this is not Meta's envelope; None when it is, or is near enough to be walked."""
    if not isinstance(tree, dict) or "entry" not in tree:
        return NO_ENVELOPE
    if tree.get("object") == OUR_OBJECT:
        return None
    entries, _ = listed(tree["entry"])
    return None if any(isinstance(entry, dict) and "changes" in entry for entry in entries) else FOREIGN


def _entries(findings: Findings, tree: dict[str, Any], latest: float) -> None:
    entries, ends = listed(tree["entry"])
    if not entries:
        findings.events.append(AccountEvent("", "", None, canonical(tree), "empty"))
    for index, entry in enumerate(entries):
        pointer = f"/entry{ending(ends, index)}"
        if isinstance(entry, dict):
            _entry(findings, entry, pointer, latest)
        else:
            findings.set_aside(pointer, NOT_AN_OBJECT, entry)


def _entry(findings: Findings, entry: dict[str, Any], pointer: str, latest: float) -> None:
    entry_id, time = name(entry.get("id")) or "", moment(entry.get("time"), latest)
    changes, ends = listed(entry.get("changes"))
    if not changes:
        if "changes" in entry or entry.keys() <= {"id", "time"}:
            findings.events.append(AccountEvent(entry_id, "", time, canonical(entry), "empty"))
        else:
            findings.set_aside(pointer, NO_CHANGES, entry)
    for index, change in enumerate(changes):
        at = Place(entry_id, time, "", f"{pointer}/changes{ending(ends, index)}", latest)
        if isinstance(change, dict):
            _change(findings, at, change)
        else:
            findings.set_aside(at.pointer, NOT_AN_OBJECT, change)


def _change(findings: Findings, at: Place, change: dict[str, Any]) -> None:
    value = change.get("value")
    field = change.get("field")
    if not isinstance(field, str) or not field:
        inner = value.get("field") if isinstance(value, dict) else None  # some forwarders put it inside
        field = inner if isinstance(inner, str) else ""
    if len(field) > LONGEST_WORD:
        findings.set_aside(at.pointer, LONG_FIELD, change)
        return
    if isinstance(value, dict):
        read_value(findings, surroundings(at, field, "/value", value), value)
    elif field in MESSAGING_FIELDS:
        findings.set_aside(at.pointer, NO_VALUE, change)
    else:
        findings.events.append(whole_event(replace(at, field=field), value))
