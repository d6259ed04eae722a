"""What `POST /api/v1/messages` takes: read whole, every problem at once with its JSON pointer. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from sender.payload_problem import Part, Problem, listing, problem, shape_problems
from sender.prepare import digest

PRIORITIES = {"transactional": 0, "bulk": 1}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DURATION = re.compile(r"([0-9]{1,7})([smhd])", re.ASCII)
_OWN = {"/phone_number_id": "/from", "/reference": "/reference", "/valid_for": "/valid_for"}
_OWN |= {"/idempotency_key": "/idempotency_key"}


class _Shape(Part):
    from_: str = Field(alias="from")
    payload: dict[str, Any]
    reference: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class QueueRequest:
    """`valid_for` in seconds; `priority` as the store counts."""

    phone_number_id: str
    payload: dict[str, Any]
    reference: str | None
    idempotency_key: str | None
    valid_for: float | None
    priority: int

    def digest(self, payload_digest: bytes) -> bytes:
        """Two requests under one key are the same when all of this is; the payload alone counts as ever."""
        options = [self.reference, self.valid_for, self.priority]
        if options == [None, None, 0]:
            return payload_digest
        return digest([payload_digest.hex(), *options], self.phone_number_id)


KNOWN = ("from", "payload", "reference", "idempotency_key", "valid_for", "priority")


def read(body: object, key_in_header: str | None) -> tuple[QueueRequest | None, tuple[Problem, ...]]:
    """The request, or None and what is wrong with its own fields (the payload is checked later)."""
    if not isinstance(body, dict):
        return None, (problem((), "the body must be a JSON object"),)
    problems = [*_problems(body, key_in_header)]
    if problems:
        return None, tuple(problems)
    return (
        QueueRequest(
            phone_number_id=body["from"],
            payload=body["payload"],
            reference=body.get("reference"),
            idempotency_key=body.get("idempotency_key") or key_in_header,
            valid_for=_seconds(body.get("valid_for")),
            priority=PRIORITIES[body.get("priority") or "transactional"],
        ),
        (),
    )


def placed(one: Problem) -> Problem:
    """A problem found by `prepare`, with its pointer into the whole request."""
    own = _OWN.get(one.pointer)
    return Problem(own if own is not None else f"/payload{one.pointer}", one.message)


def _problems(body: dict[str, Any], key_in_header: str | None) -> Iterator[Problem]:
    for name in body:
        if name not in KNOWN:
            yield problem((name,), f"is no field here; known are {listing(KNOWN)}")
    yield from shape_problems(_Shape, {name: body[name] for name in body if name in KNOWN}, ())
    if body.get("idempotency_key") == "":
        yield problem(("idempotency_key",), "is empty; leave it out, or give each message its own")
    key = body.get("idempotency_key")
    if key is not None and key_in_header is not None and key != key_in_header:
        yield problem(("idempotency_key",), "is another than in the header Idempotency-Key; give one of them")
    valid_for = body.get("valid_for")
    if valid_for is not None and _seconds(valid_for) is None:
        yield problem(("valid_for",), 'must be seconds, or text such as "90s", "10m", "24h" or "7d"')
    if body.get("priority") not in (None, *PRIORITIES):
        yield problem(("priority",), f"must be one of {listing(PRIORITIES)}")


def _seconds(typed: object) -> float | None:
    if isinstance(typed, (int, float)) and not isinstance(typed, bool):
        return min(float(typed), 1e12) if abs(typed) < 1e300 else 1e12
    match = DURATION.fullmatch(typed) if isinstance(typed, str) else None
    return float(match[1]) * _UNITS[match[2]] if match else None
