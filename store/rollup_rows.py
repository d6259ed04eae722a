"""The rows of a bucket, page by page in short transactions: a huge day needs no memory and holds no lock.

Pages may see different moments: whatever changes after it was read marks the bucket dirty again, and its
place (number, time, key) never changes, so no row is missed or read twice. Each row carries the zone whose
days are counted: a delivery has a day of its own.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, text

from store.database import Database
from store.status import MEMBER_CONFLICT_SQL, STATUS_SQL

PAGE = 2_000

_COLUMNS = (
    "s.message_id, s.state, s.category, s.bulk_run_id, s.error AS send_error, s.accepted_at,"
    " m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at, m.error AS message_error, m.pricing,"
    " c.kind, c.category AS charged_category, c.estimated, c.amount_micro, c.fee_micro,"
    f" (SELECT zone FROM report_state WHERE name = '') AS zone, {STATUS_SQL} AS status,"
    f" {MEMBER_CONFLICT_SQL} AS group_conflict"
)
_OURS = text(
    f"SELECT s.queued_at AS at, s.message_id AS key, s.recipient, s.type, s.template, {_COLUMNS}"
    " FROM sends AS s LEFT JOIN messages AS m ON m.wamid = s.wamid"
    " LEFT JOIN charges AS c ON c.wamid = s.wamid WHERE s.phone_number_id = :number"
    " AND (s.queued_at, s.message_id) > (:at, :key) AND s.queued_at < :end"
    " ORDER BY s.queued_at, s.message_id LIMIT :most"
)
_STRANGERS = text(
    "SELECT r.seen_at AS at, r.wamid AS key, coalesce(m.recipient_id, m.recipient_user_id) AS recipient,"
    f" NULL AS type, NULL AS template, {_COLUMNS}"
    " FROM report_strangers AS r JOIN messages AS m ON m.wamid = r.wamid"
    " LEFT JOIN sends AS s ON s.wamid = r.wamid LEFT JOIN charges AS c ON c.wamid = r.wamid"
    " WHERE r.phone_number_id = :number AND (r.seen_at, r.wamid) > (:at, :key) AND r.seen_at < :end"
    " ORDER BY r.seen_at, r.wamid LIMIT :most"
)


def pages(
    database: Database, number: str, start: float, end: float, most: int = PAGE
) -> Iterator[Sequence[Row[Any]]]:
    """Every message that counts for `number` between two moments, each once."""
    for statement in (_OURS, _STRANGERS):
        values = {"number": number, "at": start, "key": "", "end": end, "most": most}
        while True:
            with database.read() as tx:
                rows = tx.all(statement, values)
            if rows:
                ours = statement is _OURS
                yield [row for row in rows if ours or row.message_id is None]
                values |= {"at": rows[-1].at, "key": rows[-1].key}
            if len(rows) < most:
                break
