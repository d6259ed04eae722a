"""The result file: a line for each row of the list, in the list's order, read and written in pages.

It is the user's own list, so recipients stand in it whole.
"""

import csv
import heapq
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from store import bulk_results
from store.database import Database, ReadTx
from store.explained import Explained, deciding

COLUMNS = ("line", "to", "reference", "message_id", "wamid", "status", "code", "reason")
PAGE = 1_000
Page = Callable[[ReadTx, str, int, int], list[Mapping[str, Any]]]
Line = tuple[int, list[str]]


def write(database: Database, bulk_run_id: str, path: Path) -> int:
    """Write the whole file, in place of an older one only once it is complete; how many rows it has."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            rows = write_to(database, bulk_run_id, file)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return rows


def write_to(database: Database, bulk_run_id: str, file: TextIO) -> int:
    """The same to an open file."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    sent = (_sent(row) for row in _all(database, bulk_run_id, bulk_results.sent))
    problems = (_problem(row) for row in _all(database, bulk_run_id, bulk_results.problems))
    count = 0
    for _, cells in heapq.merge(sent, problems, key=lambda line: line[0]):
        writer.writerow(cells)
        count += 1
    return count


def _all(database: Database, bulk_run_id: str, page: Page) -> Iterator[Mapping[str, Any]]:
    """Page by page, so that no transaction stays open while the file is written."""
    after = 0
    while True:
        with database.read() as tx:
            rows = page(tx, bulk_run_id, after, PAGE)
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1]["row_number"]


def _sent(row: Mapping[str, Any]) -> Line:
    found = deciding(
        row["status"],
        conflict=row["conflict"],
        send_error=row["send_error"],
        message_error=row["message_error"],
        refused_by=row["refused_by"],
    )
    code = str(found.code) if found is not None and found.code is not None else ""
    return row["row_number"], [
        str(row["row_number"]),
        row["recipient_typed"],
        row["reference"] or "",
        row["message_id"],
        row["wamid"] or "",
        row["status"],
        code,
        _reason(found),
    ]


def _problem(row: Mapping[str, Any]) -> Line:
    line, to, reference = row["row_number"], row["recipient_typed"], row["reference"] or ""
    return line, [str(line), to, reference, "", "", "not sent", "", row["reason"]]


def _reason(found: Explained | None) -> str:
    if found is None:
        return ""
    if not found.entry.known:
        return " ".join(str(one) for one in (found.title, found.details) if one) or found.entry.action
    said = f" ({found.details})" if found.details else ""
    return f"{found.entry.name}{said}. {found.entry.action}"
