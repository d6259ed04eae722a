"""Whole days of webhooks on PostgreSQL: their partition is dropped once nothing of it is needed any more.

Dropping takes the table from everybody for a moment, the door included, so it waits for it very shortly and
leaves it to the next run when others hold it for long. What keeps a day from going (its backlog, its open
quarantine) keeps only its own webhooks; the others of that day go row by row, as do those in the default
partition, which always stays.
"""

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from store import partitions
from store.database import ReadTx, WriteTx, is_transient
from store.retention_bodies import left_behind, webhooks
from store.retention_sweeps import Work

LOCK_WAIT = "200ms"  # that the door waits behind us, at most
TRIES = 5
PAUSE = 1.0  # seconds between two tries
DEFAULT = "webhooks_default"
# Asked of the whole table: another run may have dropped the partition meanwhile.
_WITHIN = "received_at >= :since AND received_at < :until"


def sweep(work: Work, until: float) -> tuple[int, int]:
    """(webhooks that went or would go, days whose partition is left to the next run)."""
    until = until // partitions.DAY * partitions.DAY  # whole days: one drop instead of millions of rows
    with work.database.read() as tx:
        days = [day for day in _days(tx) if (day + 1) * partitions.DAY <= until]
    total, left = 0, 0
    for day in days:
        name, since = partitions.partition_name(day), float(day * partitions.DAY)
        with work.database.read() as tx:
            free = not _needed(tx, day)
            size = int(tx.value(text(f"SELECT count(*) FROM webhooks WHERE {_WITHIN}"), _bounds(day)))
        if not free:
            total += work.sweep(webhooks(until, name, since))
        elif work.dry or _dropped(work, day):
            total += size
        else:
            left += 1
        work.tell("webhooks", total)
    total += work.sweep(webhooks(until, DEFAULT))
    if not work.dry:
        for table, column in (
            ("webhook_repeats", "earlier_id"),
            ("webhook_repeats", "later_id"),
            ("too_old", "webhook_id"),
        ):
            work.sweep(left_behind(until, table, column))
    return total, left


def _dropped(work: Work, day: int) -> bool:
    """Whether its partition is gone; not when others use the table, or when something of it waits again."""
    with work.database.read() as tx:
        ids = tx.first(
            text(f"SELECT min(id) AS first, max(id) AS last FROM webhooks WHERE {_WITHIN}"), _bounds(day)
        )
    for _ in range(TRIES):
        try:
            with work.database.write() as tx:
                return drop(tx, day, ids)
        except DBAPIError as problem:
            if not is_transient(problem):
                raise
        work.rest(PAUSE)
    return False


def drop(tx: WriteTx, day: int, ids: Any = None) -> bool:
    """Look once more under the lock: a replay may have put something of this day back. `ids`: see _needed."""
    tx.run(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
    tx.run(text("LOCK TABLE webhooks IN ACCESS EXCLUSIVE MODE"))
    if _needed(tx, day, ids):
        return False
    tx.run(text(f"DROP TABLE IF EXISTS {partitions.partition_name(day)}"))
    return True


def _needed(tx: ReadTx, day: int, ids: Any = None) -> bool:
    """Something of this day waits, or stands in open quarantine. `ids`: of its webhooks, so that the key of
    the backlog serves, however much waits."""
    values: dict[str, Any] = _bounds(day)
    among_them = ""
    if ids is not None and ids.first is not None:
        among_them = " AND webhook_id BETWEEN :first AND :last"
        values |= {"first": ids.first, "last": ids.last}
    statement = (
        f"SELECT EXISTS (SELECT 1 FROM webhook_backlog WHERE {_WITHIN}{among_them})"
        f" OR EXISTS (SELECT 1 FROM quarantine WHERE closed_at IS NULL AND {_WITHIN})"
    )
    return bool(tx.value(text(statement), values))


def _bounds(day: int) -> dict[str, Any]:
    return {"since": float(day * partitions.DAY), "until": float((day + 1) * partitions.DAY)}


def _days(tx: ReadTx) -> list[int]:
    """Days (since 1970) that have a partition."""
    statement = text(
        "SELECT c.relname AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = to_regclass('webhooks')"
    )
    found = []
    for row in tx.all(statement):
        if (match := re.fullmatch(r"webhooks_(\d{8})", row.name)) is not None:
            at = datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC)
            found.append(int(at.timestamp() // partitions.DAY))
    return sorted(found)
