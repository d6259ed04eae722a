"""Writing down how POSTs ended: many in one transaction, because the feed's lock lets one commit at a time.

Acceptance is written whatever became of the claim, because the answer proves it. Every other outcome counts
only while the claim is ours and no status was faster.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from store import feed, holds, senders_columns
from store.bulk import BIGINT, BOOLEAN, BYTES, DOUBLE, TEXT, Bulk, BulkUpdate
from store.database import WriteTx
from store.lists import among, given
from store.records import AttemptEnd
from store.settle import record_sent_twice


def error_json(title: str, details: str | None = None, code: int | None = None) -> str:
    """An error of our own, in the form in which all errors of a send are kept. `code`: what Meta calls it."""
    error = {"code": code, "title": title, "details": details, "fbtrace_id": None}
    return json.dumps(error, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


TOO_LATE = error_json("Too late: the message expired before it could be sent.")


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to post a message until the lease ends; then nobody may post it again by itself."""

    claim_id: str
    lease_until: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """A send that ends although its last attempt might be repeated: who gives up, and the error shown."""

    by: str  # wamtrail, wrapper or meta
    error: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """One attempt's end. `gives_up`: throttled or unreachable, but not to be queued again."""

    message_id: str
    number: int
    claim: Claim
    end: AttemptEnd
    gives_up: Refusal | None = None


_STATES = {"refused": "refused", "throttled": "queued", "unreachable": "queued", "unknown": "unknown"}
_ACCEPT = BulkUpdate(
    table="sends",
    columns=(
        ("message_id", TEXT),
        ("wamid", TEXT),
        ("at", DOUBLE),
        ("message_status", TEXT),
        ("keep", BOOLEAN),
    ),
    sets="state = 'accepted', wamid = new.wamid, accepted_at = new.at, settled_by = 'answer',"
    " settled_at = new.at, message_status = new.message_status, refused_by = NULL, error = NULL,"
    " claim_id = NULL, lease_until = NULL, payload = CASE WHEN new.keep THEN payload END",
)
_OTHER = text(
    "UPDATE sends SET state = :state, error = :error, refused_by = :refused_by, settled_by = :settled_by,"
    " settled_at = :settled_at, due_at = :due_at, claim_id = NULL, lease_until = NULL,"
    " payload = CASE WHEN :keep THEN payload END"
    " WHERE message_id = :id"
)
_WORD = text("UPDATE sends SET message_status = :word WHERE message_id = :id AND message_status IS NULL")
_OUTCOMES = Bulk(
    table="attempt_outcomes",
    columns=(
        ("message_id", TEXT),
        ("number", BIGINT),
        ("ended_at", DOUBLE),
        ("outcome", TEXT),
        ("http_status", BIGINT),
        ("error", TEXT),
        ("answer", BYTES),
        ("batch", BIGINT),
    ),
    conflict="ON CONFLICT (message_id, number) DO NOTHING",
)
_FOREIGN = error_json("The answer named a message id that belongs to another message already.")


def record_outcome(
    tx: WriteTx, message_id: str, number: int, claim: Claim, end: AttemptEnd, *, keep_payload: bool = False
) -> str:
    """Write down how attempt `number` ended; the send's state afterwards."""
    ended = Ended(message_id, number, claim, end)
    return record_outcomes(tx, [ended], keep_payload=keep_payload)[message_id]


