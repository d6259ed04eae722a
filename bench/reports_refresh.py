"""What it takes to work figures out: all of them for the first time, and those that new statuses touch."""

import time
from zoneinfo import ZoneInfo

from sqlalchemy import text

from store import rollups
from store.apply import Understood, apply
from store.database import Database, ReadTx
from store.records import Parsed, StatusUpdate
from store.status import STATUSES

UTC = ZoneInfo("UTC")
TABLES = ("report_buckets", "report_costs", "report_days", "dirty_buckets", "report_state")
SHARE = 10  # one in so many messages of the two latest days hears something new
AT_ONCE = 1_000
_HELD = (
    f"SELECT sum({' + '.join(f'b.{name}' for name in STATUSES)}) FROM report_buckets AS b"
    " JOIN report_days AS r ON r.day = b.day AND r.phone_number_id = b.phone_number_id"
    " WHERE r.refreshed_at >= :began"
)


def first(database: Database, *, keep: bool) -> None:
    """All buckets from nothing, unless those that are there should be kept."""
    with database.read() as tx:
        there = tx.value(text("SELECT count(*) FROM report_buckets"))
    if keep and there:
        print(f"{there:,} groups were worked out before")
        return
    with database.write() as tx:
        for table in TABLES:
            tx.run(text(f"DELETE FROM {table}"))
    took = _refreshed(database)
    with database.read() as tx:
        updates = int(tx.value(text("SELECT count(*) FROM status_updates")))
        buckets = tx.value(text("SELECT count(*) FROM report_days"))
    print(
        f"first refresh: {buckets:,} buckets of {updates:,} updates in {took:.1f} s,"
        f" {took / updates * 1e6:.1f} s per million updates",
        flush=True,
    )
    if not database.sqlite:
        with database.write() as tx:
            tx.run(text("ANALYZE report_buckets"))
            tx.run(text("ANALYZE report_costs"))


def again(database: Database) -> None:
    """`played` for some of the two latest days, in the feed; then what is dirty is worked out anew."""
    now = time.time()
    with database.read() as tx:
        rows = tx.all(
            text(
                "SELECT wamid, phone_number_id FROM sends WHERE wamid IS NOT NULL AND queued_at >="
                " (SELECT max(queued_at) FROM sends) - 172800 ORDER BY queued_at DESC"
            )
        )
    chosen = rows[::SHARE]
    updates = [
        StatusUpdate(row.wamid, "", "played", int(now), "", phone_number_id=row.phone_number_id)
        for row in chosen
    ]
    for start in range(0, len(updates), AT_ONCE):
        part = Parsed(updates=tuple(updates[start : start + AT_ONCE]))
        with database.write() as tx:
            apply(tx, [Understood(int(now) + start, now, part)], now)
    with database.write() as tx:  # those that are only looked at again for unfinished messages
        before = _refreshes(tx)
        tx.run(text("DELETE FROM dirty_buckets WHERE waiting = 1"))
    took = _refreshed(database)
    with database.read() as tx:
        buckets = _refreshes(tx) - before
        held = int(tx.value(text(_HELD), {"began": now}) or 0)
    print(
        f"refresh: {len(updates):,} new updates made {buckets} buckets dirty, worked out in {took:.1f} s,"
        f" {took / max(1, len(updates)) * 1e6:.0f} s per million updates; they hold {held:,} messages,"
        f" {took / max(1, held) * 1e6:.1f} s per million of those, however many updates there were"
    )


def _refreshed(database: Database) -> float:
    began = time.monotonic()
    rollups.refresh_all(database, UTC, time.time)
    return time.monotonic() - began


def _refreshes(tx: ReadTx) -> int:
    return int(tx.value(text("SELECT coalesce(sum(refreshes), 0) FROM report_days")))
