"""Reading the feed: status updates and attempt outcomes in the order in which they became visible.

A cursor is the last position and, inside its batch, the last row's key; without a key the whole batch is
done. Positions become visible in their own order (see store.feed), so a reader skips and repeats nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from store import event_rows
from store.database import ReadTx, WriteTx
from store.event_rows import UPDATE_KEY, Key, Wanted
from store.lists import among, given

MOST_BATCHES = 500  # that one page looks at
_PRUNED = "feed_pruned_to"
_ERASURES = "feed_erasures"
_NOTE = (
    "INSERT INTO installation (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE"
    " SET value = excluded.value"
)


class Pruned(Exception):
    """The rows after this cursor are no longer all there, or no longer in their order."""


class Ahead(Exception):
    """This cursor stands after the newest row: the database was put back to an earlier state."""


@dataclass(frozen=True, slots=True)
class After:
    """Where a reader stands: after this row of the position's batch, or after all of it.

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
    return _noted(tx, _PRUNED)


def mark_pruned(tx: WriteTx, position: int) -> None:
    """In the transaction that prunes the feed up to here; never goes back."""
    statement = f"{_NOTE} WHERE CAST(installation.value AS BIGINT) < CAST(excluded.value AS BIGINT)"
    tx.run(text(statement), {"name": _PRUNED, "value": str(position)})


def erasures(tx: ReadTx) -> int:
    """Counts the beginnings and the ends of erasures: odd while one runs."""
    return _noted(tx, _ERASURES)


def count_erasures(tx: WriteTx, count: int) -> None:
    tx.run(text(_NOTE), {"name": _ERASURES, "value": str(count)})


def _noted(tx: ReadTx, name: str) -> int:
    return int(tx.value(text("SELECT value FROM installation WHERE name = :name"), {"name": name}) or 0)


def page(
    tx: ReadTx, after: After | None, limit: int, numbers: Sequence[str] = (), *, nameless: bool = True
) -> Page:
    """The next rows, at most `limit`; None begins at the oldest kept position. Raises Pruned, Ahead.

    `numbers`: whose rows alone are read, () is all; the end of a page goes past the others', and names none.
    `nameless`: also what belongs to no number.
    """
    begun = erasures(tx)
    found = _page(tx, after or After(pruned_to(tx)), limit, numbers, nameless)
    if after is not None:
        _check(tx, after)  # last, so that what was pruned while we read is told as well
    return replace(found, after=replace(found.after, erasures=begun))


def _check(tx: ReadTx, after: After) -> None:
    # The newest is looked up first: what is pruned between the two is then known from one of them.
    newest = int(tx.value(text("SELECT max(position) FROM feed")) or 0)
    gone = pruned_to(tx)
    if after.position - (after.key is not None) < gone or _disordered(tx, after):
        raise Pruned
    if after.position > max(newest, gone):
        raise Ahead


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
    positions = [one.position for one in taken]
    rows = event_rows.rows(
        tx, Wanted(positions, limit + 1, after.position, after.key, tuple(numbers), nameless)
    )
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
