"""The rest past its age: bulk runs without rows, names that no send uses, and the audit log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from store.database import ReadTx, WriteTx
from store.lists import among, given
from store.retention_sweeps import Looked, Sweep

# Over, past its age, and none of its messages is there any more.
_OVER = (
    "(r.state IN ('done', 'cancelled') AND r.created_at < :until AND coalesce(r.finished_at, 0) < :until"
    " AND (SELECT 1 FROM sends AS s WHERE s.bulk_run_id = r.bulk_run_id LIMIT 1) IS NULL)"
)


def problems(until: float) -> Sweep:
    """Rows of lists that were not taken in, of runs that are about to go; keys are (run, line)."""

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        run, line = after or ("", 0)
        statement = (
            "SELECT p.bulk_run_id, p.row_number FROM bulk_problems AS p"
            " WHERE (p.bulk_run_id, p.row_number) > (:run, :line) AND p.bulk_run_id IN"
            f" (SELECT r.bulk_run_id FROM bulk_runs AS r WHERE {_OVER})"
            " ORDER BY p.bulk_run_id, p.row_number LIMIT :most"
        )
        rows = tx.all(text(statement), {"run": run, "line": line, "until": until, "most": most})
        return [tuple(row) for row in rows], tuple(rows[-1]) if len(rows) == most else None

    def remove(tx: WriteTx, keys: Sequence[tuple[str, int]]) -> int:
        statement = text("DELETE FROM bulk_problems WHERE bulk_run_id = :run AND row_number = :line")
        return sum(tx.run(statement, {"run": run, "line": line}) for run, line in sorted(keys))

    return Sweep("problems of bulk runs", look, remove)


def runs(until: float) -> Sweep:
    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        statement = (
            f"SELECT r.bulk_run_id, {_OVER} AS goes FROM bulk_runs AS r WHERE r.bulk_run_id > :after"
            " ORDER BY r.bulk_run_id LIMIT :most"
        )
        rows = tx.all(text(statement), {"after": after or "", "until": until, "most": most})
        more = rows[-1].bulk_run_id if len(rows) == most else None
        return [row.bulk_run_id for row in rows if row.goes], more

    def remove(tx: WriteTx, ids: Sequence[str]) -> int:
        statement = (
            f"DELETE FROM bulk_runs AS r WHERE r.bulk_run_id {among(tx, 'ids')} AND {_OVER}"
            " AND (SELECT 1 FROM bulk_problems AS p WHERE p.bulk_run_id = r.bulk_run_id LIMIT 1) IS NULL"
        )
        return tx.run(text(statement), {"ids": given(tx, sorted(ids)), "until": until})

    return Sweep("bulk runs", look, remove)


def names() -> Sweep:
    """What Meta calls people to whom nothing was sent that is still there; keys are (name, recipient)."""
    unused = "(SELECT 1 FROM sends AS s WHERE s.recipient = k.recipient LIMIT 1) IS NULL"

    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        name, recipient = after or ("", "")
        statement = (
            f"SELECT k.name, k.recipient, {unused} AS goes FROM known_as AS k"
            " WHERE (k.name, k.recipient) > (:name, :recipient) ORDER BY k.name, k.recipient LIMIT :most"
        )
        rows = tx.all(text(statement), {"name": name, "recipient": recipient, "most": most})
        more = (rows[-1].name, rows[-1].recipient) if len(rows) == most else None
        return [(row.name, row.recipient) for row in rows if row.goes], more

    def remove(tx: WriteTx, keys: Sequence[tuple[str, str]]) -> int:
        statement = text(
            f"DELETE FROM known_as AS k WHERE k.name = :name AND k.recipient = :recipient AND {unused}"
        )
        return sum(tx.run(statement, {"name": name, "recipient": called}) for name, called in sorted(keys))

    return Sweep("names", look, remove)


def audit(until: float) -> Sweep:
    def look(tx: ReadTx, after: Any, most: int) -> Looked:
        statement = text("SELECT id, at FROM audit_log WHERE id > :after ORDER BY id LIMIT :most")
        rows = tx.all(statement, {"after": after or 0, "most": most})
        return [row.id for row in rows if row.at < until], rows[-1].id if len(rows) == most else None

    def remove(tx: WriteTx, ids: Sequence[int]) -> int:
        statement = f"DELETE FROM audit_log WHERE id {among(tx, 'ids')} AND at < :until"
        return tx.run(text(statement), {"ids": given(tx, sorted(ids)), "until": until})

    return Sweep("audit entries", look, remove)
