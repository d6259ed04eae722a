"""Marks of running processors: one that nobody holds any more tells of an unclean stop.

On PostgreSQL a mark is held by a session's advisory lock, which ends with its process however that ends. On
SQLite one process processes, so any mark that is found at the start is of a dead one.
"""

from sqlalchemy import Connection, text

from store.database import Database, WriteTx

LOCK_CLASS = 0x57414D52  # 'WAMR'


class Mark:
    """This processor's mark; `unclean` when it took the place of one that did not end its own."""

    def __init__(self, database: Database, owner: int, holder: Connection | None, *, unclean: bool) -> None:
        self.unclean = unclean
        self._database = database
        self._owner = owner
        self._holder = holder

    def end(self) -> None:
        try:
            with self._database.write() as tx:
                tx.run(text("DELETE FROM processor_marks WHERE owner = :owner"), {"owner": self._owner})
        finally:
            if self._holder is not None:
                self._holder.close()


def begin(database: Database, now: float) -> Mark:
    """Set a mark, and clear those of the dead."""
    holder = None if database.sqlite else database.hold()
    try:
        with database.write() as tx:
            if tx.postgres:
                tx.run(text("LOCK TABLE processor_marks IN SHARE ROW EXCLUSIVE MODE"))  # one begins at a time
            # Asked before the dead go: this transaction holds their locks, so their numbers are not free yet.
            owner = int(tx.value(text("SELECT coalesce(max(owner), 0) + 1 FROM processor_marks")))
            dead = _dead(tx)
            for one in dead:
                tx.run(text("DELETE FROM processor_marks WHERE owner = :owner"), {"owner": one})
            if holder is not None:
                holder.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK_CLASS}, {owner})")
            tx.run(
                text("INSERT INTO processor_marks (owner, started_at) VALUES (:owner, :now)"),
                {"owner": owner, "now": now},
            )
    except BaseException:
        if holder is not None:
            holder.close()
        raise
    return Mark(database, owner, holder, unclean=bool(dead))


def _dead(tx: WriteTx) -> list[int]:
    owners = [row.owner for row in tx.all(text("SELECT owner FROM processor_marks ORDER BY owner"))]
    if not tx.postgres:
        return owners
    free = text("SELECT pg_try_advisory_xact_lock(:class, :owner)")
    return [owner for owner in owners if tx.value(free, {"class": LOCK_CLASS, "owner": owner})]
