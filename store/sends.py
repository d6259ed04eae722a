"""What we were asked to send: taking it in, and writing down how each POST ended.

A row never moves and is never posted again once its outcome is unknown. Every transaction takes sends before
messages (the lock order), so sender and processor cannot deadlock.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, text

from store import feed, senders_columns
from store.database import ReadTx, WriteTx
from store.errors import IdempotencyConflict
from store.records import AttemptEnd, NewSend
from store.settle import record_sent_twice

_FIELDS = tuple(NewSend.__dataclass_fields__)
_SUBMIT = text(
    f"INSERT INTO sends ({', '.join(_FIELDS)}, state, queued_at, due_at, attempts, claim_id, lease_until)"
    f" VALUES ({', '.join(f':{name}' for name in _FIELDS)}"
    ", :state, :now, :now, :attempts, :claim_id, :lease_until)"
    " ON CONFLICT (phone_number_id, idempotency_key) DO NOTHING"
)
_ATTEMPT = text(
    "INSERT INTO send_attempts (message_id, number, claim_id, started_at)"
    " VALUES (:id, :number, :claim_id, :now)"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to post a message until the lease ends; then nobody may post it again by itself."""

    claim_id: str
    lease_until: float


@dataclass(frozen=True, slots=True)
class Submitted:
    """`created` is false when the idempotency key was there already: then this is the earlier send."""

    message_id: str
    created: bool
    state: str


def submit(tx: WriteTx, new: NewSend, now: float, claim: Claim | None = None) -> Submitted:
    """Take a message in: queued, or already claimed by the process that is going to post it (attempt 1).

    Raises IdempotencyConflict when the key is known with a different body.
    """
    values: dict[str, Any] = {
        **asdict(new),
        "state": "sending" if claim else "queued",
        "now": now,
        "attempts": 1 if claim else 0,
        "claim_id": claim.claim_id if claim else None,
        "lease_until": claim.lease_until if claim else None,
    }
    if tx.run(_SUBMIT, values) == 0:
        return _earlier(tx, new)
    if claim:
        tx.run(_ATTEMPT, {"id": new.message_id, "number": 1, "claim_id": claim.claim_id, "now": now})
    return Submitted(new.message_id, True, values["state"])


def _earlier(tx: WriteTx, new: NewSend) -> Submitted:
    row = tx.first(
        text(
            "SELECT message_id, payload_digest, state FROM sends"
            " WHERE phone_number_id = :number AND idempotency_key = :key"
        ),
        {"number": new.phone_number_id, "key": new.idempotency_key},
    )
    if row is None or bytes(row.payload_digest) != new.payload_digest:
        raise IdempotencyConflict(
            "This idempotency key was used for a different message; take a new key, or send the same body."
        )
    return Submitted(row.message_id, False, row.state)


def record_outcome(
    tx: WriteTx, message_id: str, number: int, claim: Claim, end: AttemptEnd, *, keep_payload: bool = False
) -> str:
    """Write down how attempt `number` ended; the send's state afterwards.

    Acceptance is written whatever became of the claim, because the answer proves it. Every other outcome
    counts only while the claim is ours and no status was faster.
    """
    if end.outcome == "accepted":
        _record_accepted(tx, message_id, end, keep_payload=keep_payload)
    else:
        _record_other(tx, message_id, claim, end, keep_payload=keep_payload)
    batch = feed.next_batch(tx)
    _insert_outcome(tx, message_id, number, end, batch)
    state = tx.value(text("SELECT state FROM sends WHERE message_id = :id"), {"id": message_id})
    feed.stamp(tx, batch, end.ended_at)
    return str(state)


def _record_accepted(tx: WriteTx, message_id: str, end: AttemptEnd, *, keep_payload: bool) -> None:
    changed = tx.run(
        text(
            "UPDATE sends SET state = 'accepted', wamid = :wamid, accepted_at = :now, settled_by = 'answer',"
            " settled_at = :now, message_status = :message_status, refused_by = NULL, error = NULL,"
            " claim_id = NULL, lease_until = NULL, payload = CASE WHEN :keep THEN payload END"
            " WHERE message_id = :id AND wamid IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM sends AS other WHERE other.wamid = :wamid)"
        ),
        {
            "id": message_id,
            "wamid": end.wamid,
            "now": end.ended_at,
            "message_status": end.message_status,
            "keep": keep_payload,
        },
    )
    if changed:
        senders_columns.copy(tx, [message_id])
        return
    known = tx.value(text("SELECT wamid FROM sends WHERE message_id = :id"), {"id": message_id})
    if known is None:
        _record_taken(tx, message_id, end.ended_at)
    if known != end.wamid:
        record_sent_twice(tx, message_id, str(end.wamid), end.ended_at)