def record_outcomes(tx: WriteTx, ends: Sequence[Ended], *, keep_payload: bool = False) -> dict[str, str]:
    """The same for many at once; the states afterwards. Commit at once: it ends under the feed's lock."""
    ordered = sorted(ends, key=lambda one: (one.message_id, one.number))
    sends = _locked(tx, ordered)
    owners = _owners(tx, ordered)
    accepted: list[tuple[Any, ...]] = []
    others: list[dict[str, Any]] = []
    words: list[dict[str, Any]] = []
    twice: list[tuple[str, str, float]] = []
    states = {message_id: str(row.state) for message_id, row in sends.items()}
    wamids = {message_id: row.wamid for message_id, row in sends.items()}
    for one in ordered:
        row, end = sends.get(one.message_id), one.end
        if row is None:
            continue
        known, reported = wamids[one.message_id], end.wamid
        if end.outcome == "accepted" and reported is not None:
            if known == reported:
                words += _word(one)
            elif known is None and owners.get(reported, one.message_id) != one.message_id:
                others.append(_other(one, keep_payload, {"state": "unknown", "error": _FOREIGN}))
                states[one.message_id] = "unknown"
            elif known is None:
                accepted.append(_accepted(one, keep_payload))
                wamids[one.message_id], owners[reported] = reported, one.message_id
                states[one.message_id] = "accepted"
            else:
                twice.append((one.message_id, reported, end.ended_at))
        elif known is None and row.claim_id == one.claim.claim_id:
            others.append(_other(one, keep_payload))
            states[one.message_id] = str(others[-1]["state"])
    _ACCEPT.run(tx, accepted)
    for statement, values in ((_OTHER, others), (_WORD, words)):
        if values:
            tx.run(statement, values)
    senders_columns.copy(tx, [message_id for message_id, *_ in accepted])
    holds.release(tx, [one["id"] for one in others if one["state"] != "unknown"])
    for message_id, wamid, seen_at in twice:
        record_sent_twice(tx, message_id, wamid, seen_at)
    batch = feed.next_batch(tx)
    _OUTCOMES.run(tx, [_outcome(one, batch) for one in ordered if one.message_id in sends])
    feed.stamp(tx, batch, max(one.end.ended_at for one in ordered))
    return states


def _locked(tx: WriteTx, ends: Sequence[Ended]) -> dict[str, Row[Any]]:
    lock = " FOR UPDATE" if tx.postgres else ""
    statement = (
        f"SELECT message_id, state, wamid, claim_id FROM sends WHERE message_id {among(tx, 'ids')}"
        f" ORDER BY message_id{lock}"
    )
    ids = given(tx, sorted({one.message_id for one in ends}))
    return {row.message_id: row for row in tx.all(text(statement), {"ids": ids})}


def _owners(tx: WriteTx, ends: Sequence[Ended]) -> dict[str, str]:
    """Whose the reported wamids are already."""
    wamids = sorted({one.end.wamid for one in ends if one.end.wamid is not None})
    if not wamids:
        return {}
    statement = f"SELECT wamid, message_id FROM sends WHERE wamid {among(tx, 'wamids')}"
    return {row.wamid: row.message_id for row in tx.all(text(statement), {"wamids": given(tx, wamids)})}


def _accepted(one: Ended, keep: bool) -> tuple[Any, ...]:
    end = one.end
    return (one.message_id, end.wamid, end.ended_at, end.message_status, keep)


def _other(one: Ended, keep: bool, instead: Mapping[str, Any] | None = None) -> dict[str, Any]:
    end, gives_up = one.end, one.gives_up
    state = "refused" if gives_up else _STATES.get(end.outcome, "unknown")
    final = state == "refused"
    answered = final and gives_up is None
    return {
        "id": one.message_id,
        "state": state,
        "error": gives_up.error if gives_up else end.error,
        "refused_by": gives_up.by if gives_up else end.refused_by if final else None,
        "settled_by": "answer" if answered else None,
        "settled_at": end.ended_at if final else None,
        "due_at": end.again_at if end.again_at is not None else end.ended_at,
        "keep": keep or not final,
        **(instead or {}),
    }


def _word(one: Ended) -> list[dict[str, Any]]:
    word = one.end.message_status
    return [] if word is None else [{"id": one.message_id, "word": word}]


def _outcome(one: Ended, batch: int) -> tuple[Any, ...]:
    end = one.end
    return (
        one.message_id,
        one.number,
        end.ended_at,
        end.outcome,
        end.http_status,
        end.error,
        end.answer,
        batch,
    )
