"""`webhooks` on PostgreSQL lies in one partition a day, so that old bodies go by dropping a table.

A default partition is the net under a forgotten day. On SQLite the table is plain and all this is a no-op.
"""

from datetime import UTC, datetime

from sqlalchemy import text

from store.database import ReadTx, WriteTx

DAY = 86_400
DAYS_AHEAD = 7
LOCK_WAIT = "1s"  # the door waits no longer than this for new partitions
LOCK = 0x57414D50  # 'WAMP': one maker of partitions at a time


def is_ours(name: str | None, kind: str) -> bool:
    """Whether the models describe this thing; partitions are made by the day and stand in no model."""
    return not (kind == "table" and name is not None and name.startswith("webhooks_"))


def partition_name(day: int) -> str:
    return f"webhooks_{datetime.fromtimestamp(day * DAY, UTC):%Y%m%d}"


def statements(first_day: int, days: int) -> list[str]:
    """What makes the partitions of `days` days from `first_day` (days since 1970) on."""
    return [
        f"CREATE TABLE IF NOT EXISTS {partition_name(day)} PARTITION OF webhooks"
        f" FOR VALUES FROM ({day * DAY}) TO ({(day + 1) * DAY})"
        for day in range(first_day, first_day + days)
    ]


def ensure_ahead(tx: WriteTx, now: float) -> int:
    """Make the partitions of today and the coming days; how many are new.

    A day whose rows already went to the default partition keeps living there: PostgreSQL would refuse to
    make its partition, so it is left out.
    """
    if not tx.postgres:
        return 0
    tx.run(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
    days = range(int(now // DAY), int(now // DAY) + DAYS_AHEAD)
    missing = [day for day in days if not _is_there(tx, day)]
    if not missing:
        return 0
    # Making one takes this lock anyway. Taken before the look at the default partition, nothing slips into it
    # in between; and whoever reads `webhooks` for long must not make the door wait behind us.
    tx.run(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
    tx.run(text("LOCK TABLE webhooks IN ACCESS EXCLUSIVE MODE"))
    makeable = [day for day in missing if not _in_default(tx, day)]
    for day in makeable:
        tx.run(text(statements(day, 1)[0]))
    return len(makeable)


def _is_there(tx: WriteTx, day: int) -> bool:
    return tx.value(text("SELECT to_regclass(:name)"), {"name": partition_name(day)}) is not None


def days_ahead(tx: ReadTx, now: float) -> int:
    """How many days from today on have a partition; DAYS_AHEAD on SQLite, which needs none."""
    if not tx.postgres:
        return DAYS_AHEAD
    first = int(now // DAY)
    names = [partition_name(day) for day in range(first, first + DAYS_AHEAD)]
    there = text(
        "SELECT count(*) FROM unnest(CAST(:names AS text[])) AS name WHERE to_regclass(name) IS NOT NULL"
    )
    return int(tx.value(there, {"names": names}))


def _in_default(tx: WriteTx, day: int) -> bool:
    return bool(
        tx.value(
            text(
                "SELECT EXISTS (SELECT 1 FROM webhooks_default WHERE received_at >= :a AND received_at < :b)"
            ),
            {"a": day * DAY, "b": (day + 1) * DAY},
        )
    )
