"""Claims of the process that posts a message itself: taken in, given a slot and claimed in one transaction.

What may leave at once is inserted already claimed. What has to wait a little stays queued, with its slot
reserved where a slot can be, until just before; so a crash in between leaves nothing in doubt.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import text

from store import numbers, rates, sends
from store.affording import unaffordable
from store.bulk import BIGINT, DOUBLE, TEXT, Bulk
from store.database import WriteTx
from store.ledger import Budget
from store.lists import among, given
from store.outcomes import TOO_LATE, Claim
from store.rates import MICRO, Limits, Pace
from store.records import NewSend

SOON = 0.05  # seconds; what leaves within them is claimed at once
GRACE = 2.0  # seconds after its moment, until another process may take what its own process did not
Kind = Literal["claimed", "waiting", "queued", "repeat", "gone", "late", "unpaid"]
Reason = Literal["number", "pair", "account", "paused"]
Trials = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a process wants to place a message. `reject`: over the limit, rather nothing than the queue."""

    claim_id: str
    lease: float  # seconds from the slot
    wait_at_most: float
    limits: Limits
    reject: bool = False
    by_hand: bool = False  # a person is there: this message may try out a hold that will end by itself
    lead: float = 0.0  # seconds from the decision until it can be acted on: a slow commit's time
    budget: Budget | None = None  # None: the balance is not asked
    keep_payload: bool = False  # of what is refused here


@dataclass(frozen=True, slots=True)
class Placed:
    """claimed: post it at `slot`. waiting: claim it just before `slot`. queued: `run sender` will take it.
    repeat: the idempotency key was known. gone: somebody else has it. late: it expired and is refused.
    unpaid: the balance is not enough for it, so it is refused.

    `slot` and `at` (the moment of the decision) are of the database's clock, Unix seconds.
    """

    kind: Kind
    message_id: str
    state: str
    at: float
    slot: float = 0.0
    attempt: int = 1
    claim: Claim | None = None
    reserved: bool = False
    why: Reason | None = None  # what it waits for
    reason: str | None = None  # of a pause
    trials: Trials = ()  # holds that this message tries out: for `numbers.tried`


_ATTEMPTS = Bulk(
    table="send_attempts",
    columns=(("message_id", TEXT), ("number", BIGINT), ("claim_id", TEXT), ("started_at", DOUBLE)),
)


_SENDING = (
    "UPDATE sends SET state = 'sending', attempts = attempts + 1, claim_id = :claim, lease_until = :lease"
)
_TAKE = text(
    f"WITH taken AS ({_SENDING} WHERE message_id = ANY(:ids) RETURNING message_id, attempts, claim_id)"
    " INSERT INTO send_attempts (message_id, number, claim_id, started_at)"
    " SELECT message_id, attempts, claim_id, CAST(:now AS double precision) FROM taken"
)


class OverLimit(Exception):
    """Asked to reject: nothing was taken in. `again_in` seconds it may fit; None: nobody knows."""

    def __init__(self, why: Reason, again_in: float | None, reason: str | None = None) -> None:
        self.why, self.again_in, self.reason = why, again_in, reason
        super().__init__(reason or f"over the limit of the {why}")


def submit_claimed(tx: WriteTx, new: NewSend, now: float, asked: Asked) -> Placed:
    """Take a message in and claim it. Raises IdempotencyConflict, and OverLimit when asked to reject."""
    at = rates.clock(tx, now) / MICRO
    claim = Claim(asked.claim_id, at + SOON + asked.lease)
    submitted = sends.submit(tx, new, at, claim)
    if not submitted.created:
        return Placed("repeat", submitted.message_id, submitted.state, at)
    placed = _place(tx, new.message_id, new.phone_number_id, new.recipient, 1, claim, now, asked)
    if placed.kind == "claimed":
        return _paid(tx, placed, asked)
    if asked.reject and placed.kind == "queued":
        raise OverLimit(placed.why or "number", _again_in(placed), placed.reason)
    sends.give_back(tx, new.message_id, claim)
    _postpone(tx, new.message_id, placed)
    return placed


