"""The file of a list: which kind it is, its digest, and its rows one by one."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sender.bulk_csv import CsvRows
from sender.bulk_lines import BadList, Fault, Lines, Row, text_of
from sender.bulk_ndjson import ndjson_rows

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Listed:
    """An open list. `columns`: of the template's values, in order; `named`: they are names, not places."""

    rows: Iterator[Row | Fault]
    columns: tuple[str, ...] = ()
    named: bool = False
    is_csv: bool = False


@contextmanager
def opened(path: Path, template: str | None, language: str | None) -> Iterator[Listed]:
    """The list. Raises BadList when it cannot be used as a whole, OSError when it cannot be read."""
    is_json = _is_json(path)
    with path.open("rb") as file, text_of(file) as text:
        lines = Lines(text)
        if is_json:
            if template is not None:
                raise BadList(
                    "The list holds payloads, and each names its own template: leave out --template and"
                    " --language."
                )
            yield Listed(ndjson_rows(lines))
            return
        if template is None or language is None:
            raise BadList(
                "A list as CSV fills a template: name it with --template NAME --language CODE. For other"
                " messages give one payload a line (NDJSON)."
            )
        rows = CsvRows(lines, template, language)
        yield Listed(iter(rows), rows.columns.names, rows.columns.named, is_csv=True)


def digest(path: Path, *terms: str | None) -> bytes:
    """SHA-256 of the file's bytes and of the terms on which it is sent."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            whole.update(block)
    return hashlib.sha256(repr((whole.hexdigest(), *terms)).encode()).digest()


def _is_json(path: Path) -> bool:
    """Whether its first sign is that of a JSON object."""
    with path.open("rb") as file, text_of(file) as text:
        for line in Lines(text):
            start = line.strip("\ufeff \t\r\n")
            if start.startswith("["):
                raise BadList("The list is one JSON list: give one payload a line instead (NDJSON).")
            if start:
                return start.startswith("{")
    return False
