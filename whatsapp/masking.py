"""Hides phone numbers, user ids and wamids for display: enough stays to tell two apart, not to reach anybody.

A wamid holds the recipient's number in base64, so it is treated like a number. No mask shows more than
six digits in a row, and `scrub` leaves no seven of them in a text.
"""

import re
import unicodedata

import phonenumbers

from whatsapp.erased import erased_on

DOT = "•"
BSUID = re.compile(r"([A-Z]{2})\.((?:ENT\.)?)([A-Za-z0-9]{1,128})")
WA_ID_SHORTEST = 11  # fewer bare digits are more likely a national number than a whole one
_CALLING_CODES = frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
_WAMID_TAIL = 6
_WAMID_WHOLE = 40  # shorter ones are cut or invented: their end may be the part that holds the number

# What people and programs put between digits: blanks, brackets, dashes, and signs that nobody sees.
BETWEEN = r"[\s()\[\]./_\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060\u2066-\u2069\u2212\ufeff-]"

# The first two are kept, the others masked. Masked runs are taken greedily, so that what follows one never
# begins with a digit that would lengthen it.
_SENSITIVE = re.compile(
    r"(?P<code>\(#[0-9]{1,6}\))"
    r"|(?P<date>(?<!\d)20[0-9]{2}-[01][0-9]-[0-3][0-9](?:[T ][0-2][0-9](?::[0-5][0-9]){1,2})?(?!\d))"
    r"|(?P<wamid>wamid\.[\w+/=%-]+|(?<!\w)HBg[\w+/=%-]{20,})"
    r"|(?P<user_id>(?<!\w)[A-Z]{2}\.(?:ENT\.)?(?=\w*\d)\w{6,})"
    rf"|(?P<phone>\+?\d(?:{BETWEEN}{{0,3}}\d){{6,}})"
)


def digits(value: str) -> str:
    """Only the digits, as 0 to 9 whatever their script; for looking up a phone in any spelling."""
    return "".join(str(unicodedata.decimal(sign)) for sign in value if sign.isdecimal())


def calling_code(number: str) -> str:
    """The country calling code that these digits begin with; '' when they begin with none."""
    starts = (number[:length] for length in (1, 2, 3))
    return next((start for start in starts if start in _CALLING_CODES), "")


def mask_phone(value: str | None) -> str:
    """`+91 98•••••678`: calling code, the first two digits and the last three; less of short numbers."""
    number = digits(value or "")
    whole = "+" in (value or "") or len(number) >= WA_ID_SHORTEST
    code = calling_code(number) if whole else ""
    national = number[len(code) :]
    start = f"+{code} " if code else ""
    if len(national) >= 9:
        return f"{start}{national[:2]}{DOT * (len(national) - 5)}{national[-3:]}"
    if len(national) >= 7:
        return f"{start}{DOT * (len(national) - 2)}{national[-2:]}"
    return f"{start}{DOT * max(len(national), 3)}"


def mask_user_id(value: str | None) -> str:
    """`US.•••1918`: the country and the last four characters of a business-scoped user id."""
    match = BSUID.fullmatch(value or "")
    if match is None:
        return DOT * 3
    country, parent, rest = match.groups()
    return f"{country}.{parent}{DOT * 3}{rest[-4:] if len(rest) >= 12 else ''}"


def mask_wamid(value: str | None) -> str:
    """`wamid.…` and the last six characters, which lie past the part that decodes to the number."""
    if value and erased_on(value):
        return value  # it names nobody
    body = (value or "").removeprefix("wamid.")
    return f"wamid.…{body[-_WAMID_TAIL:] if len(body) >= _WAMID_WHOLE else ''}"


def mask(value: str | None) -> str:
    """Masks one identifier by its shape; any other (a group's id) keeps its last four characters."""
    text = (value or "").strip()
    if not text or erased_on(text):
        return text
    if text.startswith("wamid."):
        return mask_wamid(text)
    if BSUID.fullmatch(text):
        return mask_user_id(text)
    if not any(sign.isalpha() for sign in text):
        return mask_phone(text)
    return f"{DOT * 3}{text[-4:] if len(text) >= 12 else ''}"


def scrub(text: str) -> str:
    """The text with everything that looks like a phone number (7 digits or more), wamid or user id masked.

    Meta's `(#131026)` and ISO dates stay readable.
    """
    return _SENSITIVE.sub(_masked, text)


def _masked(match: re.Match[str]) -> str:
    found = match.group()
    if match.lastgroup == "wamid":
        return mask_wamid(found)
    if match.lastgroup == "user_id":
        return mask_user_id(found)
    if match.lastgroup == "phone":
        return mask_phone(found)
    return found
