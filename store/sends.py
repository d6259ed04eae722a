"""What we were asked to send: taking it in, ending leases, giving back, cancelling, settling by hand.

A row never moves and is never posted again once its outcome is unknown. Every transaction takes sends before
messages (the lock order), so sender and processor cannot deadlock.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, text

from store import gates, holds
from store.database import ReadTx, WriteTx
from store.errors import IdempotencyConflict, Refused
from store.lists import among, given
from store.outcomes import Claim, Ended, record_outcome, record_outcomes
from store.records import NewSend

__all__ = [
    "Claim",
    "Ended",
    "Submitted",
    "cancel",
    "end_leases",
    "free_key",
    "give_back",
    "give_back_all",
    "record_outcome",
    "record_outcomes",
    "same_key",
    "settle_by_person",
    "stored_answer",
    "submit",
]

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
class Submitted:
    """`created` is false when the idempotency key was there already: then this is the earlier send."""

    message_id: str
    created: bool
    state: str


def submit(tx: WriteTx, new: NewSend, now: float, claim: Claim | None = None) -> Submitted:
    """Take a message in: queued, or already claimed by the process that is going to post it (attempt 1).

    Raises IdempotencyConflict when the key is known with a different body, and Refused when it may not be
    sent; what was taken in under its key before still answers.
    """
    verdict = gates.verdicts(tx, [new])[0]
    if verdict.error is not None:
        return _earlier_of_refused(tx, new, verdict.error)
    values: dict[str, Any] = {
        **asdict(new),
        "category": verdict.category,
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


def _earlier_of_refused(tx: WriteTx, new: NewSend, error: str) -> Submitted:
    if same_key(tx, new.phone_number_id, new.idempotency_key) is not None:
        return _earlier(tx, new)
    raise Refused(gates.sentence(error))


def same_key(tx: ReadTx, phone_number_id: str, idempotency_key: str | None) -> Row[Any] | None:
    """What was taken in under this key (message_id, payload_digest, state)."""
    if idempotency_key is None:
        return None
    return tx.first(
        text(
            "SELECT message_id, payload_digest, state FROM sends"
            " WHERE phone_number_id = :number AND idempotency_key = :key"
        ),
        {"number": phone_number_id, "key": idempotency_key},
    )


def _earlier(tx: WriteTx, new: NewSend) -> Submitted:
    row = same_key(tx, new.phone_number_id, new.idempotency_key)
    if row is None or bytes(row.payload_digest) != new.payload_digest:
        raise IdempotencyConflict(
            "This idempotency key was used for a different message; take a new key, or send the same body."
        )
    return Submitted(row.message_id, False, row.state)


def end_leases(tx: WriteTx, now: float) -> int:
    """What was being posted when its process died may have left: it becomes unknown, never queued.

    Nothing waits for a lock here, so no order is needed; asking for one would read the whole table.
    """
    return tx.run(
        text(
            "UPDATE sends SET state = 'unknown', claim_id = NULL, lease_until = NULL WHERE message_id IN ("
            " SELECT message_id FROM sends WHERE state = 'sending' AND lease_until < :now"
            + (" FOR UPDATE SKIP LOCKED)" if tx.postgres else ")")
        ),
        {"now": now},
    )


def give_back(tx: WriteTx, message_id: str, claim: Claim) -> bool:
    """Undo a claim whose POST was not begun: queued again, and the attempt never was."""
    return bool(give_back_all(tx, [message_id], claim.claim_id))


def give_back_all(tx: WriteTx, message_ids: Sequence[str], claim_id: str) -> int:
    """The same for several of one claim; how many were still its own."""
    lock = " FOR UPDATE" if tx.postgres else ""
    own = f"message_id {among(tx, 'ids')} AND claim_id = :claim_id"
    given_back = [
        row.message_id
        for row in tx.all(
            text(
                f"SELECT message_id FROM sends WHERE {own} AND wamid IS NULL AND state = 'sending'"
                f" ORDER BY message_id{lock}"
            ),
            {"ids": given(tx, sorted(message_ids)), "claim_id": claim_id},
        )
    ]
    values = {"ids": given(tx, given_back), "claim_id": claim_id}
    tx.run(
        text(
            "UPDATE sends SET state = 'queued', attempts = attempts - 1, claim_id = NULL, lease_until = NULL"
            f" WHERE {own}"
        ),
        values,
    )
    tx.run(text(f"DELETE FROM send_attempts WHERE {own}"), values)
    holds.release(tx, given_back)
    return len(given_back)


def cancel(tx: WriteTx, message_id: str, now: float, *, keep_payload: bool = False) -> bool:
    """Only what is queued can be cancelled; whether it was."""
    statement = (
        "UPDATE sends SET state = 'cancelled', settled_by = 'person', settled_at = :now,"
        " payload = CASE WHEN :keep THEN payload END WHERE message_id = :id AND state = 'queued'"
    )
    return bool(tx.run(text(statement), {"id": message_id, "now": now, "keep": keep_payload}))


def settle_by_person(
    tx: WriteTx, message_id: str, *, sent: bool, note: str, now: float, keep_payload: bool = False
) -> bool:
    """A person says what became of an unknown send; whether it was unknown. A later status still wins."""
    statement = (
        "UPDATE sends SET state = :state, settled_by = 'person', settled_at = :now, note = :note,"
        " payload = CASE WHEN :keep THEN payload END"
        " WHERE message_id = :id AND state = 'unknown'"
    )
    state = "accepted" if sent else "refused"
    values = {"id": message_id, "state": state, "note": note, "now": now, "keep": keep_payload}
    done = bool(tx.run(text(statement), values))
    if done and not sent:
        holds.release(tx, [message_id])
    return done


def free_key(tx: WriteTx, message_id: str) -> bool:
    """Give up the idempotency key of a send that certainly never left, so that a repeat may send it."""
    statement = (
        "UPDATE sends SET idempotency_key = NULL"
        " WHERE message_id = :id AND state = 'refused' AND wamid IS NULL AND idempotency_key IS NOT NULL"
    )
    return bool(tx.run(text(statement), {"id": message_id}))


def stored_answer(tx: ReadTx, message_id: str) -> Row[Any] | None:
    """The newest outcome (outcome, http_status, answer, ...) of a send, for answering a repeated request."""
    statement = (
        "SELECT outcome, http_status, answer, error, ended_at FROM attempt_outcomes"
        " WHERE message_id = :id ORDER BY number DESC LIMIT 1"
    )
    return tx.first(text(statement), {"id": message_id})
