"""A report on a terminal: words and figures stay whole, and what is too wide goes into a table below.

Columns that are 0 in every row are left out. A report of one row is a list, one figure a line.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wamtrail.saying import cell

if TYPE_CHECKING:
    from rich.table import Table

    from reports.report import Column, Report

WIDTH = 160  # of what is no terminal
_LONGEST = 36  # characters of a text that stay on one line: an id
_FRAME = 3  # characters around each cell
_FIGURES = ("count", "share", "seconds")


def show(report: "Report", now: float) -> None:
    from rich.console import Console

    from reports.sentences import sentences

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    shown = [one for one in report.columns if one.kind not in _FIGURES or _told(report, one)]
    if any(column.kind in _FIGURES for column in shown):
        title = f"{report.asked.kind}, {_period(report)}, days of {report.zone}"
        console.print(title, style="bold", highlight=False)
        for table in _tables(report, shown, console.width):
            console.print(table)
    else:
        console.print(f"Nothing counts for {_period(report)}.", highlight=False)
    for sentence in sentences(report, now):
        console.print(sentence, highlight=False, soft_wrap=True)


def said(column: "Column", value: Any) -> str:
    """A cell for people; '' where there is nothing to say."""
    from store.times import measured, rfc3339

    if value is None:
        return ""
    if column.kind == "count":
        return f"{value:,}"
    if column.kind == "share":
        return f"{value * 100:.1f} %"
    if column.kind == "seconds":
        return measured(value)
    if column.kind == "time":
        return rfc3339(value) or ""
    return str(value)


def _told(report: "Report", column: "Column") -> bool:
    return any(row[column.name] for row in report.rows)


def _period(report: "Report") -> str:
    first, last = report.asked.since, report.asked.until
    return str(first) if first == last else f"{first} to {last}"


def _tables(report: "Report", columns: Sequence["Column"], width: int) -> list["Table"]:
    from rich.table import Table

    keys = _keys(report, columns)
    if not keys and len(report.rows) == 1:
        table = Table(show_header=False)
        table.add_column(overflow="fold")
        table.add_column(justify="right", overflow="fold")
        for column in columns:
            if words := said(column, report.rows[0][column.name]):
                table.add_row(column.title, cell(words))
        return [table]
    parts = _fitting(report, keys, columns[len(keys) :], width)
    return [_table(report, [*keys, *part]) for part in parts]


def _keys(report: "Report", columns: Sequence["Column"]) -> list["Column"]:
    """What says of whom a row is: its groups, and the code or step behind them."""
    count = len(report.asked.by)
    return list(columns[: count + (columns[count].kind == "text")])


def _fitting(
    report: "Report", keys: Sequence["Column"], columns: Sequence["Column"], width: int
) -> list[list["Column"]]:
    """The columns in parts, each as wide as a table beside its keys can be; none is empty."""
    room = width - 1 - sum(_least(report, one) + _FRAME for one in keys)
    parts: list[list[Column]] = [[]]
    left = room
    for column in columns:
        needed = _least(report, column) + _FRAME
        if parts[-1] and needed > left:
            parts.append([])
            left = room
        parts[-1].append(column)
        left -= needed
    return parts


def _least(report: "Report", column: "Column") -> int:
    """How narrow a column can be without cutting a word of its title or a figure."""
    cells = (len(said(column, row[column.name])) for row in report.rows)
    longest = max(cells, default=0)
    if column.kind == "text":
        longest = min(longest, _LONGEST)
    return max(longest, *(len(word) for word in column.title.split()))


def _table(report: "Report", columns: Sequence["Column"]) -> "Table":
    from rich.table import Table

    table = Table()
    for column in columns:
        text = column.kind in ("text", "date", "time")
        table.add_column(
            column.title,
            justify="left" if text else "right",
            overflow="fold",
            width=None if column.kind == "text" else _least(report, column),
        )
    for row in report.rows:
        table.add_row(*(cell(said(column, row[column.name])) for column in columns))
    return table
