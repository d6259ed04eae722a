"""Rows as CSV for people and programs: UTF-8, CRLF, RFC 3339 times, no cell that would be run."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import IO, Any

from reports.export import Field, Row
from store.times import rfc3339

# What a spreadsheet takes for the start of a formula; the wide forms count for some of them, too.
_STARTS = tuple("=@\t\r\n+-＝＠＋－")
_HARMLESS = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?|\+[0-9][0-9 •]*", re.ASCII)


def guarded(value: str) -> str:
    """With an apostrophe in front when a spreadsheet might run it; numbers and `+91…` stay as they are.

    Blanks before a sign do not hide it: spreadsheets leave them out."""
    if (value.startswith(_STARTS) or value.lstrip().startswith(_STARTS)) and not _HARMLESS.fullmatch(value):
        return f"'{value}"
    return value


def write(pages: Iterable[Sequence[Row]], fields: Sequence[Field], out: IO[bytes]) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=False)
    try:
        rows = csv.writer(text)
        rows.writerow([field.name for field in fields])
        cells = [(field.name, CELLS[field.type]) for field in fields]
        for page in pages:
            rows.writerows([[cell(row[name]) for name, cell in cells] for row in page])
        text.flush()
    finally:
        text.detach()


def _text(value: Any) -> str:
    return "" if value is None else guarded(str(value))


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _flag(value: Any) -> str:
    return "" if value is None else "true" if value else "false"


def _time(value: Any) -> str:
    return rfc3339(value) or ""


CELLS = {"text": _text, "integer": _plain, "number": _plain, "flag": _flag, "time": _time}
