"""What was to be sent to an erased person: stopped when it has not left, and stripped of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from store import erasure_find, sends
from store.database import WriteTx
from store.erasure_state import Words
from store.errors import Refused
from store.lists import among, given
from whatsapp.person import Person

AT_ONCE = 20
NO_DIGEST = bytes(32)  # of what the caller gave: a digest of a known text tells the number
NOTE = "erased"

_SEND = text(
    "UPDATE sends SET recipient = :recipient, recipient_typed = :typed, payload = NULL,"
    " payload_digest = :digest, callback_data = NULL, reference = :reference,"
    " idempotency_key = :key, note = :note, error = :error WHERE message_id = :id"
)

_ANSWER = text(
    "UPDATE attempt_outcomes SET answer = NULL, error = :error WHERE message_id = :id AND number = :number"
)


def stop(tx: WriteTx, person: Person, now: float) -> int:
    """Cancel what is queued for them; how many. Raises Refused while something is being sent."""
    found = erasure_find.sends(tx, person)
    if any(state == "sending" for _, state in found):
        raise Refused(
            "A message to this person is being sent right now; wait a minute and run the command again."
        )
    return sum(sends.cancel(tx, message_id, now) for message_id, state in found if state == "queued")


def erase(tx: WriteTx, message_ids: Sequence[str], person: Person, words: Words) -> int:
    """These sends without whom they went to, what they held, and their answers; how many answers."""
    lock = " FOR UPDATE" if tx.postgres else ""
    rows = tx.all(
        text(
            "SELECT message_id, state, recipient, reference, idempotency_key, note, error FROM sends"
            f" WHERE message_id {among(tx, 'ids')} ORDER BY message_id{lock}"
        ),
        {"ids": given(tx, sorted(message_ids))},
    )
    # What a sender or a new status took up meanwhile is left for the next look.
    done = [row for row in rows if row.state not in ("queued", "sending")]
    for row in done:
        tx.run(_SEND, _stripped(row, person, words))
    return _answers(tx, [row.message_id for row in done], person, words)


def _answers(tx: WriteTx, message_ids: Sequence[str], person: Person, words: Words) -> int:
    found = tx.all(
        text(
            "SELECT message_id, number, error, answer IS NOT NULL AS answered FROM attempt_outcomes"
            f" WHERE message_id {among(tx, 'ids')}"
        ),
        {"ids": given(tx, message_ids)},
    )
    changed = 0
    for one in found:
        error = one.error and words.part(person, one.error)
        if one.answered or error != one.error:
            changed += tx.run(_ANSWER, {"id": one.message_id, "number": one.number, "error": error})
    return changed


def _stripped(row: Any, person: Person, words: Words) -> dict[str, Any]:
    """References and keys are the caller's own ids: only what they hold of the person goes."""
    name = person.text(row.recipient)
    return {
        "id": row.message_id,
        "recipient": name,
        "typed": name,
        "digest": NO_DIGEST,
        "reference": row.reference and person.text(row.reference),
        "key": row.idempotency_key and person.text(row.idempotency_key),
        "note": NOTE if row.note else row.note,
        "error": row.error and words.part(person, row.error),
    }
