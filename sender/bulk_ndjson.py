"""A list as NDJSON: one JSON object a line, Meta's message payload as it is, or {"payload": ..., "reference":
...} with the names of the JSON API. A line that cannot be used is a Fault."""

import json
from collections.abc import Iterator
from typing import Any

from sender.bulk_lines import UNREADABLE, Fault, Lines, Row, too_long, undecodable
from sender.payload_problem import member

_ENVELOPE = {"payload", "reference"}


def ndjson_rows(lines: Lines) -> Iterator[Row | Fault]:
    for line in lines:
        number = lines.number
        if lines.overlong == number:
            yield too_long(number)
        elif line.strip("\ufeff \t\r\n"):
            yield _row(number, line.removeprefix("\ufeff"))


def _row(number: int, line: str) -> Row | Fault:
    if UNREADABLE in line:
        return undecodable(number)
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        return Fault(number, "The line is not JSON: give one whole payload a line, without line ends inside.")
    if isinstance(body, dict) and "payload" in body and set(body) <= _ENVELOPE:
        return _enveloped(number, body)
    return Row(number, body, _to(body))


def _enveloped(number: int, body: dict[str, Any]) -> Row | Fault:
    payload, reference = body["payload"], body.get("reference")
    if reference is not None and not isinstance(reference, str):
        return Fault(number, "reference: must be text in quotes.", _to(payload))
    return Row(number, payload, _to(payload), reference)


def _to(payload: object) -> str:
    typed = member(payload, "to") or member(payload, "recipient")
    return typed if isinstance(typed, str) else ""
