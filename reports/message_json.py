"""One message as JSON, for `message show --json` and the API. Whole numbers and ids: who asks may see them.

Times are RFC 3339 UTC: Meta's in whole seconds, ours with milliseconds. `error` is the reason of the
status and null beside a status that needs none (see store/explained.py); an attempt's and an update's own
errors stand with them.
"""

import json
from collections.abc import Mapping
from typing import Any

from store import status
from store.explained import Explained, deciding, error_of, explain
from store.group_rows import Conflicts
from store.stories import Story
from store.times import rfc3339
from whatsapp import callback_data

_MOMENTS = ("sent_at", "delivered_at", "read_at", "played_at", "failed_at")
Json = dict[str, Any]


def message_json(story: Story) -> Json:
    """The documented object, with participants, updates (oldest first) and attempts."""
    send, message = story.send or {}, story.message or {}
    row = {
        **dict.fromkeys(_MOMENTS),
        **message,
        "message_id": send.get("message_id") or message.get("message_id"),
        "wamid": send.get("wamid") or message.get("wamid"),
        "reference": send.get("reference") or message.get("reference"),
        "callback_data": _callers(story.send is not None, send, message.get("callback_data")),
        "phone_number_id": number_of(story),
        "recipient": send.get("recipient") or message.get("recipient") or message.get("recipient_id"),
        "type": send.get("type") or message.get("type"),
        "template": send.get("template") or message.get("template"),
        "status": story.status,
        "queued_at": send.get("queued_at"),
        "accepted_at": send.get("accepted_at") or message.get("accepted_at"),
        **{name: send.get(name) for name in ("refused_by", "message_status", "settled_by")},
    }
    return {
        **_head(row, conflict=story.conflict, implied=story.delivered_implied, error=error_of(story)),
        "participants": [_participant(one) for one in story.participants],
        "updates": [_update(one) for one in story.updates],
        "attempts": [_attempt(one) for one in story.attempts],
    }


def listed_json(row: Mapping[str, Any], conflicts: Conflicts) -> Json:
    """A row of store.listing with the same keys, without updates and attempts; participants is [].

    `conflicts`: what `store.group_rows.conflicts` found in the page.
    """
    wamid = row["message_wamid"] or row["wamid"]
    error = deciding(
        row["status"],
        conflict=wamid in conflicts.persons,
        send_error=row["send_error"],
        message_error=row["message_error"],
        refused_by=row["refused_by"],
    )
    callers = _callers(row["state"] is not None, row, row["reported_callback_data"])
    head = {**row, "wamid": wamid, "callback_data": callers}
    implied = status.delivered_implied(row)
    return {**_head(head, conflict=wamid in conflicts, implied=implied, error=error), "participants": []}


def number_of(story: Story) -> str | None:
    """The phone_number_id that a message went out from; a stranger's as Meta reported it."""
    send, message = story.send or {}, story.message or {}
    return (
        send.get("phone_number_id")
        or message.get("phone_number_id")
        or message.get("reported_number")
        or None
    )


def error_json(error: Explained | None) -> Json | None:
    if error is None:
        return None
    return {
        "code": error.code,
        "title": error.title,
        "details": error.details,
        "fbtrace_id": error.fbtrace_id,
        "meaning": error.entry.meaning,
        "owner": error.entry.owner,
        "retryable": error.entry.retryable,
        "action": error.entry.action,
    }


def _head(row: Mapping[str, Any], *, conflict: bool, implied: bool, error: Explained | None) -> Json:
    words = ("message_id", "wamid", "reference", "callback_data", "phone_number_id", "recipient")
    return {
        **{name: row.get(name) for name in (*words, "recipient_user_id", "type", "template", "status")},
        **{name: row.get(name) for name in ("refused_by", "message_status", "settled_by")},
        "conflict": conflict,
        "delivered_implied": implied,
        **{name: rfc3339(row.get(name)) for name in ("queued_at", "accepted_at", *_MOMENTS)},
        "error": error_json(error),
        "pricing": json.loads(row["pricing"]) if row.get("pricing") else None,
    }


def _callers(ours: bool, send: Mapping[str, Any], reported: str | None) -> str | None:
    """The caller's own part: of our sends as it was given, of a stranger's as Meta reports it."""
    given: str | None = send.get("callback_data") if ours else callback_data.split(reported)[1]
    return given


def _participant(one: Mapping[str, Any]) -> Json:
    failed = one["failed_at"] is not None
    return {
        "participant": one["participant"],
        "status": status.status(one),
        "conflict": status.conflict(one),
        "delivered_implied": status.delivered_implied(one),
        **{name: rfc3339(one[name]) for name in _MOMENTS},
        "error": error_json(explain(one["error"])) if failed else None,
    }


def _update(one: Mapping[str, Any]) -> Json:
    return {
        "status": one["status"],
        "occurred_at": rfc3339(one["occurred_at"]),
        "received_at": rfc3339(one["received_at"]),
        "participant": one["participant"] or None,
        "error": error_json(explain(one["errors"])),
    }


def _attempt(one: Mapping[str, Any]) -> Json:
    return {
        "number": one["number"],
        "started_at": rfc3339(one["started_at"]),
        "ended_at": rfc3339(one["ended_at"]),
        "outcome": one["outcome"],
        "http_status": one["http_status"],
        "error": error_json(explain(one["error"], one["http_status"])),
    }
