"""Which buckets are old: told by the feed, by marks on messages, and by looking for new sends.

Everything here only marks. A mark is written after what it tells of can be seen, so whoever works a bucket
out after reading its mark sees that as well. A sealed bucket is never marked: what comes is counted as late.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from store.database import ReadTx, WriteTx
from store.lists import among, given
from store.rollup_days import day_of

UNREAD = 1_000  # batches of the feed
OVERLAP = 120.0  # seconds that a send may take from its time to its commit, clocks' differences included

_MARK = text(
    "INSERT INTO dirty_buckets (day, phone_number_id, version, since, due_at, waiting)"
    " VALUES (:day, :number, 1, :now, :now, 0) ON CONFLICT (day, phone_number_id) DO UPDATE"
    " SET version = dirty_buckets.version + 1, waiting = 0,"
    " since = CASE WHEN dirty_buckets.waiting = 1 THEN excluded.since ELSE dirty_buckets.since END,"
    " due_at = CASE WHEN dirty_buckets.due_at < excluded.due_at THEN dirty_buckets.due_at"
    " ELSE excluded.due_at END"
)
_LATE = text(
    "INSERT INTO report_days (day, phone_number_id, zone, refreshed_at, not_before, refreshes,"
    " unfinished, late) VALUES (:day, :number, :zone, :now, :now, 0, 0, :late)"
    " ON CONFLICT (day, phone_number_id) DO UPDATE SET late = report_days.late + excluded.late"
)
_STRANGER = text(
    "INSERT INTO report_strangers (wamid, phone_number_id, seen_at) VALUES (:wamid, :number, :at)"
    " ON CONFLICT (wamid) DO UPDATE SET phone_number_id = excluded.phone_number_id,"
    " seen_at = excluded.seen_at"
)


@dataclass(frozen=True, slots=True)
class State:
    zone: str
    sends_through: float
    sealed_before: str


def state(tx: ReadTx) -> State | None:
    row = tx.first(text("SELECT zone, sends_through, sealed_before FROM report_state WHERE name = ''"))
    return None if row is None else State(row.zone, row.sends_through, row.sealed_before)


def locked(tx: WriteTx) -> State | None:
    """The same, and nobody else changes it or writes a bucket until this transaction ends."""
    tx.run(text("UPDATE report_state SET zone = zone WHERE name = ''"))
    return state(tx)


def mark(tx: WriteTx, places: Iterable[tuple[str, float]], zone: ZoneInfo, now: float) -> None:
    """Mark the buckets of these (number, moment), each standing for a change to a message there."""
    changes = Counter((day_of(at, zone), number) for number, at in places)
    known = state(tx)
    sealed = known.sealed_before if known else ""
    due = [{"day": day, "number": number, "now": now} for day, number in sorted(changes) if day >= sealed]
    late = [
        {"day": day, "number": number, "now": now, "zone": zone.key, "late": count}
        for (day, number), count in sorted(changes.items())
        if day < sealed
    ]
    if due:
        tx.run(_MARK, due)
    if late:
        tx.run(_LATE, late)


def look(tx: ReadTx, wamids: Sequence[str]) -> Sequence[Any]:
    """Where these messages count now: `queued_at` of ours, else of a stranger `first_seen_at`."""
    statement = (
        "SELECT m.wamid, s.message_id, coalesce(s.phone_number_id, m.phone_number_id, m.reported_number, '')"
        " AS number, coalesce(s.queued_at, m.first_seen_at, 0) AS at FROM messages AS m"
        f" LEFT JOIN sends AS s ON s.wamid = m.wamid WHERE m.wamid {among(tx, 'wamids')} ORDER BY m.wamid"
    )
    return tx.all(text(statement), {"wamids": given(tx, sorted(set(wamids)))})


def take_in(tx: WriteTx, wamids: Sequence[str], found: Sequence[Any], zone: ZoneInfo, now: float) -> None:
    """Mark where these messages count and where they counted; remember where strangers count."""
    statement = (
        f"SELECT wamid, phone_number_id, seen_at FROM report_strangers WHERE wamid {among(tx, 'wamids')}"
    )
    asked = given(tx, sorted({*wamids, *(row.wamid for row in found)}))
    before = {
        row.wamid: (row.phone_number_id, row.seen_at) for row in tx.all(text(statement), {"wamids": asked})
    }
    places = {row.wamid: (row.number, row.at) for row in found}
    strange = {row.wamid for row in found if row.message_id is None}
    gone = sorted(before.keys() - strange)
    new = [wamid for wamid in sorted(strange) if before.get(wamid) != places[wamid]]
    if gone:
        tx.run(
            text(f"DELETE FROM report_strangers WHERE wamid {among(tx, 'gone')}"), {"gone": given(tx, gone)}
        )
    if new:
        tx.run(_STRANGER, [{"wamid": w, "number": places[w][0], "at": places[w][1]} for w in new])
    moved = [before[wamid] for wamid in before if before[wamid] != places.get(wamid)]
    mark(tx, [*places.values(), *moved], zone, now)


def unread(tx: ReadTx, position: int, before: float) -> bool:
    """Whether the feed after this position, or a mark, tells of a message that counts before this moment."""
    feed = "SELECT position, batch FROM feed WHERE position > :position ORDER BY position LIMIT :most"
    news = tx.all(text(feed), {"position": position, "most": UNREAD})
    if len(news) == UNREAD:
        return True  # too far behind to look
    statement = (
        f"SELECT 1 FROM (SELECT wamid FROM status_updates WHERE batch {among(tx, 'batches')} UNION"
        " SELECT s.wamid FROM attempt_outcomes AS o JOIN sends AS s ON s.message_id = o.message_id"
        f" WHERE o.batch {among(tx, 'batches')} UNION SELECT wamid FROM dirty_messages) AS news"
        " LEFT JOIN messages AS m ON m.wamid = news.wamid LEFT JOIN sends AS s ON s.wamid = news.wamid"
        " LEFT JOIN report_strangers AS r ON r.wamid = news.wamid WHERE news.wamid IS NOT NULL"
        " AND (coalesce(s.queued_at, m.first_seen_at, 0) < :before OR r.seen_at < :before) LIMIT 1"
    )
    batches = given(tx, [row.batch for row in news])
    return tx.value(text(statement), {"batches": batches, "before": before}) is not None


def new_sends(tx: ReadTx, through: float) -> list[tuple[str, float]]:
    """(number, first, last moment) of what was taken in after `through`, as places a day apart or less."""
    rows = tx.all(
        text(
            "SELECT phone_number_id, CAST(floor(queued_at / 900) AS BIGINT) AS slot FROM sends"
            " WHERE queued_at > :through GROUP BY 1, 2"
        )
        if tx.postgres
        else text(
            "SELECT phone_number_id, CAST(queued_at / 900 AS INTEGER) AS slot FROM sends"
            " WHERE queued_at > :through GROUP BY 1, 2"
        ),
        {"through": through},
    )
    return [
        (row.phone_number_id, float(row.slot * 900)) for row in rows
    ]  # zones differ by quarters of an hour
