"""Files of exports, read back by others: csv, zip and XML, Arrow. Nothing in them runs, nothing is lost."""

import csv
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from tempfile import gettempdir
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import export_formats, export_xlsx
from reports.export import FIELDS, Field, Row, country
from reports.export_csv import guarded
from reports.export_parquet import read_rows
from whatsapp.market import market

NASTY = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    " =1+1",
    "\u00a0@SUM(A1)",
    'a "quoted", one',
    "two\r\nlines",
    "नमस्ते 🙂",
    "",
    "https://example.test/",
    "007",
]
HARMLESS = ["+919876543210", "+91 98••••••210", "-12.5", "+3", "12", "order-77", "'=1"]
COLUMNS = (
    Field("words", "text", ""),
    Field("count", "integer", ""),
    Field("share", "number", ""),
    Field("yes", "flag", ""),
    Field("at", "time", ""),
)
EMPTY: Row = dict.fromkeys((field.name for field in COLUMNS), None)
FULL: Row = {"words": "x", "count": 2**40, "share": 0.25, "yes": True, "at": 1_800_000_000.25}
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def pages(rows: Sequence[Row], size: int = 3) -> Iterator[Sequence[Row]]:
    for at in range(0, len(rows), size):
        yield rows[at : at + size]


def written(form: str, rows: Sequence[Row]) -> bytes:
    out = io.BytesIO()
    export_formats.write(form, pages(rows), COLUMNS, out)
    return out.getvalue()


def rows_of(words: Sequence[str]) -> list[Row]:
    return [{**EMPTY, "words": one} for one in words]


def csv_rows(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def sheet(raw: bytes) -> list[dict[str, tuple[str, str]]]:
    """The rows below the heading: column letter to (type, text of the cell)."""
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        assert book.testzip() is None
        tree = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not tree.findall(f".//{SHEET}f"), "a formula"
    assert not tree.findall(f".//{SHEET}hyperlink")
    found = []
    for row in list(tree.iter(f"{SHEET}row"))[1:]:
        cells = {}
        for cell in row:
            letter = re.sub(r"\d", "", cell.attrib["r"])
            cells[letter] = (cell.attrib.get("t", "n"), "".join(cell.itertext()))
        found.append(cells)
    return found


def test_no_cell_of_a_csv_begins_as_a_formula_does_and_the_rest_comes_back() -> None:
    words = NASTY + HARMLESS
    for given_word, row in zip(words, csv_rows(written("csv", rows_of(words))), strict=True):
        assert row["words"] in (given_word, f"'{given_word}")
        if given_word in HARMLESS:
            assert row["words"] == given_word
        else:
            assert not row["words"].startswith(tuple("=@\t\r\n+-＝"))


@given(st.text(max_size=12))
def test_the_guard_adds_one_apostrophe_or_nothing(word: str) -> None:
    found = guarded(word)
    assert found in (word, f"'{word}")
    assert not found.startswith(("=", "@", "\t", "\r"))
    if found.startswith(("+", "-")):
        assert re.fullmatch(r"[+-][\d .,•]+", found, re.ASCII)


def test_csv_tells_every_type_plainly() -> None:
    first, second = csv_rows(written("csv", [FULL, EMPTY]))
    assert first == {
        "words": "x",
        "count": str(2**40),
        "share": "0.25",
        "yes": "true",
        "at": "2027-01-15T08:00:00.250Z",
    }
    assert set(second.values()) == {""}


def test_ndjson_is_an_object_a_line_with_every_column() -> None:
    lines = written("ndjson", [*rows_of(NASTY), FULL]).decode().split("\n")
    assert lines.pop() == ""
    found = [json.loads(line) for line in lines]
    assert [one["words"] for one in found[:-1]] == NASTY
    assert all(list(one) == [field.name for field in COLUMNS] for one in found)
    assert found[-1] == {**FULL, "at": "2027-01-15T08:00:00.250Z"}


def test_parquet_has_real_types_and_comes_back_whole() -> None:
    found = list(read_rows(io.BytesIO(written("parquet", [*rows_of(NASTY + HARMLESS), FULL, EMPTY]))))
    assert [one["words"] for one in found[:-2]] == NASTY + HARMLESS
    assert found[-2] == {**FULL, "at": datetime.fromtimestamp(1_800_000_000.25, UTC)}
    assert found[-1] == EMPTY


def test_a_workbook_holds_text_as_text_and_times_as_times() -> None:
    found = sheet(written("xlsx", [*rows_of([word for word in NASTY if word]), FULL, EMPTY]))
    texts = [row["A"] for row in found[:-1]]
    assert {kind for kind, _ in texts} == {"inlineStr"}
    for given_word, (_, text) in zip([word for word in NASTY if word], texts, strict=False):
        assert text.replace("_x000D_", "\r").split() == given_word.split()
    full = found[len(NASTY) - 1]
    assert (full["B"][1], full["C"][1], full["D"]) == (str(2**40), "0.25", ("b", "1"))
    assert float(full["E"][1]) == pytest.approx(46_402 + 8 / 24 + 0.25 / 86_400, abs=1e-9)


@pytest.mark.parametrize("form", export_formats.WRITERS)
def test_an_export_of_nothing_is_a_whole_file_with_its_columns(form: str) -> None:
    raw = written(form, [])
    if form == "csv":
        assert raw == b"words,count,share,yes,at\r\n"
    elif form == "parquet":
        assert list(read_rows(io.BytesIO(raw))) == []
    elif form == "xlsx":
        assert sheet(raw) == []
    else:
        assert raw == b""


class GoneAway(Exception):
    pass


@pytest.mark.parametrize("form", export_formats.WRITERS)
def test_what_the_pages_raise_comes_out_as_it_was(form: str) -> None:
    def failing() -> Iterator[Sequence[Row]]:
        yield [FULL]
        raise GoneAway

    with pytest.raises(GoneAway):
        export_formats.write(form, failing(), COLUMNS, io.BytesIO())


class Stopped(io.BytesIO):
    def write(self, data: Any) -> int:
        raise KeyboardInterrupt


@pytest.mark.parametrize("form", export_formats.WRITERS)
def test_ctrl_c_is_ctrl_c_wherever_it_comes(form: str) -> None:
    def stopped() -> Iterator[Sequence[Row]]:
        yield [FULL]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_formats.write(form, stopped(), COLUMNS, io.BytesIO())
    with pytest.raises(KeyboardInterrupt):
        export_formats.write(form, pages([FULL] * 10_000, 5_000), COLUMNS, Stopped())


class Full(io.BytesIO):
    def write(self, data: Any) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("form", export_formats.WRITERS)
def test_a_full_disk_is_told_as_such(form: str) -> None:
    with pytest.raises(OSError, match="No space left"):
        export_formats.write(form, pages([FULL] * 10_000, 5_000), COLUMNS, Full())


def test_no_room_for_the_rows_that_wait_names_their_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_xlsx, "_fill", full)
    with pytest.raises(OSError, match=f"on device in {gettempdir()}, where the rows of a sheet wait"):
        written("xlsx", [FULL])


