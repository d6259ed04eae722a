"""Figures by number and day: kept in step in the background, some buckets at a time, sealed in the end.

A bucket is worked out anew from its rows and set, never added to, so late, repeated and replayed webhooks
cannot skew it. `step` is the follower's; `refresh_all` is for tests and for whoever is about to seal.
"""

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from sqlalchemy import text

from store import followers, following, rollup_dirty, rollup_marks
from store.database import Database, ReadTx, WriteTx
from store.errors import StoreError
from store.rollup_days import bounds, days_between
from store.rollup_refresh import Pace, begin, due, go_on, paced, refresh

NAME = "rollups"
MARKS = 500  # in one transaction
EVERY = 15.0  # seconds between two refreshes of a bucket, and between two looks for new sends
AT_ONCE = 4  # buckets a step


class NotRefreshed(StoreError):
    """Buckets that should be sealed are not up to date yet."""


def step(
    database: Database, zone: ZoneInfo, now: float, every: float = EVERY, pace: Pace | None = None
) -> bool:
    """Take in some news, and work out some buckets that are due; whether there was anything to do.

    With a pace, which the caller keeps from step to step: some pages of one, and none before its time.
    """
    zone = _begin(database, zone, now)
    news = _follow(database, zone, now)
    _look_for_sends(database, zone, now, every)
    if pace is not None:
        return paced(database, zone, now, every, pace) or news
    with database.read() as tx:
        wanted = due(tx, now, AT_ONCE)
    for day, number in wanted:
        refresh(database, day, number, zone, now, every)
    return news or bool(wanted)


def refresh_all(database: Database, zone: ZoneInfo, clock: Callable[[], float]) -> None:
    """Everything that is dirty by now, however young, and what waits for unfinished messages."""
    zone = _begin(database, zone, clock())
    while _follow(database, zone, clock()):
        pass
    _look_for_sends(database, zone, clock(), 0.0)
    with database.read() as tx:
        wanted = due(tx, None, None)
    for day, number in wanted:
        refresh(database, day, number, zone, clock(), EVERY)


def catch_up(database: Database, zone: ZoneInfo, clock: Callable[[], float]) -> ZoneInfo:
    """Take in the news there is by now: what it changes is dirty, or counted as late. What comes meanwhile is
    left: the feed goes on, mostly with a processor that follows it. Returns the zone in force."""
    zone = _begin(database, zone, clock())
    with database.read() as tx:
        newest = int(tx.value(text("SELECT max(position) FROM feed")) or 0)
        marks = int(tx.value(text("SELECT count(*) FROM dirty_messages")))
    while _behind(database, newest) or marks > 0:
        if not _follow(database, zone, clock()):
            break
        marks -= MARKS
    _look_for_sends(database, zone, clock(), 0.0)
    return zone


def refreshing_before(
    database: Database, day: str, zone: ZoneInfo, clock: Callable[[], float]
) -> Iterator[None]:
    """Work out everything dirty of the days before this one, for whoever is about to seal them.

    Yields after each piece of work, so that whoever asks can let others have their turn.
    """
    zone = catch_up(database, zone, clock)
    yield
    with database.read() as tx:
        wanted = [place for place in due(tx, None, None) if place[0] < day]
    for each, number in wanted:
        work = begin(database, each, number, zone, clock())
        while work is not None and not go_on(database, work, clock(), EVERY):
            yield


def _behind(database: Database, position: int) -> bool:
    with database.read() as tx:
        return followers.position(tx, NAME) < position


