"""A list as CSV: a header, then a row a person. Columns: `to`, if wanted `reference`, and the template's
values as `1`, `2`, ... or under their names.

Reads what spreadsheets write: commas, semicolons or tabs, a `sep=` line, quoted line ends, blank and empty
rows. A row that cannot be used is a Fault, a header that cannot be used is a BadList.
"""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sender.bulk_lines import UNREADABLE, BadList, Fault, Lines, Row, too_long, undecodable
from sender.payload_build import template
from whatsapp.masking import BSUID

DELIMITERS = (",", ";", "\t", "|")
_OURS = ("to", "reference")
_PLACE = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,63}", re.ASCII)
_SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where what stands. `values`: (name, index) in the order of the variables; `named`: they have names."""

    width: int
    to: int
    reference: int | None
    values: tuple[tuple[str, int], ...]
    named: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.values)


class CsvRows:
    """Iterates over the rows. The header is read at once. Raises BadList for it."""

    def __init__(self, lines: Lines, name: str, language: str) -> None:
        self._lines, self._name, self._language = lines, name, language
        first = next((line for line in lines if line.strip()), "")
        if not first:
            raise BadList("The list is empty: its first line must name the columns, one of them `to`.")
        first = first.removeprefix("\ufeff")
        separator = _SEPARATOR.fullmatch(first)
        if separator:
            first = next((line for line in lines if line.strip()), "")
        delimiter = separator[1] if separator else _delimiter(first)
        self._reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter, strict=True)
        self._columns = _columns(self._header())

    @property
    def columns(self) -> Columns:
        return self._columns

    def __iter__(self) -> Iterator[Row | Fault]:
        while True:
            line = self._lines.number + 1
            try:
                cells = next(self._reader, None)
            except csv.Error:
                yield self._broken(line)
                continue
            if cells is None:
                return
            if any(cell.strip() for cell in cells) or self._lines.overlong >= line:
                yield self._row(line, cells)

    def _header(self) -> list[str]:
        try:
            return next(self._reader)
        except csv.Error:
            raise BadList("The first line cannot be read: a quote is not closed in it.") from None

    def _broken(self, line: int) -> Fault:
        last = self._lines.number
        if last > line:
            said = f"A quote that opens here is not closed properly, so lines {line} to {last} were not read."
            return Fault(line, f"{said} Correct it, and double every quote inside of a quoted cell.")
        return Fault(
            line,
            "A quote stands inside of a cell or is not closed: quote the whole cell and double it inside.",
        )

    def _row(self, line: int, cells: list[str]) -> Row | Fault:
        columns = self._columns
        surplus = cells[columns.width :]
        cells = [*cells[: columns.width], *[""] * (columns.width - len(cells))]
        to = cells[columns.to].strip()
        if self._lines.overlong >= line:
            return too_long(line, to)
        if any(UNREADABLE in cell for cell in cells):
            return undecodable(line, to)
        reference = cells[columns.reference].strip() if columns.reference is not None else ""
        if any(cell.strip() for cell in surplus):
            said = f"{columns.width + len(surplus)} cells, but the first line names {columns.width} columns"
            return Fault(
                line, f"{said}: a cell with the separator in it needs quotes.", to, reference or None
            )
        values = [cells[place] for _, place in columns.values]
        return Row(line, self._body(to, values), to, reference or None, columns.names)

    def _body(self, to: str, values: list[str]) -> dict[str, object]:
        body = template(to, self._name, self._language, values)
        if self._columns.named:
            parameters = body["template"]["components"][0]["parameters"]
            for one, name in zip(parameters, self._columns.names, strict=True):
                one["parameter_name"] = name
        if BSUID.fullmatch(to):  # our column takes both; Meta's `to` would lose it
            body["recipient"] = body.pop("to")
        return body


def _delimiter(header: str) -> str:
    """The one that makes `to` a column of its own; the most frequent when none does."""

    def cells(delimiter: str) -> list[str]:
        try:
            return [cell.strip().lower() for cell in next(csv.reader([header], delimiter=delimiter))]
        except (csv.Error, StopIteration):
            return []

    return max(DELIMITERS, key=lambda one: ("to" in cells(one), len(cells(one))))


def _columns(header: list[str]) -> Columns:
    names = [_spelled(cell) for cell in header]
    while names and not names[-1]:
        names.pop()
    twice = sorted(name for name, count in Counter(filter(None, names)).items() if count > 1)
    if twice:
        raise BadList(f"The first line names {_listed(twice)} twice: give every column a name of its own.")
    if "to" not in names:
        raise BadList(
            f"The first line names no column `to`; it names {_listed(filter(None, names)) or 'none'}."
        )
    if "" in names:
        raise BadList(f"Column {names.index('') + 1} has no name in the first line: name it or take it out.")
    values = {name: place for place, name in enumerate(names) if name not in _OURS}
    places = [name for name in values if _PLACE.fullmatch(name)]
    unknown = [name for name in values if not _PLACE.fullmatch(name) and not _NAME.fullmatch(name)]
    if unknown or (places and len(places) < len(values)):
        unknown = unknown or [name for name in values if name not in places]
        raise BadList(
            f"Nobody knows what {_listed(unknown)} means: columns are `to`, `reference` and the template's"
            " values, either all under their places 1, 2, ... or all under their names."
        )
    if places and sorted(map(int, places)) != list(range(1, len(places) + 1)):
        raise BadList(
            f"The columns {_listed(places)} leave a gap: the template's values are 1, 2, ... in a row."
        )
    order = sorted(values, key=int) if places else list(values)
    return Columns(
        width=len(names),
        to=names.index("to"),
        reference=names.index("reference") if "reference" in names else None,
        values=tuple((name, values[name]) for name in order),
        named=bool(values) and not places,
    )


def _spelled(cell: str) -> str:
    name = cell.strip().removeprefix("\ufeff").strip()
    return name.lower() if name.lower() in _OURS else name


def _listed(names: Iterator[str] | list[str]) -> str:
    return ", ".join(f"`{name[:60]}`" for name in names)