def test_a_sheet_may_unpack_to_more_than_a_plain_zip_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10_000)
    assert len(sheet(written("xlsx", [FULL] * 100))) == 100


class Nowhere(io.RawIOBase):
    """Keeps nothing of what is written."""

    _at = 0

    def write(self, data: Any) -> int:
        self._at += len(data)
        return len(data)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at


@pytest.mark.parametrize("form", export_formats.WRITERS)
def test_a_long_export_needs_no_more_memory_than_a_short_one(form: str) -> None:
    def peak(count: int) -> int:
        endless = ([dict(FULL, words=f"{n}-{k}") for k in range(250)] for n in range(count))
        tracemalloc.start()
        try:
            export_formats.write(form, endless, COLUMNS, Nowhere())  # type: ignore[arg-type]
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)  # what is made once
    assert peak(14) < 1.3 * peak(4)


def test_too_many_rows_for_a_sheet_are_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_xlsx, "MOST", 5)
    written("xlsx", [FULL] * 5)
    with pytest.raises(export_xlsx.TooManyRows, match="choose csv, ndjson or parquet"):
        written("xlsx", [FULL] * 6)


@given(st.from_regex(r"[1-9][0-9]{6,15}", fullmatch=True), st.sampled_from(["", "91", "1", "7", "44", "800"]))
def test_the_quick_country_is_that_of_the_market(number: str, code: str) -> None:
    assert country(code + number) == market(code + number)


def test_the_dictionary_of_columns_is_that_of_the_code() -> None:
    from pathlib import Path

    told = (Path(__file__).parents[2] / "docs/columns.md").read_text(encoding="utf-8")
    for kind, fields in FIELDS.items():
        section = told.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
        found = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", section, re.MULTILINE)
        assert found == [(field.name, field.type, field.meaning) for field in fields]