def seal(tx: WriteTx, before_day: str) -> None:
    """From now on the buckets of days before this one never change. Raises NotRefreshed when some are old.

    Call it after `refreshing_before`, before any of their rows go.
    """
    known = rollup_dirty.locked(tx)
    if known is None:
        raise NotRefreshed(
            "Reports were never worked out here; leave `wamtrail run processor` on for a while."
        )
    if before_day <= known.sealed_before:
        return
    start = bounds(before_day, ZoneInfo(known.zone))[0]
    old = tx.value(
        text("SELECT 1 FROM dirty_buckets WHERE day < :day AND waiting = 0 LIMIT 1"), {"day": before_day}
    )
    if old or known.sends_through < start or rollup_dirty.unread(tx, followers.position(tx, NAME), start):
        raise NotRefreshed("The reports of those days are not up to date yet; try again in a minute.")
    tx.run(text("DELETE FROM dirty_buckets WHERE day < :day"), {"day": before_day})
    tx.run(text("UPDATE report_state SET sealed_before = :day WHERE name = ''"), {"day": before_day})


def zone_in_force(tx: ReadTx, wanted: ZoneInfo) -> ZoneInfo:
    """`wanted`, until a day is sealed in another: its hours would be lost or counted twice."""
    known = rollup_dirty.state(tx)
    return wanted if known is None or not known.sealed_before else ZoneInfo(known.zone)


def _begin(database: Database, wanted: ZoneInfo, now: float) -> ZoneInfo:
    """The first time, and when the zone is another: mark every bucket. Returns the zone that is in force."""
    with database.read() as tx:
        zone = zone_in_force(tx, wanted)
        known = rollup_dirty.state(tx)
        if known is not None and known.zone == zone.key:
            return zone
        spans = tx.all(
            text(
                "SELECT phone_number_id AS number, min(queued_at) AS first, max(queued_at) AS last FROM sends"
                " GROUP BY 1 UNION ALL SELECT phone_number_id, min(seen_at), max(seen_at)"
                " FROM report_strangers GROUP BY 1"
            )
        )
    with database.write() as tx:
        tx.run(
            text(
                "INSERT INTO report_state (name, zone, sends_through, sealed_before)"
                " VALUES ('', '', :now, '') ON CONFLICT (name) DO NOTHING"
            ),
            {"now": now - rollup_dirty.OVERLAP},
        )
        known = rollup_dirty.locked(tx)
        zone = zone_in_force(tx, wanted)  # somebody may have sealed in between
        if known is None or known.zone == zone.key:
            return zone
        tx.run(text("UPDATE report_state SET zone = :zone WHERE name = ''"), {"zone": zone.key})
        for table in ("report_buckets", "report_costs", "report_latency", "report_days", "dirty_buckets"):
            tx.run(text(f"DELETE FROM {table}"))
        noon = 12 * 3600
        places = {
            (row.number, bounds(day, zone)[0] + noon)
            for row in spans
            for day in days_between(row.first, row.last, zone)
        }
        rollup_dirty.mark(tx, places, zone, now)
    return zone


def _follow(database: Database, zone: ZoneInfo, now: float) -> bool:
    """The next news of the feed, and the marks."""

    def write(tx: WriteTx, seen: tuple[list[str], list[object]]) -> None:
        rollup_dirty.take_in(tx, seen[0], seen[1], zone, now)

    news = following.step(
        database, NAME, lambda tx, wamids: (list(wamids), list(rollup_dirty.look(tx, wamids))), write
    )
    with database.read() as tx:
        if tx.value(text("SELECT 1 FROM dirty_messages LIMIT 1")) is None:
            return news
    with database.write() as tx:
        wamids = rollup_marks.take(tx, MARKS)
        rollup_dirty.take_in(tx, wamids, rollup_dirty.look(tx, wamids), zone, now)
    return news or bool(wamids)


def _look_for_sends(database: Database, zone: ZoneInfo, now: float, every: float) -> None:
    """Mark the buckets of what was taken in lately; the feed is told of it only when it was accepted."""
    with database.read() as tx:
        known = rollup_dirty.state(tx)
        if known is None or now - rollup_dirty.OVERLAP - known.sends_through < every:
            return
        places = rollup_dirty.new_sends(tx, known.sends_through)
    with database.write() as tx:
        rollup_dirty.mark(tx, places, zone, now)
        tx.run(
            text(
                "UPDATE report_state SET sends_through = :through WHERE name = ''"
                " AND sends_through < :through"
            ),
            {"through": now - rollup_dirty.OVERLAP},
        )
