"""How the webhooks are doing: what the receiver counted by the minute, how late things come, who is silent.

Each figure reads a bounded part of an index, whatever the age of the installation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from store.database import ReadTx
from store.lists import among, given
from store.minutes import BOUNDS, Seen

LATELY = 500  # status updates that the lag is measured on
QUIET_AFTER = 600.0  # seconds; Meta says `sent` within seconds
LATEST = (
    "SELECT last_good_at FROM receiver_minutes WHERE endpoint = :endpoint AND phone_number_id = :number"
    " AND last_good_at IS NOT NULL ORDER BY minute DESC LIMIT 4"
)

SILENT = (
    "SELECT count(*) FROM (SELECT 1 FROM sends WHERE phone_number_id = :number AND queued_at >= :since"
    " AND queued_at < :until AND accepted_at > :heard AND accepted_at < :until LIMIT 1000) AS accepted"
)


@dataclass(frozen=True, slots=True)
class Answers:
    """How long the door took to answer, out of buckets: shares are exact, quantiles are upper bounds."""

    count: int
    within_250_ms: float
    above_1_s: float
    median: float | None  # seconds at most; None: longer than the last bound, or nothing was answered
    p99: float | None


@dataclass(frozen=True, slots=True)
class Lag:
    """Of the newest status updates, in seconds: Meta's time to arrival (two clocks), arrival to row."""

    count: int
    arrival_median: float
    arrival_p95: float
    processed_median: float
    processed_p95: float


@dataclass(frozen=True, slots=True)
class Silent:
    """A number whose sends were accepted, and of which no webhook spoke since."""

    phone_number_id: str
    accepted: int
    last_heard_at: float | None


def answers(seen: Sequence[Seen]) -> Answers:
    """Of the door's rows. Pure."""
    buckets = [sum(each) for each in zip(*(one.buckets for one in seen), strict=True)] or [0] * (
        len(BOUNDS) + 1
    )
    total = sum(buckets)
    if not total:
        return Answers(0, 1.0, 0.0, None, None)
    within = sum(buckets[: BOUNDS.index(0.25) + 1])
    return Answers(total, within / total, buckets[-1] / total, _bound(buckets, 0.5), _bound(buckets, 0.99))


def _bound(buckets: Sequence[int], share: float) -> float | None:
    counted, wanted = 0, share * sum(buckets)
    for bound, count in zip(BOUNDS, buckets, strict=False):
        counted += count
        if counted >= wanted:
            return bound
    return None


def refused(seen: Sequence[Seen]) -> dict[str, int]:
    """What was not answered 200: `401 no_secret_fits` -> how often, most first. Pure."""
    summed: dict[str, int] = {}
    for one in seen:
        for answer, count in one.answers.items():
            if answer != "200":
                summed[answer] = summed.get(answer, 0) + count
    return dict(sorted(summed.items(), key=lambda item: (-item[1], item[0])))


def subjects(tx: ReadTx) -> list[tuple[str, str]]:
    """Every (endpoint, phone_number_id or '') of which anything was counted, by jumping through the index."""
    following = (
        "SELECT endpoint, phone_number_id FROM receiver_minutes"
        " WHERE (endpoint, phone_number_id) > (:endpoint, :number) ORDER BY endpoint, phone_number_id LIMIT 1"
    )
    found: list[tuple[str, str]] = []
    row = tx.first(
        text(
            "SELECT endpoint, phone_number_id FROM receiver_minutes"
            " ORDER BY endpoint, phone_number_id LIMIT 1"
        )
    )
    while row is not None and len(found) < 1000:
        found.append((row.endpoint, row.phone_number_id))
        row = tx.first(text(following), {"endpoint": row.endpoint, "number": row.phone_number_id})
    return found


def last_good(tx: ReadTx, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """When the last good webhook of each of these arrived; without those of which none ever did."""
    found: dict[tuple[str, str], float] = {}
    for endpoint, number in wanted:
        rows = tx.all(text(LATEST), {"endpoint": endpoint, "number": number})
        if rows:
            found[endpoint, number] = max(row.last_good_at for row in rows)
    return found


def course(tx: ReadTx, first: int, last: int, width: int, number: str = "") -> dict[int, int]:
    """Webhooks answered between two minutes, by steps of `width` minutes from the first."""
    statement = (
        "SELECT (minute - :first) / :width AS step, sum(webhooks) AS heard FROM receiver_minutes"
        " WHERE minute BETWEEN :first AND :last AND phone_number_id = :number GROUP BY 1"
    )
    values = {"first": first, "last": last, "width": width, "number": number}
    return {int(row.step): int(row.heard) for row in tx.all(text(statement), values)}


def lag(tx: ReadTx) -> Lag | None:
    """None before the first status update."""
    statement = (
        "SELECT u.occurred_at, u.received_at, f.stamped_at FROM"
        " (SELECT batch, stamped_at FROM feed ORDER BY position DESC LIMIT 100) AS f"
        " JOIN status_updates AS u ON u.batch = f.batch LIMIT :most"
    )
    rows = tx.all(text(statement), {"most": LATELY})
    if not rows:
        return None
    arrival = sorted(max(row.received_at - row.occurred_at, 0.0) for row in rows)
    processed = sorted(max(row.stamped_at - row.received_at, 0.0) for row in rows)
    return Lag(len(rows), _at(arrival, 0.5), _at(arrival, 0.95), _at(processed, 0.5), _at(processed, 0.95))


def sending_numbers(tx: ReadTx) -> list[str]:
    """Every number that was ever sent from, by jumping through the index."""
    statement = (
        "WITH RECURSIVE numbers(id) AS (SELECT min(phone_number_id) FROM sends"
        " UNION ALL SELECT (SELECT min(phone_number_id) FROM sends WHERE phone_number_id > numbers.id)"
        " FROM numbers WHERE numbers.id IS NOT NULL)"
        " SELECT id FROM numbers WHERE id IS NOT NULL LIMIT 1000"
    )
    return [row.id for row in tx.all(text(statement))]


def silent(
    tx: ReadTx, numbers: tuple[str, ...], heard: Mapping[str, float], now: float, hours: float = 2.0
) -> list[Silent]:
    """Numbers whose accepted sends of the last hours had time enough for a status and got none."""
    found = []
    for number in sending_numbers(tx):
        if numbers and number not in numbers:
            continue
        last = heard.get(number)
        values = {
            "number": number,
            "since": now - hours * 3600,
            "until": now - QUIET_AFTER,
            "heard": last or 0.0,
        }
        accepted = int(tx.value(text(SILENT), values) or 0)
        if accepted:
            found.append(Silent(number, accepted, last))
    return found


def accepted_rate(tx: ReadTx, numbers: tuple[str, ...], now: float, seconds: float = 30.0) -> float:
    """Messages accepted a second, of late: out of the newest batches of the feed."""
    mine = f" AND s.phone_number_id {among(tx, 'numbers')}" if numbers else ""
    join = " JOIN sends AS s ON s.message_id = o.message_id" if numbers else ""
    statement = (
        "SELECT count(*) FROM"
        " (SELECT batch, stamped_at FROM feed ORDER BY position DESC LIMIT 5000) AS f"
        f" JOIN attempt_outcomes AS o ON o.batch = f.batch{join}"
        f" WHERE f.stamped_at >= :since AND o.outcome = 'accepted'{mine}"
    )
    values = {"since": now - seconds, **({"numbers": given(tx, numbers)} if numbers else {})}
    return int(tx.value(text(statement), values) or 0) / seconds


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
