"""What became of one send, for whoever asked for it, in values and in one sentence."""

import json
from dataclasses import dataclass, replace

from sqlalchemy import text

from sender.outcome import ErrorInfo, Outcome
from store import sends
from store.database import ReadTx
from store.placing import Reason
from whatsapp.catalogue import catalogue

LIMIT_CODES = {"number": 130429, "account": 130429, "pair": 131056}  # what Meta calls each of our limits
OVER = "Over the limit: it could not be sent within the time that it may wait."
LEFT_OPEN = (
    "The database went away while the message was on its way: Meta may or may not have it. Do not repeat it;"
    " ask for the message once the database is back."
)


@dataclass(frozen=True, slots=True)
class Sent:
    """`state` is the send's now. `outcome` is how the newest attempt ended; None when there was none yet."""

    message_id: str
    state: str  # queued sending accepted refused unknown cancelled
    sentence: str
    wamid: str | None = None
    outcome: str | None = None
    error: ErrorInfo | None = None
    refused_by: str | None = None
    message_status: str | None = None
    http_status: int | None = None
    answer: bytes | None = None  # what the wrapper answered, byte for byte; None once it is deleted
    created: bool = True  # False: the idempotency key was known, and this is what became of the first
    why: Reason | None = None  # what keeps a queued message waiting, or refused one over the limit
    again_at: float | None = None  # when a queued message may go on, Unix seconds, if that is known
    overtaken: bool = False  # a status told that Meta has it before its attempt ended otherwise


_STATES = {
    "queued": "Queued, not sent yet: `wamtrail run sender` will send it.",
    "sending": "It is being sent at this moment; ask for the message later.",
    "unknown": "The outcome is unknown: Meta may or may not have the message. It is not sent again by "
    "itself; do not repeat it, ask for the message later.",
    "cancelled": "Cancelled before it left.",
}
_REFUSERS = {"wamtrail": "Refused here", "wrapper": "Refused by Kaleyra", "meta": "Refused by Meta"}
_HELD = {
    "held_for_quality_assessment": " It is held until Meta has assessed the template's quality.",
    "paused": " Its template is paused at Meta, so it waits there.",
}


def sentence(
    state: str, refused_by: str | None, error: ErrorInfo | None, message_status: str | None = None
) -> str:
    """One line for people."""
    if state == "accepted":
        return "Accepted by Meta." + _HELD.get(message_status or "", "")
    if state == "refused":
        if refused_by == "wamtrail" and error is not None and error.title:
            error = replace(error, code=None)  # our own reason, though it has the code that Meta would give
        return f"{_REFUSERS.get(refused_by or '', 'Refused')}: {explained(error)}"
    if state == "queued" and error is not None:
        return f"Not sent yet, and queued to be tried again: {explained(error)}"
    return _STATES.get(state, state)


def explained(error: ErrorInfo | None) -> str:
    """The error with what it means and what to do."""
    if error is None:
        return "no reason was given."
    if error.code is None:
        return " ".join(part for part in (error.title, error.details) if part) or "no reason was given."
    entry = catalogue().lookup(error.code, subcode=error.subcode)
    if not entry.known:
        return f"{error.code} {error.title or entry.name}. {error.details or entry.action}"
    said = f" ({error.details})" if error.details else ""
    return f"{error.code} {entry.name}{said}. {entry.action}"


def of_outcome(
    message_id: str, state: str, outcome: Outcome, answer: bytes, again_at: float | None, by: str | None
) -> Sent:
    """Just posted. `by`: who refused it, when it is refused."""
    return Sent(
        message_id,
        state,
        sentence(state, by, outcome.error, outcome.message_status),
        wamid=outcome.wamid,
        outcome=outcome.kind,
        error=outcome.error,
        refused_by=by if state == "refused" else None,
        message_status=outcome.message_status,
        http_status=outcome.http_status,
        answer=answer if outcome.http_status is not None else None,
        again_at=again_at if state == "queued" else None,
    )


def load(tx: ReadTx, message_id: str, *, created: bool) -> Sent:
    """As the database has it: for a repeated request, or when somebody else sent it."""
    columns = "state, wamid, refused_by, message_status, error, due_at"
    row = tx.first(text(f"SELECT {columns} FROM sends WHERE message_id = :id"), {"id": message_id})  # noqa: S608
    if row is None:
        return Sent(message_id, "cancelled", "The message is not in the database any more.", created=created)
    newest = sends.stored_answer(tx, message_id)
    # An end that counted set due_at to its own moment; one that came after a status left the row alone.
    late = newest is not None and newest.outcome != "accepted" and newest.ended_at != row.due_at
    error = _error(row.error)
    return Sent(
        message_id,
        row.state,
        sentence(row.state, row.refused_by, error, row.message_status),
        wamid=row.wamid,
        outcome=newest.outcome if newest else None,
        error=error,
        refused_by=row.refused_by,
        message_status=row.message_status,
        http_status=newest.http_status if newest else None,
        answer=bytes(newest.answer) if newest and newest.answer is not None else None,
        created=created,
        again_at=row.due_at if row.state == "queued" else None,
        overtaken=row.state == "accepted" and late,
    )


def _error(stored: str | None) -> ErrorInfo | None:
    if stored is None:
        return None
    found = json.loads(stored)
    return ErrorInfo(*(found.get(name) for name in ("code", "title", "details", "fbtrace_id", "subcode")))