def claim_one(tx: WriteTx, message_id: str, now: float, asked: Asked, held: Placed | None = None) -> Placed:
    """Claim one's own queued message. `held`: what made it wait; its slot counts if not missed."""
    lock = " FOR UPDATE" if tx.postgres else ""
    columns = "state, phone_number_id, recipient, attempts, expires_at"
    query = text(f"SELECT {columns} FROM sends WHERE message_id = :id{lock}")
    row = tx.first(query, {"id": message_id})
    at = rates.clock(tx, now) / MICRO
    if row is None or row.state != "queued":
        return Placed("gone", message_id, row.state if row else "cancelled", at)
    if row.expires_at <= at:
        refuse(tx, [message_id], at, TOO_LATE, keep_payload=asked.keep_payload)
        return Placed("late", message_id, "refused", at)
    attempt = row.attempts + 1
    if held is not None and held.reserved and held.slot >= at and not _holds(tx, row.phone_number_id):
        claim = Claim(asked.claim_id, held.slot + asked.lease)
        placed = Placed("claimed", message_id, "sending", at, held.slot, attempt, claim, True)
    else:
        claim = Claim(asked.claim_id, at + SOON + asked.lease)
        placed = _place(tx, message_id, row.phone_number_id, row.recipient, attempt, claim, now, asked)
    if placed.kind == "claimed":
        placed = _paid(tx, placed, asked)
    if placed.kind == "claimed":
        take(tx, [(message_id, attempt)], claim, at)
    elif placed.kind != "unpaid":
        _postpone(tx, message_id, placed)
    return placed


def _paid(tx: WriteTx, placed: Placed, asked: Asked) -> Placed:
    """The same once its cost is held; what cannot be paid is refused, also if it was inserted claimed."""
    error = unaffordable(tx, asked.budget, [placed.message_id], placed.at).get(placed.message_id)
    if error is None:
        return placed
    if placed.claim is not None:
        sends.give_back(tx, placed.message_id, placed.claim)
    refuse(tx, [placed.message_id], placed.at, error, keep_payload=asked.keep_payload)
    return Placed("unpaid", placed.message_id, "refused", placed.at)


def take(tx: WriteTx, rows: list[tuple[str, int]], claim: Claim, now: float) -> None:
    """Mark queued, locked rows (message_id, number of the attempt) as being sent, and write the attempts."""
    if not rows:
        return
    ordered = sorted(rows)
    ids = given(tx, [one for one, _ in ordered])
    values = {"ids": ids, "claim": claim.claim_id, "lease": claim.lease_until}
    if tx.postgres:
        tx.run(_TAKE, {**values, "now": now})
        return
    tx.run(text(f"{_SENDING} WHERE message_id {among(tx, 'ids')}"), values)
    _ATTEMPTS.run(tx, [(message_id, number, claim.claim_id, now) for message_id, number in ordered])


def refuse(
    tx: WriteTx, message_ids: list[str], now: float, error: str, *, keep_payload: bool = False
) -> None:
    """Refused here, before it left."""
    if message_ids:
        tx.run(
            text(
                "UPDATE sends SET state = 'refused', refused_by = 'wamtrail', settled_at = :now,"
                " error = :error, claim_id = NULL, lease_until = NULL,"
                " payload = CASE WHEN :keep THEN payload END"
                " WHERE message_id = :id AND state = 'queued'"
            ),
            [{"id": one, "now": now, "error": error, "keep": keep_payload} for one in sorted(message_ids)],
        )


