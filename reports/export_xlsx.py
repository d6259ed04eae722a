"""Rows as a workbook of one sheet, written row by row. Text stays text: no formula, no link."""

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, Any

from reports.export import Field, Row

MOST = 1_048_575  # rows of data below the heading
LONGEST = 32_767  # characters of a cell
_EPOCH = 25_569  # 1970-01-01 in days of a spreadsheet
_OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
_OPTIONS |= {"strings_to_numbers": False, "use_zip64": True}  # a full sheet may unpack to more than 2 GiB


class TooManyRows(Exception):
    """A sheet cannot hold so many; the text is one plain sentence."""

    def __init__(self) -> None:
        super().__init__(
            f"A sheet holds at most {MOST:,} rows, and these are more:"
            " choose csv, ndjson or parquet, or a shorter period."
        )


def write(pages: Iterable[Sequence[Row]], fields: Sequence[Field], out: IO[bytes]) -> None:
    """Raises TooManyRows; what is in `out` is then no workbook."""
    from xlsxwriter import Workbook  # type: ignore[import-untyped]
    from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]

    with TemporaryDirectory(prefix="wamtrail-") as folder:  # rows wait there until the end
        book = Workbook(out, {**_OPTIONS, "tmpdir": folder})
        try:
            _fill(book, pages, fields)
            book.close()
        except OSError as problem:
            raise _of_the_folder(problem) from None
        except FileCreateError as problem:
            raise _of_the_folder(problem.args[0]) from None
        finally:
            with suppress(OSError):  # what it still holds has no room either
                for sheet in book.worksheets():
                    sheet._opt_close()  # the file in which its rows wait


def _of_the_folder(problem: OSError) -> OSError:
    """`out` may be a stream that never fails, such as that of export_formats: then it was the other place."""
    where = f"{gettempdir()}, where the rows of a sheet wait (TMPDIR names another folder)"
    return OSError(problem.errno, f"{problem.strerror} in {where}")


def _fill(book: Any, pages: Iterable[Sequence[Row]], fields: Sequence[Field]) -> None:
    sheet = book.add_worksheet("wamtrail")
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for column, field in enumerate(fields):
        sheet.set_column(column, column, 20 if field.type in ("text", "time") else 10)
        sheet.write_string(0, column, field.name, bold)
    at = 0
    for page in pages:
        if at + len(page) > MOST:
            raise TooManyRows
        for row in page:
            at += 1
            _row(sheet, at, row, fields, moment)
    sheet.autofilter(0, 0, max(at, 1), len(fields) - 1)


def _row(sheet: Any, at: int, row: Row, fields: Sequence[Field], moment: Any) -> None:
    for column, field in enumerate(fields):
        value = row[field.name]
        if value is None:
            continue
        if field.type == "text":
            sheet.write_string(at, column, str(value)[:LONGEST])
        elif field.type == "flag":
            sheet.write_boolean(at, column, bool(value))
        elif field.type == "time":
            sheet.write_number(at, column, _EPOCH + value / 86_400, moment)
        elif math.isfinite(value):
            sheet.write_number(at, column, value)
