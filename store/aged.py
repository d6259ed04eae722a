"""What is older than the age of message rows never makes a row; what has one already still folds.

A row that retention took away would come back otherwise: by a late status, a late repeat or a replay. A
message of ours is as old as the id that its statuses carry, whatever they tell; any other as old as what they
tell. Within the age nothing is changed by this, so order and repeats matter no more than before.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import text

from store.database import ReadTx, WriteTx
from store.lists import among, given
from store.records import InboundMessage, Parsed
from store.retention_ages import MessageAge
from store.updates import Heard, Key
from whatsapp import callback_data

BEGUN = "messages_go_by_age"  # in `installation`
_NOTE = text(
    "INSERT INTO too_old (webhook_id, statuses, inbound) VALUES (:id, :statuses, :inbound)"
    " ON CONFLICT (webhook_id) DO UPDATE SET statuses = excluded.statuses, inbound = excluded.inbound"
)


@dataclass(frozen=True, slots=True)
class Oldest:
    """`at`: what happened before makes no row; `message_id`: smaller ids of ours are of older messages;
    `at_once`: see MessageAge."""

    at: float
    message_id: str
    at_once: bool = True


def oldest(now: float, age: MessageAge | None) -> Oldest | None:
    """None: message rows are kept forever."""
    if age is None:
        return None
    at = now - age.seconds
    return Oldest(at, id_at(at), age.at_once)


def begin(tx: WriteTx) -> None:
    """Messages are about to go by their age for the first time, or again."""
    tx.run(
        text("INSERT INTO installation (name, value) VALUES (:name, '') ON CONFLICT (name) DO NOTHING"),
        {"name": BEGUN},
    )


def _in_force(tx: ReadTx, bound: Oldest) -> bool:
    return bound.at_once or bool(
        tx.value(text("SELECT 1 FROM installation WHERE name = :name"), {"name": BEGUN})
    )


def id_at(at: float) -> str:
    """What every id made at this moment or later is greater than: ids sort by their time."""
    digits = f"{max(0, int(at * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:]}-"


def without_row(
    tx: WriteTx, by_key: Mapping[Key, Heard], settled: Sequence[str], bound: Oldest | None
) -> set[str]:
    """The messages among these updates that are too old and have no row, so that they get none.

    Call it after the sends are locked and before anything is written to `messages`: it locks those rows that
    are there, so that retention does not take one away while an update is folded into it.
    """
    if bound is None:
        return set()
    asked = sorted(_old(by_key.values(), bound))
    if not asked or not _in_force(tx, bound):
        return set()
    lock = " ORDER BY wamid FOR UPDATE" if tx.postgres else ""
    there = f"SELECT wamid FROM messages WHERE wamid {among(tx, 'wamids')}{lock}"
    known = {row.wamid for row in tx.all(text(there), {"wamids": given(tx, asked)})}
    if settled:
        ours = f"SELECT wamid FROM sends WHERE message_id {among(tx, 'ids')}"
        known |= {row.wamid for row in tx.all(text(ours), {"ids": given(tx, sorted(settled))})}
    return set(asked) - known


def _old(heard: Collection[Heard], bound: Oldest) -> set[str]:
    """Messages that are too old. In memory and quick, for all but very few updates are young."""
    at, smallest = bound.at, bound.message_id
    old: set[str] = set()
    ours: set[str] = set()
    for one in heard:
        update = one.update
        if update.occurred_at < at:
            old.add(update.wamid)
        # By its first signs first: few values are smaller, and those are looked at more closely.
        if (said := update.callback_data) is not None and said < smallest and _is_old(said, bound):
            ours.add(update.wamid)
    if old - ours:  # something young makes the whole message young
        old -= {one.update.wamid for one in heard if one.update.occurred_at >= at}
    return old | ours


def _is_old(said: str, bound: Oldest) -> bool:
    message_id, _ = callback_data.split(said)
    return message_id is not None and message_id < bound.message_id


def old_inbound(tx: WriteTx, parsed: Sequence[Parsed], bound: Oldest | None) -> set[str]:
    """The same for what people wrote: wamids that are too old and have no row."""
    if bound is None:
        return set()
    asked = sorted({one.wamid for each in parsed for one in each.inbound if one.occurred_at < bound.at})
    if not asked or not _in_force(tx, bound):
        return set()
    lock = " ORDER BY wamid FOR UPDATE" if tx.postgres else ""
    there = f"SELECT wamid FROM inbound_messages WHERE wamid {among(tx, 'wamids')}{lock}"
    return set(asked) - {row.wamid for row in tx.all(text(there), {"wamids": given(tx, asked)})}


def left_out(parsed: Parsed, old: set[str]) -> Parsed:
    """Without these inbound messages."""
    if not old or not any(one.wamid in old for one in parsed.inbound):
        return parsed
    kept: tuple[InboundMessage, ...] = tuple(one for one in parsed.inbound if one.wamid not in old)
    return replace(parsed, inbound=kept)


@dataclass(frozen=True, slots=True)
class Count:
    """What made no row: statuses and inbound messages, copies counted as well."""

    statuses: int = 0
    inbound: int = 0


def note(
    tx: WriteTx, said: Iterable[Heard], wamids: set[str], inbound: Iterable[tuple[int, Parsed]], old: set[str]
) -> Count:
    """Write down how much of each webhook made no row; how much that was in all."""
    if not wamids and not old:
        return Count()
    statuses = Counter(one.webhook_id for one in said if one.update.wamid in wamids)
    written: Counter[int] = Counter()
    for webhook_id, parsed in inbound:
        written[webhook_id] += sum(one.wamid in old for one in parsed.inbound)
    rows = [
        {"id": webhook_id, "statuses": statuses[webhook_id], "inbound": written[webhook_id]}
        for webhook_id in sorted({*statuses, *written})
        if statuses[webhook_id] or written[webhook_id]
    ]
    tx.run(_NOTE, rows)
    return Count(statuses.total(), written.total())


def noted(tx: ReadTx, most: int = 10_000) -> int:
    """How much of all kept webhooks made no row; of so many webhooks at most."""
    statement = (
        "SELECT coalesce(sum(n), 0) FROM (SELECT statuses + inbound AS n FROM too_old LIMIT :most) AS each"
    )
    return int(tx.value(text(statement), {"most": most}) or 0)


def forget(tx: WriteTx, webhook_ids: Sequence[int]) -> None:
    """What was noted of these webhooks, which are heard again or gone."""
    statement = f"DELETE FROM too_old WHERE webhook_id {among(tx, 'ids')}"
    tx.run(text(statement), {"ids": given(tx, list(webhook_ids))})
