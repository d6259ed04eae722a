"""The worker's claims: from each number what it may send within the next moment, urgent before bulk.

A number that is held, slow or out of slots is passed over, so it never stands in front of others. What its
recipient's limit does not allow yet is put off to its own moment. One short transaction: sends, then holds,
then rate cells, then the balance.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, text

from store import affording, bulk_claims, numbers, placing, rates
from store.database import ReadTx, WriteTx
from store.ledger import Budget
from store.outcomes import TOO_LATE, Claim
from store.placing import OverLimit, Placed, Trials, claim_one, submit_claimed
from store.rates import MICRO, Limits, Pace

__all__ = ["Claimed", "Claims", "Hunt", "OverLimit", "Placed", "claim_due", "claim_one", "submit_claimed"]
__all__ += ["due_numbers", "refuse_expired"]

PRIORITIES = (0, 1)  # transactional, bulk; after them the rows of bulk runs
_MORE, _LEAST = 4, 20  # rows looked at beyond the free slots, and at least: put-off ones are passed quickly


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message to be posted at `slot` (Unix seconds of the database's clock), and not much later."""

    message_id: str
    phone_number_id: str
    payload: bytes
    attempt: int
    claim: Claim
    slot: float
    expires_at: float
    trials: Trials = ()


@dataclass(frozen=True, slots=True)
class Claims:
    """What one claim found, `at` a time of the database's clock. `put_off`: by their recipient's limit."""

    claimed: tuple[Claimed, ...]
    at: float
    put_off: int = 0
    expired: int = 0
    unpaid: int = 0  # refused, because the balance is not enough for them


@dataclass(frozen=True, slots=True)
class Hunt:
    """What a claim may take: `room` messages at most, with slots within `horizon` seconds."""

    claim_id: str
    lease: float  # seconds from the claim
    room: int
    limits: Limits
    horizon: float = 0.05
    keep_payload: bool = False
    lead: float = 0.0  # seconds from the decision until it can be acted on: a slow commit's time
    budget: Budget | None = None  # None: the balance is not asked
    late: Mapping[str, int] = field(default_factory=dict)  # of a number: messages that left after their slots


# The loose index scan: one probe a number, however many rows it has. Each probe asks for the first in the
# order of `ix_sends_due`: for a mere minimum or EXISTS PostgreSQL may choose another index or the table when
# much is queued, and then walks over all that was ever sent.
_IN_ORDER = "ORDER BY phone_number_id, priority, due_at LIMIT 1"
_DUE = (
    "WITH RECURSIVE queue(number) AS ("
    f" SELECT (SELECT phone_number_id FROM sends WHERE state = 'queued' {_IN_ORDER})"
    " UNION ALL SELECT (SELECT phone_number_id FROM sends"
    f"  WHERE state = 'queued' AND phone_number_id > queue.number {_IN_ORDER})"
    " FROM queue WHERE queue.number IS NOT NULL)"
    " SELECT number, :now AS at FROM queue WHERE number IS NOT NULL AND ("
    + " OR ".join(
        "(SELECT due_at FROM sends WHERE state = 'queued' AND phone_number_id = queue.number"
        f" AND priority = {priority} ORDER BY due_at LIMIT 1) <= :now"
        for priority in PRIORITIES
    )
    + f" OR {bulk_claims.DUE})"
)
_DUE_SQLITE = text(_DUE)
_DUE_POSTGRES = text(
    _DUE.replace("RECURSIVE", f"RECURSIVE clock(at) AS MATERIALIZED (SELECT {rates.CLOCK} / 1e6),").replace(
        ":now", "(SELECT at FROM clock)"
    )
)
_ROWS = (
    "SELECT message_id, phone_number_id, recipient, payload, attempts, expires_at FROM sends"
    " WHERE state = 'queued' AND phone_number_id = :number AND priority = :priority AND due_at <= :now"
    " ORDER BY due_at LIMIT :most"
)
_ROWS_SQLITE, _ROWS_POSTGRES = text(_ROWS), text(f"{_ROWS} FOR UPDATE SKIP LOCKED")


def due_numbers(tx: ReadTx, now: float) -> list[str]:
    """The numbers that have something to send now, held or not."""
    return [row.number for row in _due(tx, now)]


