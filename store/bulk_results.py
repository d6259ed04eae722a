"""What became of each row of a bulk run, in pages; and which rows may be sent again."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from store.bulk_runs import Run
from store.database import ReadTx
from store.lists import among, given
from store.status import STATUS_SQL, conflict

_SENDS = text(
    "SELECT s.row_number, s.recipient_typed, s.reference, s.message_id, coalesce(m.wamid, s.wamid) AS wamid,"
    f" {STATUS_SQL} AS status, s.refused_by, s.error AS send_error, m.error AS message_error,"
    " m.delivered_at, m.read_at, m.played_at, m.failed_at"
    " FROM sends AS s LEFT JOIN messages AS m ON m.wamid = s.wamid"
    " WHERE s.bulk_run_id = :id AND s.row_number > :after ORDER BY s.row_number LIMIT :most"
)
_PROBLEMS = text(
    "SELECT row_number, recipient_typed, reference, kind, reason FROM bulk_problems"
    " WHERE bulk_run_id = :id AND row_number > :after ORDER BY row_number LIMIT :most"
)


def sent(tx: ReadTx, bulk_run_id: str, after: int, most: int) -> list[Mapping[str, Any]]:
    """The rows that became messages, after this line."""
    rows = tx.all(_SENDS, {"id": bulk_run_id, "after": after, "most": most})
    found: list[Mapping[str, Any]] = [dict(row._mapping) for row in rows]
    return [{**one, "conflict": conflict(one)} for one in found]


def problems(tx: ReadTx, bulk_run_id: str, after: int, most: int) -> list[Mapping[str, Any]]:
    """The rows that were not taken in, after this line."""
    rows = tx.all(_PROBLEMS, {"id": bulk_run_id, "after": after, "most": most})
    return [dict(row._mapping) for row in rows]


def refused(tx: ReadTx, run: Run, lines: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """Of these lines of `run`, those that were refused: line -> (by whom, error), or ('list', None) and so on
    for those that were not taken in. Without the lines that another run sends again already."""
    values = {"id": run.bulk_run_id, "lines": given(tx, lines)}
    statement = (
        "SELECT row_number, refused_by, error FROM sends"
        f" WHERE bulk_run_id = :id AND state = 'refused' AND row_number {among(tx, 'lines')}"
    )
    found = {
        row.row_number: (row.refused_by or "person", row.error) for row in tx.all(text(statement), values)
    }
    statement = (
        "SELECT row_number, kind FROM bulk_problems"
        f" WHERE bulk_run_id = :id AND row_number {among(tx, 'lines')}"
    )
    found |= {row.row_number: (row.kind, None) for row in tx.all(text(statement), values)}
    again = _again(tx, run, list(found))
    return {line: why for line, why in found.items() if line not in again}


def _again(tx: ReadTx, run: Run, lines: Sequence[int]) -> set[int]:
    """Those of these lines that a retry of the run has taken in."""
    if not lines:
        return set()
    retries = "SELECT bulk_run_id FROM bulk_runs WHERE retry_of = :id"
    found: set[int] = set()
    for table in ("sends", "bulk_problems"):
        statement = (
            f"SELECT row_number FROM {table} WHERE bulk_run_id IN ({retries})"
            f" AND row_number {among(tx, 'lines')}"
        )
        values = {"id": run.bulk_run_id, "lines": given(tx, lines)}
        found |= {row.row_number for row in tx.all(text(statement), values)}
    return found
