"""Lists as spreadsheets and programs write them: what is read, and what is said of bad rows."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.bulk_csv import CsvRows
from sender.bulk_lines import LONGEST_LINE, BadList, Fault, Lines, Row, text_of
from sender.bulk_list import digest, opened
from sender.bulk_ndjson import ndjson_rows

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")


def read(raw: bytes | str) -> list[Row | Fault]:
    data = raw.encode() if isinstance(raw, str) else raw
    return list(CsvRows(Lines(text_of(io.BytesIO(data))), "hello", "en"))


def values(row: Row | Fault) -> list[str]:
    assert isinstance(row, Row), row
    parts = row.body["template"].get("components", [])
    return [one["text"] for part in parts for one in part["parameters"]]


def refused(raw: bytes | str) -> str:
    with pytest.raises(BadList) as problem:
        read(raw)
    return str(problem.value)


# A cell of a spreadsheet: anything but what no file can hold, and without the sign of what is unreadable.
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\ufffd\ufeff"), max_size=20)
numbers = st.from_regex(r"\+91[6-9][0-9]{9}", fullmatch=True)


@given(
    rows=st.lists(st.tuples(numbers, cells, cells, cells), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    ending=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(ENCODINGS),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_was_written_as_csv_is_read_back(rows, delimiter, ending, encoding, quoting):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writerow(["to", "2", "Reference", "1"])
    for to, second, reference, first in rows:
        writer.writerow([to, second, reference, first])
    found = read(file.getvalue().encode(encoding))
    assert [(row.to, row.reference, values(row)) for row in found] == [
        (to, reference.strip() or None, [first, second]) for to, second, reference, first in rows
    ]


@given(raw=st.binary(max_size=400), head=st.sampled_from([b"", b"to,1\n", b"to;1;2\n", b"\xff\xfe", b"{"]))
def test_no_bytes_make_it_crash(raw, head):
    for kind in (lambda lines: iter(CsvRows(lines, "hello", "en")), ndjson_rows):
        try:
            found = list(kind(Lines(text_of(io.BytesIO(head + raw)))))
        except BadList:
            continue
        assert [row.line for row in found] == sorted({row.line for row in found})


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9), min_size=1), max_size=9))
def test_payloads_one_a_line_are_read_as_they_are(payloads):
    text = "".join(f"{json.dumps(one)}\r\n\n" for one in payloads)
    found = list(ndjson_rows(Lines(text_of(io.BytesIO(text.encode())))))
    expected = [
        one["payload"] if set(one) <= {"payload", "reference"} and "payload" in one else one
        for one in payloads
    ]
    assert [row.body for row in found if isinstance(row, Row)] == expected


def test_line_numbers_are_those_of_the_file_also_after_quoted_line_ends_and_blank_rows():
    found = read('to,1\n\n+911,"two\nlines"\n,\n , \n+912,x\n')
    assert [(row.line, values(row)) for row in found] == [(3, ["two\nlines"]), (7, ["x"])]


def test_excels_first_line_that_names_the_separator_is_understood():
    assert [values(row) for row in read("sep=|\r\nto|1\r\n+911|a,b;c\r\n")] == [["a,b;c"]]


def test_values_under_names_leave_with_their_names():
    (row,) = read("first_name,to,day\nAsha,+911,Monday\n")
    parameters = row.body["template"]["components"][0]["parameters"]
    assert [(one["parameter_name"], one["text"]) for one in parameters] == [
        ("first_name", "Asha"),
        ("day", "Monday"),
    ]
    assert row.columns == ("first_name", "day")


def test_a_template_without_variables_needs_only_to():
    (row,) = read("to\n+911\n")
    assert row.body["template"] == {"name": "hello", "language": {"code": "en"}}


def test_a_business_scoped_user_id_goes_where_meta_reads_it():
    (row,) = read("to\nUS.13491208655302741918\n")
    assert row.body["recipient"] == "US.13491208655302741918"
    assert "to" not in row.body


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("", "is empty"),
        ("\n\n  \n", "is empty"),
        ("phone,1\n", "names no column `to`; it names `phone`, `1`"),
        ("to,to,1\n", "`to` twice"),
        ("To,TO\n", "`to` twice"),
        ("to,1,1\n", "`1` twice"),
        ("to,First Name\n", "what `First Name` means"),
        ("to,1,name\n", "what `name` means"),
        ("to,1,3\n", "leave a gap"),
        ("to,,1\n", "Column 2 has no name"),
        ('to,"1\n', "a quote is not closed"),
        (b"PK\x03\x04rest", "Excel workbook"),
    ],
)
def test_a_header_that_cannot_be_used_says_what_is_wrong(head, said):
    assert said in refused(head)


def test_empty_columns_at_the_end_are_what_excel_leaves_behind():
    assert [values(row) for row in read("to;1;;\n+911;a;;\n")] == [["a"]]


def test_a_row_with_more_cells_than_columns_is_told_and_the_next_is_read():
    wide, good = read("to,1\n+911,a,b\n+912,c\n")
    assert isinstance(wide, Fault)
    assert (wide.line, wide.to) == (2, "+911")
    assert "3 cells, but the first line names 2 columns" in wide.reason
    assert values(good) == ["c"]


def test_a_row_with_fewer_cells_has_empty_ones():
    assert [values(row) for row in read("to,1,2\n+911,a\n")] == [["a", ""]]


def test_a_sign_that_is_not_utf_8_spoils_its_row_alone():
    bad, good = read(
        "to,1\n+911,Jos\xe9\n+912,José\n".encode("latin-1").replace(b"912,Jos\xe9", "912,José".encode())
    )
    assert isinstance(bad, Fault)
    assert "not UTF-8" in bad.reason
    assert values(good) == ["José"]


def test_a_quote_inside_of_a_cell_is_told():
    bad, good = read('to,1\n+911,"a" b\n+912,c\n')
    assert isinstance(bad, Fault)
    assert bad.line == 2
    assert values(good) == ["c"]


def test_a_quote_that_is_never_closed_names_the_lines_that_it_swallowed():
    rows = read('to,1\n+911,a\n+912,"b\n+913,c\n+914,d\n')
    assert values(rows[0]) == ["a"]
    assert isinstance(rows[1], Fault)
    assert "lines 3 to 5 were not read" in rows[1].reason
    assert len(rows) == 2


def test_a_line_without_end_is_read_in_bounded_memory_and_told():
    bad, good = read(f"to,1\n+911,{'x' * (3 * LONGEST_LINE)}\n+912,c\n")
    assert isinstance(bad, Fault)
    assert "1,000,000 characters" in bad.reason
    assert (good.line, values(good)) == (3, ["c"])


@pytest.mark.parametrize("line", ["{", "[1]]", "nonsense", '{"payload": {}, "reference": 7}', "[" * 100_000])
def test_a_line_that_is_no_payload_is_told_with_its_number(line: str):
    bad, good = ndjson_rows(Lines(text_of(io.BytesIO(f'{line}\n{{"to": "+911"}}\n'.encode()))))
    assert isinstance(bad, Fault)
    assert bad.line == 1
    assert isinstance(good, Row)
    assert (good.line, good.to) == (2, "+911")


def test_the_kind_of_list_is_told_by_its_first_sign(tmp_path: Path):
    file = tmp_path / "list"
    file.write_text('\n{"payload": {"to": "+911"}, "reference": "r"}\n')
    with opened(file, None, None) as listed:
        assert [(row.to, row.reference) for row in listed.rows] == [("+911", "r")]
    for template, said in (("hello", "leave out --template"), (None, "--template NAME")):
        file.write_text("to\n+911\n" if template is None else '{"to": "+911"}')
        with pytest.raises(BadList, match=said), opened(file, template, "en"):
            pass
    file.write_text('[{"to": "+911"}]')
    with pytest.raises(BadList, match="one payload a line"), opened(file, None, None):
        pass


def test_the_digest_tells_lists_and_terms_apart(tmp_path: Path):
    file = tmp_path / "list"
    file.write_text("to\n+911\n")
    first = digest(file, "1", "hello", "en", None)
    assert digest(file, "1", "hello", "en", None) == first
    assert digest(file, "1", "hello", "de", None) != first
    file.write_text("to\n+912\n")
    assert digest(file, "1", "hello", "en", None) != first