def _due(tx: ReadTx, now: float) -> Sequence[Row[Any]]:
    """They (`number`), and `at`: when this was, by the database's clock."""
    return tx.all(_DUE_POSTGRES) if tx.postgres else tx.all(_DUE_SQLITE, {"now": now})


def claim_due(tx: WriteTx, now: float, hunt: Hunt, *, after: str = "") -> Claims:
    """Claim what may leave within the horizon. `after`: the number served last."""
    found = _due(tx, now)
    at = float(found[0].at) if found else now
    due = sorted(row.number for row in found)
    standing = numbers.standing(tx, [*due, numbers.ACCOUNT])
    account = standing[numbers.ACCOUNT]
    free = [number for number in due if not standing[number].paused(at)]
    if not free or hunt.room < 1 or account.paused(at):
        return Claims((), at)
    turns = [number for number in free if number > after] + [number for number in free if number <= after]
    rows, shares = _lock_rows(tx, turns, standing, at, hunt)
    if not rows:
        return Claims((), at)
    expired = [row.message_id for row in rows if row.expires_at <= at]
    alive = [row for row in rows if row.expires_at > at]
    slots, put_off = _assign(tx, alive, shares, standing, now, at, hunt)
    unpaid = affording.unaffordable(tx, hunt.budget, [row.message_id for row, _, _ in slots], at)
    slots = [one for one in slots if one[0].message_id not in unpaid]
    claim = Claim(hunt.claim_id, at + hunt.horizon + hunt.lease)
    placing.take(tx, [(row.message_id, row.attempts + 1) for row, _, _ in slots], claim, at)
    _put_off(tx, put_off)
    placing.refuse(tx, expired, at, TOO_LATE, keep_payload=hunt.keep_payload)
    for message_id, error in sorted(unpaid.items()):
        placing.refuse(tx, [message_id], at, error, keep_payload=hunt.keep_payload)
    claimed = tuple(_claimed(row, slot, trials, claim) for row, slot, trials in slots)
    return Claims(claimed, at, len(put_off), len(expired), len(unpaid))


def refuse_expired(tx: WriteTx, now: float, *, most: int = 500, keep_payload: bool = False) -> int:
    """Refuse what expired while its number was held; what is not held is found by the claims."""
    at = rates.clock(tx, now) / MICRO
    lock = " FOR UPDATE SKIP LOCKED" if tx.postgres else ""
    query = text(
        "SELECT message_id FROM sends WHERE state = 'queued' AND expires_at <= :now"
        f" LIMIT :most{lock}"  # ordered by its key it would read the whole table
    )
    expired = [row.message_id for row in tx.all(query, {"now": at, "most": most})]
    placing.refuse(tx, expired, at, TOO_LATE, keep_payload=keep_payload)
    return len(expired)


