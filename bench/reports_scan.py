"""The same figures without rollups: a full scan in SQL, and DuckDB over the Parquet export."""

import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.reports_fill import COUNTRIES
from store.database import ReadTx
from store.status import STATUS_SQL, STATUSES

INSTALL = (
    "DuckDB is left out, for it is not installed: make a venv that has this project too, `pip install duckdb`"
    " there, and start this with its Python: `python -m bench.reports`."
)
STEPS = {"sent_delivered": ("sent_at", "delivered_at"), "delivered_read": ("delivered_at", "read_at")}


class Scans:
    """In the database itself, over the tables."""

    def __init__(self, tx: ReadTx) -> None:
        self.tx = tx
        whens = " ".join(
            f"WHEN s.recipient LIKE '{digits}%' THEN '{land}'" for digits, land in COUNTRIES.items()
        )
        day = "CAST(to_timestamp(s.queued_at) AT TIME ZONE 'UTC' AS date)"
        self._names = {
            "day": day if tx.postgres else "date(s.queued_at, 'unixepoch')",
            "number": "s.phone_number_id",
            "template": "s.template",
            "country": f"CASE {whens} END",
        }

    def seconds(self, kind: str, by: Sequence[str]) -> tuple[float, int]:
        """How long it took, and how many messages it counted."""
        group = [self._names[name] for name in by]
        statements = _statements(kind, group, "FROM sends AS s LEFT JOIN messages AS m ON m.wamid = s.wamid")
        return _timed(statements, lambda one: self.tx.all(text(one)))


class Parquet:
    """DuckDB over one file of all messages."""

    def __init__(self, file: Path) -> None:
        self._connection = importlib.import_module("duckdb").connect()
        self._from = f"FROM read_parquet('{file}') AS m"

    def seconds(self, kind: str, by: Sequence[str]) -> tuple[float, int]:
        names = {
            "day": "CAST(m.queued_at AS DATE)",
            "number": "m.phone_number_id",
            "template": "m.template",
            "country": "m.country",
        }
        statements = _statements(kind, [names[name] for name in by], self._from, exported=True)
        return _timed(statements, lambda one: self._connection.execute(one).fetchall())


def has_duckdb() -> bool:
    return importlib.util.find_spec("duckdb") is not None


def _timed(statements: Sequence[str], run: Any) -> tuple[float, int]:
    began = time.monotonic()
    rows = [row for statement in statements for row in run(statement)]
    return time.monotonic() - began, sum(int(row[-1]) for row in rows)


def _statements(kind: str, group: Sequence[str], rows: str, *, exported: bool = False) -> list[str]:
    """The last column counts the messages that were looked at."""
    status = "m.status" if exported else f"({STATUS_SQL})"
    code = "m.error_code" if exported else "coalesce(m.error, s.error)"
    if kind == "delivery":
        sums = ", ".join(f"sum(CASE WHEN status = '{one}' THEN 1 ELSE 0 END)" for one in STATUSES)
        return [_grouped(group, f"{status} AS status", rows, "1 = 1", "", f"{sums}, count(*)")]
    if kind == "failures":
        where = "status IN ('failed', 'refused')"
        chosen = f"{status} AS status, {code} AS code"
        return [_grouped(group, chosen, rows, where, "code", "code, count(*)")]
    if kind == "cost":
        charged = "" if exported else " LEFT JOIN charges AS c ON c.wamid = m.wamid"
        words = (
            "m.pricing_category AS word, 0 AS amount"
            if exported
            else ("c.kind AS word, c.amount_micro AS amount")
        )
        where = "m.delivered_at IS NOT NULL"
        return [
            _grouped(
                group, words, f"{rows}{charged} WHERE {where}", "1 = 1", "word", "word, sum(amount), count(*)"
            )
        ]
    return [
        # Every difference with how often it was: any quantile can be read off.
        _grouped(
            group,
            f"m.{last} - m.{first} AS took",
            rows,
            "took IS NOT NULL",
            "took",
            "took, count(*)",
        )
        for first, last in STEPS.values()
    ]


def _grouped(group: Sequence[str], chosen: str, rows: str, where: str, more: str, sums: str) -> str:
    keys = [f"key_{at}" for at in range(len(group))]
    named = "".join(f"{one} AS {key}, " for one, key in zip(group, keys, strict=True))
    parts = [*keys, *([more] if more else [])]
    ending = f" GROUP BY {', '.join(parts)}" if parts else ""
    head = "".join(f"{key}, " for key in keys)
    return f"SELECT {head}{sums} FROM (SELECT {named}{chosen} {rows}) AS one WHERE {where}{ending}"
