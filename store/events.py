"""Reading the feed: status updates and attempt outcomes in the order in which they became visible.

A cursor is the last position and, inside its batch, the last row's key; without a key the whole batch is
done. Positions become visible in their own order (see store.feed), so a reader skips and repeats nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from store.database import ReadTx, WriteTx
from store.lists import among, given

MOST_BATCHES = 500  # that one page looks at
_PRUNED = "feed_pruned_to"
_ERASURES = "feed_erasures"
UPDATE_KEY = ("wamid", "participant", "status", "occurred_at", "error_codes")
ATTEMPT_KEY = ("message_id", "number")
_UPDATES = (
    "SELECT f.position, u.*, s.message_id, s.reference, coalesce(s.phone_number_id, u.phone_number_id)"
    " AS sent_from, coalesce(s.queued_at, m.first_seen_at) AS queued_at"
    " FROM feed AS f JOIN status_updates AS u ON u.batch = f.batch"
    " LEFT JOIN sends AS s ON s.wamid = u.wamid LEFT JOIN messages AS m ON m.wamid = u.wamid"
)
_ATTEMPTS = (
    "SELECT f.position, o.message_id, o.number, o.ended_at, o.outcome, o.http_status, o.error, f.stamped_at,"
    " s.wamid, s.reference, s.phone_number_id AS sent_from, s.queued_at FROM feed AS f"
    " JOIN attempt_outcomes AS o ON o.batch = f.batch LEFT JOIN sends AS s ON s.message_id = o.message_id"
)
Key = tuple[str | int, ...]


class Pruned(Exception):
    """The rows after this cursor are no longer all there, or no longer in their order."""


@dataclass(frozen=True, slots=True)
class After:
    """Where a reader stands. Keys of updates and attempts differ in length; updates come first.

    `erasures` as counted when the page was read: an erasure changes keys, and so their order in a batch.
    """

    position: int
    key: Key | None = None
    erasures: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    updates_and_attempts: tuple[dict[str, Any], ...]
    after: After
    more: bool


def pruned_to(tx: ReadTx) -> int:
    """Every position up to this one may be gone; 0 when none is."""
    return int(tx.value(text("SELECT value FROM installation WHERE name = :name"), {"name": _PRUNED}) or 0)


def mark_pruned(tx: WriteTx, position: int) -> None:
    """In the transaction that prunes the feed up to here; never goes back."""
    statement = (
        "INSERT INTO installation (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE"
        " SET value = excluded.value"
        " WHERE CAST(installation.value AS BIGINT) < CAST(excluded.value AS BIGINT)"
    )
    tx.run(text(statement), {"name": _PRUNED, "value": str(position)})


def erasures(tx: ReadTx) -> int:
    """Counts the beginnings and the ends of erasures: odd while one runs."""
    return int(tx.value(text("SELECT value FROM installation WHERE name = :name"), {"name": _ERASURES}) or 0)


def count_erasures(tx: WriteTx, count: int) -> None:
    statement = (
        "INSERT INTO installation (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE"
        " SET value = excluded.value"
    )
    tx.run(text(statement), {"name": _ERASURES, "value": str(count)})


def page(
    tx: ReadTx, after: After | None, limit: int, numbers: Sequence[str] = (), *, nameless: bool = True
) -> Page:
    """The next rows, at most `limit`; None begins at the oldest kept position. Raises Pruned.

    `numbers`: whose rows alone are read, () is all; the end of a page goes past the others', and names none.
    `nameless`: also what belongs to no number.
    """
    begun = erasures(tx)
    found = _page(tx, after or After(pruned_to(tx)), limit, numbers, nameless)
    # Looked at last: what was pruned while we read is told as well.
    if after is not None and after.position - (after.key is not None) < pruned_to(tx):
        raise Pruned
    if after is not None and _disordered(tx, after):
        raise Pruned
    return replace(found, after=replace(found.after, erasures=begun))


def _disordered(tx: ReadTx, after: After) -> bool:
    """It stands inside a batch, and an erasure has changed keys of that batch since, or may just do so."""
    if after.key is None or len(after.key) != len(UPDATE_KEY):
        return False
    now = erasures(tx)
    if now == after.erasures and now % 2 == 0:
        return False
    statement = (
        "SELECT 1 FROM feed AS f JOIN status_updates AS u ON u.batch = f.batch WHERE f.position = :position"
        " AND (u.wamid LIKE 'erased-%' OR u.participant LIKE '%erased%') LIMIT 1"
    )
    return tx.value(text(statement), {"position": after.position}) is not None


def _page(tx: ReadTx, after: After, limit: int, numbers: Sequence[str], nameless: bool) -> Page:
    begun = after.position - (after.key is not None)
    feed = tx.all(
        text("SELECT position, batch FROM feed WHERE position > :begun ORDER BY position LIMIT :most"),
        {"begun": begun, "most": MOST_BATCHES},
    )
    taken = _enough(tx, feed, limit, after)
    rows = _rows(tx, [one.position for one in taken], after, limit + 1, numbers, nameless)
    if len(rows) > limit:
        last = rows[limit - 1]
        return Page(tuple(rows[:limit]), After(last["position"], last["key"]), more=True)
    end = After(int(taken[-1].position)) if taken else after
    more = len(taken) < len(feed) or len(feed) == MOST_BATCHES
    return Page(tuple(rows), end, more)


def _enough(tx: ReadTx, feed: Any, limit: int, after: After) -> list[Any]:
    """The first batches that hold the page together, the begun one not counted."""
    parameters = {"batches": given(tx, [one.batch for one in feed])}
    sizes: dict[int, int] = {}
    for table in ("status_updates", "attempt_outcomes"):
        statement = (
            f"SELECT batch, count(*) AS n FROM {table} WHERE batch {among(tx, 'batches')} GROUP BY batch"
        )
        for row in tx.all(text(statement), parameters):
            sizes[row.batch] = sizes.get(row.batch, 0) + row.n
    taken, held = [], 0
    for one in feed:
        taken.append(one)
        held += 0 if one.position == after.position else sizes.get(one.batch, 0)
        if held > limit:
            break
    return taken


def _rows(
    tx: ReadTx, positions: list[int], after: After, most: int, numbers: Sequence[str], nameless: bool
) -> list[dict[str, Any]]:
    found = []
    limited = {"numbers": given(tx, numbers)} if numbers else {}
    for kind, select, alias, names, number in (
        ("status", _UPDATES, "u", UPDATE_KEY, "coalesce(s.phone_number_id, u.phone_number_id)"),
        ("attempt", _ATTEMPTS, "o", ATTEMPT_KEY, "s.phone_number_id"),
    ):
        columns = ", ".join(f"{alias}.{name}" for name in names)
        parameters = {"positions": given(tx, positions), "most": most, "begun": after.position, **limited}
        past, mine = "", "" if nameless else f" AND {number} IS NOT NULL"
        if numbers:
            mine = f" AND {number} {among(tx, 'numbers')}"
        if after.key is not None and len(after.key) == len(names):
            past = f" AND (f.position > :begun OR ({columns}) > ({', '.join(f':{one}' for one in names)}))"
            parameters |= dict(zip(names, after.key, strict=True))
        elif after.key is not None and kind == "status":
            past = " AND f.position > :begun"  # it stands among the attempts: the updates are done
        where = f" WHERE f.position {among(tx, 'positions')}{past}{mine}"
        where += f" ORDER BY f.position, {columns} LIMIT :most"
        for row in tx.all(text(select + where), parameters):
            one = dict(row._mapping)
            found.append({**one, "kind": kind, "key": tuple(one[name] for name in names)})
    return sorted(found, key=lambda one: one["position"])[:most]  # stable: updates before attempts
