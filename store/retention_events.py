"""The feed's positions, account events and the receiver's minutes past their age.

The feed goes no further than its slowest follower has come, and what went is marked, so that whoever asks for
it is told (store/events.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store import events, ledger, open_messages, rollups, search_follow
from store.database import ReadTx, WriteTx
from store.lists import among, given
from store.retention_sweeps import Looked, Sweep, along

FOLLOWERS = (open_messages.NAME, search_follow.NAME, rollups.NAME)
BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Slowest:
    """Who has read the feed least far."""

    name: str
    position: int


def slowest(tx: ReadTx) -> Slowest:
    """Of those that every installation has, even before their first step, and the account's charges."""
    known = {row.name: int(row.position) for row in tx.all(text("SELECT name, position FROM followers"))}
    every = {**dict.fromkeys(FOLLOWERS, 0), **known}
    account = ledger.peek(tx)
    if account is not None:
        every[BALANCE] = account.feed_position
    name = min(every, key=lambda one: (every[one], one))
    return Slowest(name, every[name])


def behind(tx: ReadTx, until: float) -> str | None:
    """Why old positions stay, in one sentence."""
    found = slowest(tx)
    row = tx.first(
        text("SELECT stamped_at FROM feed WHERE position > :position ORDER BY position LIMIT 1"),
        {"position": found.position},
    )
    if row is None or row.stamped_at >= until:
        return None
    if found.name == BALANCE:
        return (
            "The account's charges are behind, so old events and their messages stay: set"
            " WAMTRAIL_BALANCE=on and leave `wamtrail run sender` on for a while."
        )
    return (
        f"The follower `{found.name}` is behind, so old events and their messages stay:"
        " leave `wamtrail run processor` on for a while."
    )


def feed(until: float) -> Sweep:
    """Keys are positions, ascending and without a gap from the oldest on."""

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        values = {"after": after or 0, "least": slowest(tx).position, "most": most}
        rows = tx.all(
            text(
                "SELECT position, stamped_at FROM feed WHERE position > :after AND position <= :least"
                " ORDER BY position LIMIT :most"
            ),
            values,
        )
        last = max((row.position for row in rows if row.stamped_at < until), default=None)
        if last is None:
            return [], None
        return [row.position for row in rows if row.position <= last], rows[-1].position

    def remove(tx: WriteTx, positions: Sequence[int]) -> int:
        events.mark_pruned(tx, max(positions))
        statement = text("DELETE FROM feed WHERE position <= :last")
        return tx.run(statement, {"last": max(positions)})

    return Sweep("feed positions", look, remove)


def account_events(until: float) -> Sweep:
    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        rows, more = along(tx, "account_events", "field", "received_at", "digest", until, after, most, b"")
        return [bytes(row.key) for row in rows], more

    def remove(tx: WriteTx, digests: Sequence[bytes]) -> int:
        statement = text("DELETE FROM account_events WHERE digest = :digest AND received_at < :until")
        return sum(tx.run(statement, {"digest": digest, "until": until}) for digest in sorted(digests))

    return Sweep("account events", look, remove)


def minutes(until: float) -> Sweep:
    """Keys are minutes, one for each of their rows."""

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        statement = (
            "SELECT minute, process, endpoint, phone_number_id FROM receiver_minutes"
            " WHERE (minute, process, endpoint, phone_number_id) > (:minute, :process, :endpoint, :number)"
            " AND minute < :until ORDER BY minute, process, endpoint, phone_number_id LIMIT :most"
        )
        begun = dict(zip(("minute", "process", "endpoint", "number"), after or (-1, "", "", ""), strict=True))
        rows = tx.all(text(statement), {**begun, "until": int(until // 60), "most": most})
        return [row.minute for row in rows], tuple(rows[-1]) if len(rows) == most else None

    def remove(tx: WriteTx, keys: Sequence[int]) -> int:
        statement = f"DELETE FROM receiver_minutes WHERE minute {among(tx, 'minutes')}"
        return tx.run(text(statement), {"minutes": given(tx, sorted(set(keys)))})

    return Sweep("receiver minutes", look, remove)
