"""A message's story as steps in time order: what happened, when it happened, when we heard of it, and why."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from store.stories import Story
from whatsapp.catalogue import ErrorCode, catalogue


@dataclass(frozen=True, slots=True)
class Step:
    """One line. `at` is when it happened; `arrived_at` when we heard, for what Meta told us."""

    at: float
    what: str  # queued, attempt, accepted, sent, delivered, read, played, failed, reply, settled ...
    text: str
    arrived_at: float | None = None
    participant: str = ""
    error: ErrorCode | None = None
    meta_said: str = ""


def timeline(story: Story) -> list[Step]:
    """Every step by time. Meta tells whole seconds, so within one second our own steps stand first."""
    steps = [*_sending(story), *_updates(story.updates), *_replies(story.replies)]
    return sorted(steps, key=_place)


def _place(step: Step) -> tuple[float, bool, float, int]:
    heard = step.arrived_at is not None
    return step.at // 1, heard, 0.0 if heard else step.at, _LIFE.get(step.what, 50)


_LIFE = {
    "queued": 0,
    "attempt": 1,
    "outcome": 2,
    "accepted": 3,
    "sent": 4,
    "delivered": 5,
    "read": 6,
    "played": 7,
}


def _sending(story: Story) -> Iterable[Step]:
    send = story.send
    if send is None:
        return
    yield Step(send["queued_at"], "queued", "taken in")
    for attempt in story.attempts:
        yield Step(attempt["started_at"], "attempt", f"attempt {attempt['number']}: posted to the wrapper")
        yield from _outcome(attempt)
    if send["settled_by"] == "status" and send["state"] == "cancelled":
        words = "cancelled before it left: a status proved that Meta took the message that it repeats"
        yield Step(send["settled_at"], "cancelled", words)
    elif send["settled_by"] == "status":
        yield Step(send["settled_at"], "settled", "a status with our id arrived: Meta took the message")
    elif send["settled_by"] == "person" and send["state"] == "cancelled":
        yield Step(send["settled_at"], "cancelled", "cancelled by a person")
    elif send["settled_by"] == "person":
        word = "sent" if send["state"] == "accepted" else "failed"
        yield Step(send["settled_at"], "settled", f"settled by a person as {word}: {send['note']}")
    elif send["refused_by"] == "wamtrail":
        error = _error(send["error"])
        yield Step(send["settled_at"], "refused", "refused here", error=error[0], meta_said=error[1])


def _outcome(attempt: Mapping[str, Any]) -> Iterable[Step]:
    if attempt["outcome"] is None:
        return
    took = max(0, round((attempt["ended_at"] - attempt["started_at"]) * 1000))
    said = f"HTTP {attempt['http_status']} " if attempt["http_status"] else "no answer "
    error, words = _error(attempt["error"])
    what = "accepted" if attempt["outcome"] == "accepted" else "outcome"
    yield Step(
        attempt["ended_at"],
        what,
        f"{attempt['outcome']}: {said}after {took} ms",
        error=error,
        meta_said=words,
    )


def _updates(updates: Iterable[Mapping[str, Any]]) -> Iterable[Step]:
    for update in updates:
        error, words = (None, "")
        if update["errors"]:
            error, words = _error(update["errors"])
        yield Step(
            float(update["occurred_at"]),
            update["status"],
            update["status"],
            arrived_at=update["received_at"],
            participant=update["participant"],
            error=error,
            meta_said=words,
        )


def _replies(replies: Iterable[Mapping[str, Any]]) -> Iterable[Step]:
    for reply in replies:
        yield Step(
            float(reply["occurred_at"]),
            "reply",
            f"the recipient answered ({reply['type']}), so it reached them",
            arrived_at=reply["received_at"],
        )


def _error(stored: str | None) -> tuple[ErrorCode | None, str]:
    """The catalogue's entry and the provider's own words of a stored error (one, or Meta's list of them)."""
    first = first_error(stored)
    if first is None:
        return None, ""
    words = (str(first["title"] or ""), str(first["details"] or ""))
    entry = catalogue().lookup(first["code"], subcode=first["subcode"])
    return entry, ": ".join(word for word in dict.fromkeys(words) if word)


def first_error(stored: str | None) -> dict[str, Any] | None:
    """{code, title, details, subcode, fbtrace_id} of a stored error, or of the first of a list."""
    value = json.loads(stored) if stored else None
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, dict)), None)
    if not isinstance(value, dict):
        return None
    data = value.get("error_data")
    details = value.get("details") or (data.get("details") if isinstance(data, dict) else None)
    subcode = value.get("subcode", value.get("error_subcode"))
    return {
        "code": value.get("code"),
        "title": value.get("title") or value.get("message"),
        "details": details if details is None or isinstance(details, str) else json.dumps(details),
        "subcode": subcode if isinstance(subcode, int) else None,
        "fbtrace_id": value.get("fbtrace_id"),
    }
