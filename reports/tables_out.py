"""A report as a file: the same numbers as on the page, in the columns that the report names."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import IO, Any

from reports import export_formats
from reports.export import Field, Row
from reports.report import Report

FORMATS = ("csv", "json", "xlsx", "parquet")
# Columns of a report by the types of a file. Money is text already, so that no sum of floats is invited.
_TYPES = {"count": "integer", "share": "number", "seconds": "number", "time": "time"}


def write(report: Report, form: str, out: IO[bytes]) -> None:
    """One of FORMATS. JSON carries the question and how complete the answer is."""
    if form == "json":
        out.write((json.dumps(as_json(report), ensure_ascii=False, indent=2) + "\n").encode())
        return
    fields = [Field(one.name, _TYPES.get(one.kind, "text"), one.title) for one in report.columns]
    export_formats.write(form, _pages(report, fields), fields, out)


def as_json(report: Report) -> Row:
    asked = report.asked
    names = [column.name for column in report.columns]
    return {
        "report": asked.kind,
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
        "by": list(asked.by),
        "zone": report.zone,
        "columns": [{"name": one.name, "kind": one.kind, "title": one.title} for one in report.columns],
        "rows": [{name: _plain(row.get(name)) for name in names} for row in report.rows],
        "completeness": {name: _plain(value) for name, value in report.completeness.items()},
    }


def _pages(report: Report, fields: Sequence[Field]) -> Iterator[Sequence[Row]]:
    if report.rows:
        yield [
            {field.name: _cell(row.get(field.name), field.type) for field in fields} for row in report.rows
        ]


def _cell(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "text":
        return _text(value)
    return float(value) if kind == "number" else value


def _text(value: Any) -> str:
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """What JSON can hold; days and times as ISO text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
