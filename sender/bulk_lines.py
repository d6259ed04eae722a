"""A list as lines of text, whatever program wrote it: its encoding found, each line bounded, lines counted.

What cannot be decoded becomes U+FFFD, so that one bad row is found and not the whole list lost.
"""

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

LONGEST_LINE = 1_000_000  # characters; a payload of Meta's has some thousands
UNREADABLE = "\ufffd"
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class BadList(ValueError):
    """The list as a whole cannot be used; the text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, not checked yet. `line` is where it begins, from 1; `columns` names what fills each variable
    of the template (none when the row is a payload)."""

    line: int
    body: Any
    to: str = ""
    reference: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be used, and why. `kind`: list, template or recipient, whichever has to change."""

    line: int
    reason: str
    to: str = ""
    reference: str | None = None
    kind: str = "list"


def text_of(file: BinaryIO) -> io.TextIOWrapper:
    """The file's text, with line ends as they are. Raises BadList for what is no text."""
    start = file.read(4)
    file.seek(0)
    if start.startswith(b"PK"):
        raise BadList(
            "This is an Excel workbook: save the sheet as CSV UTF-8 (File > Save As) and give that file."
        )
    encoding = next((name for bom, name in _BOMS if start.startswith(bom)), "utf-8")
    if encoding == "utf-8" and b"\0" in start[:2]:  # UTF-16 whose mark was lost
        encoding = "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


class Lines:
    """Iterates over lines with their ends. `number`: of the line given last, from 1."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text
        self.number = 0
        self.overlong = 0  # number of the last line that was longer than LONGEST_LINE, given as empty

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) < LONGEST_LINE or line.endswith(("\n", "\r")):
            return line
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(LONGEST_LINE)
        self.overlong = self.number
        return "\n"


def too_long(line: int, to: str = "") -> Fault:
    return Fault(
        line, f"The line has more than {LONGEST_LINE:,} characters; a closing quote may be missing.", to
    )


def undecodable(line: int, to: str = "") -> Fault:
    return Fault(
        line,
        "The row holds a sign that is not UTF-8: save the list as CSV UTF-8 (File > Save As) and give that"
        " file.",
        to,
    )


def chunks(rows: Iterator[Row | Fault], first: int, size: int) -> Iterator[list[Row | Fault]]:
    """A small first chunk, so that the first message leaves soon, then chunks of `size`."""
    count = first
    while chunk := list(itertools.islice(rows, count)):
        yield chunk
        count = size
