"""From what webhooks said to rows: one transaction, one statement a table, in the lock order."""

from collections.abc import Sequence
from dataclasses import dataclass

from store import (
    aged,
    backlog,
    extras,
    feed,
    numbers,
    senders_columns,
    settle,
    suppressions,
    templates,
    updates,
)
from store.database import WriteTx
from store.fold import COLUMNS, PARTICIPANT_COLUMNS, Fold
from store.fold_sql import MERGE_MESSAGES, MERGE_PARTICIPANTS
from store.records import Parsed
from store.retention_ages import MessageAge
from store.updates import Heard, Key


@dataclass(frozen=True, slots=True)
class Understood:
    """A kept webhook after parsing."""

    webhook_id: int
    received_at: float
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class Applied:
    """What one transaction did; `updates` - `new` were repeats."""

    webhooks: int
    updates: int
    new: int
    settled: int
    inbound: int
    events: int
    quarantined: int
    too_old: aged.Count


def apply(
    tx: WriteTx,
    understood: Sequence[Understood],
    now: float,
    *,
    keep_content: bool = False,
    age: MessageAge | None = None,
) -> Applied:
    """Write all that these webhooks said and take them off the backlog. `age`: of message rows;
    what is older makes none."""
    said = [
        Heard(update, one.received_at, one.webhook_id) for one in understood for update in one.parsed.updates
    ]
    by_key, repeats = updates.merged(said)
    settled = settle.settle(tx, settle.claims_of(by_key), now, keep_payload=keep_content)
    bound = aged.oldest(now, age)
    if gone := aged.without_row(tx, by_key, settled, bound):
        by_key = {key: one for key, one in by_key.items() if key[0] not in gone}
    write_folds(tx, by_key)
    senders_columns.copy(tx, settled)
    batch = feed.next_batch(tx)
    new = updates.insert(tx, by_key, batch)
    updates.remember_repeats(tx, repeats)
    old = aged.old_inbound(tx, [one.parsed for one in understood], bound)
    inbound, events, quarantined = write_extras(tx, understood, keep_content=keep_content, without=old)
    too_old = aged.note(tx, said, gone, ((one.webhook_id, one.parsed) for one in understood), old)
    numbers.learn(tx, (said for one in understood for said in one.parsed.numbers))
    backlog.done(tx, [one.webhook_id for one in understood])
    if new:
        feed.stamp(tx, batch, now)
    return Applied(len(understood), len(said), new, len(settled), inbound, events, quarantined, too_old)


def write_folds(tx: WriteTx, by_key: dict[Key, Heard]) -> None:
    """Merge these updates into the rows of their messages and participants."""
    messages: dict[str, Fold] = {}
    participants: dict[tuple[str, str], Fold] = {}
    for one in by_key.values():
        update = one.update
        if (message := messages.get(update.wamid)) is None:
            message = messages[update.wamid] = Fold()
        message.absorb(update, one.received_at)
        if update.participant:
            key = (update.wamid, update.participant)
            if (participant := participants.get(key)) is None:
                participant = participants[key] = Fold()
            participant.absorb(update, one.received_at)
    MERGE_MESSAGES.run(tx, [(wamid, *messages[wamid].row(COLUMNS)) for wamid in sorted(messages)])
    MERGE_PARTICIPANTS.run(
        tx, [(*key, *participants[key].row(PARTICIPANT_COLUMNS)) for key in sorted(participants)]
    )


def write_extras(
    tx: WriteTx, understood: Sequence[Understood], *, keep_content: bool, without: set[str]
) -> tuple[int, int, int]:
    """Inbound messages, account events and quarantine, and how many rows of each were written; then what
    people and Meta said about opt-outs and templates, where the newest word counts however often it is heard.
    `without`: inbound messages that are too old for a row.
    """
    sourced = [(aged.left_out(one.parsed, without), (one.received_at, one.webhook_id)) for one in understood]
    written = (
        extras.write_inbound(
            tx,
            ((item, source) for parsed, source in sourced for item in parsed.inbound),
            keep_content=keep_content,
        ),
        extras.write_events(tx, ((item, source) for parsed, source in sourced for item in parsed.events)),
        extras.write_quarantine(
            tx, ((item, source) for parsed, source in sourced for item in parsed.quarantined)
        ),
    )
    suppressions.record(tx, (said for one in understood for said in one.parsed.preferences))
    templates.record(tx, (said for one in understood for said in one.parsed.templates))
    return written