def _lock_rows(
    tx: WriteTx, turns: Sequence[str], standing: dict[str, numbers.Standing], at: float, hunt: Hunt
) -> tuple[list[Row[Any]], Counter[str]]:
    """Rows that may get a slot, all urgent ones before any bulk; how many slots each number may have."""
    arrivals = rates.peek(tx, map(rates.number_key, turns))
    free = {}
    for number in turns:
        period = hunt.limits.of_number(standing[number].rate).period
        wait = max(arrivals.get(rates.number_key(number), 0) - round(at * MICRO), 0)
        free[number] = max((round((hunt.lead + hunt.horizon) * MICRO) - wait) // period + 1, 0)
        if standing[number].on_trial(at) or standing[numbers.ACCOUNT].on_trial(at):
            free[number] = min(free[number], 1)
    rows: list[Row[Any]] = []
    shares: Counter[str] = Counter()
    room = hunt.room
    for priority in (*PRIORITIES, bulk_claims.PRIORITY):
        for place, number in enumerate(turns):
            share = min(free[number], -(-room // (len(turns) - place)))
            if share < 1:
                continue
            found = _queued(tx, number, priority, at, max(share + _MORE, _LEAST))
            rows += found
            taken = min(len(found), share)
            shares[number] += taken
            free[number] -= taken
            room -= taken
    return rows, shares


def _queued(tx: WriteTx, number: str, priority: int, now: float, most: int) -> Sequence[Row[Any]]:
    if priority == bulk_claims.PRIORITY:
        return bulk_claims.rows(tx, number, now, most)
    values = {"number": number, "priority": priority, "now": now, "most": most}
    return tx.all(_ROWS_POSTGRES if tx.postgres else _ROWS_SQLITE, values)


Slot = tuple[Row[Any], int, Trials]


def _assign(
    tx: WriteTx,
    rows: Sequence[Row[Any]],
    shares: Counter[str],
    standing: dict[str, numbers.Standing],
    now: float,
    at: float,
    hunt: Hunt,
) -> tuple[list[Slot], list[tuple[str, float]]]:
    """Give slots to rows in their order; (message_id, moment) of what its recipient's limit puts off."""
    served = sorted({row.phone_number_id for row in rows})
    account = [rates.ACCOUNT] if hunt.limits.of_account else []
    trials = _try_out(tx, served, standing, at)
    before = rates.locked(tx, [*account, *map(rates.number_key, served)])
    paired, clock = rates.pairs(tx, _pair_keys(rows), now)
    before |= paired
    cells = _made_room(before, standing, hunt)
    micro = clock + round(hunt.lead * MICRO)
    last = micro + round(hunt.horizon * MICRO)
    paces = {n: Pace(hunt.limits, n, standing[n].rate, cells) for n in served}
    slots: list[Slot] = []
    put_off: list[tuple[str, float]] = []
    for row in rows:
        number = row.phone_number_id
        if trials.get(number) is None:
            continue
        slot, why = paces[number].earliest(row.recipient, micro)
        if why == "pair":
            moment = paces[number].queue_up(row.recipient, slot)
            put_off.append((row.message_id, min(moment / MICRO, row.expires_at)))
        elif slot <= last and shares[number] > 0:
            shares[number] -= 1
            paces[number].take(row.recipient, slot)
            slots.append((row, slot, trials[number] or ()))
            if trials[number]:  # one message alone tries out whether a hold is over
                trials = _spent(trials, trials[number] or ())
    rates.write(tx, before, cells)
    return slots, put_off


def _made_room(
    before: Mapping[str, int], standing: dict[str, numbers.Standing], hunt: Hunt
) -> dict[str, int]:
    """The cells, each number's a slot later for each message that left late: in the room of later ones."""
    cells = dict(before)
    for number, count in hunt.late.items():
        if (key := rates.number_key(number)) in cells:
            cells[key] += count * hunt.limits.of_number(standing[number].rate).period
    return cells


def _pair_keys(rows: Sequence[Row[Any]]) -> list[str]:
    named = [(row.phone_number_id, row.recipient) for row in rows]
    return [rates.pair_key(*one) for one in named] + [rates.line_key(*one) for one in named]


def _try_out(
    tx: WriteTx, served: Sequence[str], standing: dict[str, numbers.Standing], at: float
) -> dict[str, Trials | None]:
    """For each number the holds that its next message tries out; None when it may send nothing now."""
    account: Trials = ()
    if standing[numbers.ACCOUNT].on_trial(at):
        until = numbers.try_one(tx, numbers.ACCOUNT, at)
        if until is None:
            return {}
        account = ((numbers.ACCOUNT, until),)
        served = served[:1]
    found: dict[str, Trials | None] = {}
    for number in served:
        found[number] = account
        if standing[number].on_trial(at):
            until = numbers.try_one(tx, number, at)
            found[number] = None if until is None else (*account, (number, until))
    return found


def _spent(trials: dict[str, Trials | None], used: Trials) -> dict[str, Trials | None]:
    return {number: None if one and set(one) & set(used) else one for number, one in trials.items()}


def _put_off(tx: WriteTx, rows: Sequence[tuple[str, float]]) -> None:
    if rows:
        tx.run(
            text("UPDATE sends SET due_at = :due_at WHERE message_id = :id AND state = 'queued'"),
            [{"id": message_id, "due_at": due_at} for message_id, due_at in sorted(rows)],
        )


def _claimed(row: Row[Any], slot: int, trials: Trials, claim: Claim) -> Claimed:
    return Claimed(
        message_id=row.message_id,
        phone_number_id=row.phone_number_id,
        payload=bytes(row.payload or b""),
        attempt=row.attempts + 1,
        claim=claim,
        slot=slot / MICRO,
        expires_at=row.expires_at,
        trials=trials,
    )