def _record_taken(tx: WriteTx, message_id: str, now: float) -> None:
    """Somebody's callback data gave its wamid to another send: accepted all the same, and shown as twice."""
    tx.run(
        text(
            "UPDATE sends SET state = 'accepted', accepted_at = :now, settled_by = 'answer',"
            " settled_at = :now, refused_by = NULL, error = NULL, claim_id = NULL, lease_until = NULL"
            " WHERE message_id = :id AND wamid IS NULL"
        ),
        {"id": message_id, "now": now},
    )


_STATES = {"refused": "refused", "throttled": "queued", "unreachable": "queued", "unknown": "unknown"}
_OTHER = text(
    "UPDATE sends SET state = :state, error = :error, refused_by = :refused_by, settled_by = :settled_by,"
    " settled_at = CASE WHEN :final THEN :now END, due_at = :due_at, claim_id = NULL, lease_until = NULL,"
    " payload = CASE WHEN :keep THEN payload END"
    " WHERE message_id = :id AND claim_id = :claim_id AND wamid IS NULL"
)


def _record_other(tx: WriteTx, message_id: str, claim: Claim, end: AttemptEnd, *, keep_payload: bool) -> None:
    final = end.outcome == "refused"
    tx.run(
        _OTHER,
        {
            "id": message_id,
            "claim_id": claim.claim_id,
            "state": _STATES[end.outcome],
            "error": end.error,
            "refused_by": end.refused_by if final else None,
            "settled_by": "answer" if final else None,
            "final": final,
            "now": end.ended_at,
            "due_at": end.again_at if end.again_at is not None else end.ended_at,
            "keep": keep_payload or not final,
        },
    )


def _insert_outcome(tx: WriteTx, message_id: str, number: int, end: AttemptEnd, batch: int) -> None:
    tx.run(
        text(
            "INSERT INTO attempt_outcomes"
            " (message_id, number, ended_at, outcome, http_status, error, answer, batch)"
            " VALUES (:id, :number, :now, :outcome, :http_status, :error, :answer, :batch)"
            " ON CONFLICT (message_id, number) DO NOTHING"
        ),
        {
            "id": message_id,
            "number": number,
            "now": end.ended_at,
            "outcome": end.outcome,
            "http_status": end.http_status,
            "error": end.error,
            "answer": end.answer,
            "batch": batch,
        },
    )


def end_leases(tx: WriteTx, now: float) -> int:
    """What was being posted when its process died may have left: it becomes unknown, never queued."""
    return tx.run(
        text(
            "UPDATE sends SET state = 'unknown', claim_id = NULL, lease_until = NULL WHERE message_id IN ("
            " SELECT message_id FROM sends WHERE state = 'sending' AND lease_until < :now ORDER BY message_id"
            + (" FOR UPDATE SKIP LOCKED)" if tx.postgres else ")")
        ),
        {"now": now},
    )


def give_back(tx: WriteTx, message_id: str, claim: Claim) -> bool:
    """Undo a claim whose POST was not begun: queued again, and the attempt never was."""
    given_back = tx.run(
        text(
            "UPDATE sends SET state = 'queued', attempts = attempts - 1, claim_id = NULL, lease_until = NULL"
            " WHERE message_id = :id AND claim_id = :claim_id AND wamid IS NULL"
        ),
        {"id": message_id, "claim_id": claim.claim_id},
    )
    if given_back:
        tx.run(
            text("DELETE FROM send_attempts WHERE message_id = :id AND claim_id = :claim_id"),
            {"id": message_id, "claim_id": claim.claim_id},
        )
    return bool(given_back)


def cancel(tx: WriteTx, message_id: str, now: float) -> bool:
    """Only what is queued can be cancelled; whether it was."""
    statement = (
        "UPDATE sends SET state = 'cancelled', settled_by = 'person', settled_at = :now, payload = NULL"
        " WHERE message_id = :id AND state = 'queued'"
    )
    return bool(tx.run(text(statement), {"id": message_id, "now": now}))


def settle_by_person(tx: WriteTx, message_id: str, *, sent: bool, note: str, now: float) -> bool:
    """A person says what became of an unknown send; whether it was unknown. A later status still wins."""
    statement = (
        "UPDATE sends SET state = :state, settled_by = 'person', settled_at = :now, note = :note,"
        " payload = NULL"
        " WHERE message_id = :id AND state = 'unknown'"
    )
    state = "accepted" if sent else "refused"
    return bool(tx.run(text(statement), {"id": message_id, "state": state, "note": note, "now": now}))


def stored_answer(tx: ReadTx, message_id: str) -> Row[Any] | None:
    """The newest outcome (outcome, http_status, answer) of a send, for answering a repeated request."""
    statement = (
        "SELECT outcome, http_status, answer, error FROM attempt_outcomes"
        " WHERE message_id = :id ORDER BY number DESC LIMIT 1"
    )
    return tx.first(text(statement), {"id": message_id})
