"""What an error code of Meta or Kaleyra means: whose matter it is, whether to try again, what to do.

The facts lie in `error_codes.csv` beside this file, one row a code or a range of codes, and are checked
when they are read. Decide by the code alone: Meta says that titles and HTTP statuses change.
Source: Meta, "WhatsApp Cloud API error codes"; Kaleyra, "WhatsApp API v2 error codes".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType

from whatsapp.catalogue_rows import ErrorCode, read_rows, span

__all__ = ["Catalogue", "ErrorCode", "catalogue", "catalogue_from"]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All codes, exact ones and ranges."""

    exact: Mapping[str, ErrorCode]
    ranges: tuple[tuple[range, ErrorCode], ...]

    def lookup(
        self, code: int | str | None, http_status: int | None = None, *, subcode: int | None = None
    ) -> ErrorCode:
        """Explains any code; never raises for one. An exact row wins over a range.

        `http_status` helps only with a code that is not listed: 401 without a number of Meta's is Kaleyra
        refusing the credentials, and 5xx leaves open whether the message was taken. `subcode` 33 of code 100
        is the PHONE_NUMBER_ID.
        """
        word = _word(code)
        found = self.exact.get(word) or self._in_range(word)
        if found is None:
            return self._family(word, http_status)
        if word == "100" and subcode == 33:
            return _wrong_phone_number_id(found)
        return found

    def _in_range(self, word: str) -> ErrorCode | None:
        if not (word.isascii() and word.isdigit()):
            return None
        return next((replace(row, code=word) for numbers, row in self.ranges if int(word) in numbers), None)

    def _family(self, word: str, http_status: int | None) -> ErrorCode:
        bad_credentials = self.exact["RBC201"]
        if word.startswith("RBC"):
            return replace(bad_credentials, code=word)
        if http_status == 401 and not word.isdigit():
            return replace(bad_credentials, code=word, known=False)
        return _not_listed(word, http_status)


@cache
def catalogue() -> Catalogue:
    """The project's catalogue, read once. Raises ValueError, naming row and column, if the file is wrong."""
    text = resources.files("whatsapp").joinpath("error_codes.csv").read_text(encoding="utf-8")
    return catalogue_from(text)


def catalogue_from(text: str) -> Catalogue:
    """A catalogue from the text of such a file. Raises ValueError, naming row and column."""
    rows = read_rows(text)
    exact = {code: row for code, row in rows.items() if span(code) is None}
    if "RBC201" not in exact:
        raise ValueError(
            "error_codes.csv, column code: RBC201 is missing; it explains every RBC code of Kaleyra."
        )
    ranges = tuple((numbers, row) for code, row in rows.items() if (numbers := span(code)) is not None)
    return Catalogue(MappingProxyType(exact), ranges)


def _word(code: int | str | None) -> str:
    """The code as the catalogue spells it. What is no code anyway is only cut, so that it stays showable."""
    if code is None:
        return ""
    if isinstance(code, int):
        return str(int(code)) if abs(code) < 10**18 else ""  # str() refuses integers of thousands of digits
    word = code.strip().upper()[:40]
    return (word.lstrip("0") or "0") if word.isascii() and word.isdigit() else word


def _wrong_phone_number_id(row: ErrorCode) -> ErrorCode:
    return replace(
        row,
        name="PHONE_NUMBER_ID does not exist or is not ours",
        owner="sender",
        meaning="The PHONE_NUMBER_ID that the message was sent from does not exist, or it is not ours: the "
        "account at Kaleyra may not use it.",
        action="This is not a phone number but the PHONE_NUMBER_ID, a number of about 15 digits found in "
        "WhatsApp Manager > Phone numbers, or in the app's API set-up: compare it, and ask Kaleyra if it is "
        "right.",
    )


def _not_listed(word: str, http_status: int | None) -> ErrorCode:
    open_end = http_status is not None and http_status >= 500
    return ErrorCode(
        code=word,
        name="Not in the catalogue",
        http_status=http_status,
        where="both",
        on_send="unknown" if open_end else "refused",
        stops="none",
        retryable="never",
        retry_after_hint="",
        owner="unknown",
        meaning="This code is not in the catalogue."
        if word
        else "The error came without a code, so it is not in the catalogue.",
        action="Read its title and details, and ask Kaleyra or Meta support with the fbtrace_id.",
        known=False,
    )
