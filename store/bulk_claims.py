"""Which rows of bulk runs may be claimed: those of runs that are preparing or running, run by run.

Their priority is 2, which no other claim looks at. A run that is held costs its claims nothing, however many
rows it has, because each run's queue is a range of its own in the index.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from store.database import WriteTx

PRIORITY = 2
OPEN = "('preparing', 'running')"

# Of the number `queue.number` of the statement that this stands in.
DUE = (
    "EXISTS (SELECT 1 FROM bulk_runs AS run WHERE run.phone_number_id = queue.number"
    f" AND run.state IN {OPEN} AND (SELECT due_at FROM sends WHERE state = 'queued'"
    "  AND bulk_run_id = run.bulk_run_id ORDER BY due_at LIMIT 1) <= :now)"
)
_RUNS = text(
    f"SELECT bulk_run_id FROM bulk_runs WHERE phone_number_id = :number AND state IN {OPEN}"
    " ORDER BY created_at, bulk_run_id"
)
_ROWS = (
    "SELECT message_id, phone_number_id, recipient, payload, attempts, expires_at FROM sends"
    " WHERE state = 'queued' AND bulk_run_id = :run AND due_at <= :now ORDER BY due_at LIMIT :most"
)
_ROWS_SQLITE, _ROWS_POSTGRES = text(_ROWS), text(f"{_ROWS} FOR UPDATE SKIP LOCKED")


def rows(tx: WriteTx, number: str, now: float, most: int) -> Sequence[Row[Any]]:
    """Locked rows of the number's open runs; each run gets an even share, and what others leave."""
    runs = [row.bulk_run_id for row in tx.all(_RUNS, {"number": number})]
    found: list[Row[Any]] = []
    statement = _ROWS_POSTGRES if tx.postgres else _ROWS_SQLITE
    for place, run in enumerate(runs):
        share = -(-(most - len(found)) // (len(runs) - place))
        if share > 0:
            found += tx.all(statement, {"run": run, "now": now, "most": share})
    return found