def _place(
    tx: WriteTx,
    message_id: str,
    phone_number_id: str,
    recipient: str,
    attempt: int,
    claim: Claim,
    now: float,
    asked: Asked,
) -> Placed:
    standing = numbers.standing(tx, [numbers.ACCOUNT, phone_number_id])
    by_hand: Trials = ()
    keys = [rates.number_key(phone_number_id), *([rates.ACCOUNT] if asked.limits.of_account else [])]
    before = rates.locked(tx, keys)
    pair, micro = rates.pairs(tx, [rates.pair_key(phone_number_id, recipient)], now)
    before |= pair
    at = micro / MICRO
    if asked.by_hand:
        standing, by_hand = _tried_by_hand(standing, at)
    held = _holding(standing, at)
    if held is not None:
        until = None if held.paused_until == numbers.FOREVER else held.paused_until
        return Placed(
            "queued", message_id, "queued", at, until or 0.0, why="paused", reason=held.paused_reason
        )
    trials = _trials(tx, standing, at)
    if trials is None:
        return Placed("queued", message_id, "queued", at, at + GRACE, why="paused")
    cells = dict(before)
    pace = Pace(asked.limits, phone_number_id, standing[phone_number_id].rate, cells)
    slot, why = pace.earliest(recipient, micro + round(asked.lead * MICRO))
    wait = (slot - micro) / MICRO
    if wait > max(asked.wait_at_most, SOON) or (why == "pair" and wait > asked.wait_at_most):
        return Placed("queued", message_id, "queued", at, slot / MICRO, why=why)
    # A pair's moment is not reserved: taking it would hold the number back for all others until then.
    reserved = why != "pair" or wait <= SOON
    if reserved:
        pace.take(recipient, slot)
        rates.write(tx, before, cells)
    if wait > SOON:
        return Placed("waiting", message_id, "queued", at, slot / MICRO, attempt, None, reserved, why)
    return Placed(
        "claimed", message_id, "sending", at, slot / MICRO, attempt, claim, True, trials=trials + by_hand
    )


def _tried_by_hand(
    standing: dict[str, numbers.Standing], at: float
) -> tuple[dict[str, numbers.Standing], Trials]:
    """Without the holds that would end by themselves, and those as trials."""
    held = {
        name: one.paused_until
        for name, one in standing.items()
        if one.paused(at) and one.paused_until is not None and one.paused_until < numbers.FOREVER
    }
    free = {name: replace(one, paused_until=None) if name in held else one for name, one in standing.items()}
    return free, tuple(sorted(held.items()))


def _holding(standing: dict[str, numbers.Standing], at: float) -> numbers.Standing | None:
    held = [one for one in standing.values() if one.paused(at)]
    return max(held, key=lambda one: one.paused_until or 0.0) if held else None


def _holds(tx: WriteTx, phone_number_id: str) -> bool:
    standing = numbers.standing(tx, [numbers.ACCOUNT, phone_number_id])
    return any(one.paused_until is not None for one in standing.values())


def _trials(tx: WriteTx, standing: dict[str, numbers.Standing], at: float) -> Trials | None:
    """The holds that this message tries out; None when another message is tried at this moment."""
    trials: list[tuple[str, float]] = []
    for name in sorted(standing):
        if standing[name].on_trial(at):
            until = numbers.try_one(tx, name, at)
            if until is None:
                return None
            trials.append((name, until))
    return tuple(trials)


def _postpone(tx: WriteTx, message_id: str, placed: Placed) -> None:
    """Queued: due now, or when its pair may again. Waiting: due when its own process must have failed."""
    due_at = placed.at
    if placed.kind == "waiting":
        due_at = placed.slot + GRACE
    elif placed.why == "pair":
        due_at = placed.slot
    values: dict[str, Any] = {"id": message_id, "due_at": due_at}
    tx.run(text("UPDATE sends SET due_at = :due_at WHERE message_id = :id AND state = 'queued'"), values)


def _again_in(placed: Placed) -> float | None:
    return max(placed.slot - placed.at, 0.0) if placed.slot else None
