"""Who a message goes to: reading what people type, and hiding it again for display.

Meta puts the *sending* number's country code before digits that have none, so "(631) 555-1234" sent from
India reaches a stranger. Therefore a number is sent in full international form or not at all. Ids that
Meta itself gave us are taken as they are, also where they are no valid numbers (Mexico with the old 1,
Brazil without the 9). Source: Meta, "Send messages", on phone number formats and user ids.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneNumber, PhoneNumberFormat

from whatsapp.masking import (
    BSUID,
    WA_ID_SHORTEST,
    calling_code,
    digits,
    mask,
    mask_phone,
    mask_user_id,
    mask_wamid,
    scrub,
)

__all__ = [
    "InvalidRecipient",
    "Recipient",
    "digits",
    "mask",
    "mask_phone",
    "mask_user_id",
    "mask_wamid",
    "parse_recipient",
    "scrub",
]

_SHORTEST, _LONGEST = 7, 15  # digits of a full international number (E.164)
_SCIENTIFIC = re.compile(r"\+?\d+(?:[.,]\d+)?[eE]\+?\d+")
_DECIMAL = re.compile(r"\+?\d{7,}[.,]0{1,2}")
_TYPED = re.compile(r"\(?\+?[\d\s().\-]+")


class InvalidRecipient(ValueError):
    """Not a recipient. The text is one sentence for whoever typed it and never repeats what was typed."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """`value`: a phone as '+' and digits (E.164), a business-scoped user id, or a group's opaque id."""

    kind: Literal["phone", "user_id", "group"]
    value: str


def parse_recipient(typed: str, default_country: str | None = None, group: bool = False) -> Recipient:
    """Reads a recipient as people and jobs write one. `default_country`: two letters, such as "IN".

    Raises InvalidRecipient. What it returns reads as itself again.
    """
    text = _readable(typed)
    if not text:
        raise InvalidRecipient("The recipient is empty: give a phone number with + and its country code.")
    if group and not typed.strip().isprintable():
        raise InvalidRecipient("The group's id holds a sign that cannot be shown: copy the id anew.")
    if group:
        return Recipient("group", typed.strip())
    if BSUID.fullmatch(text):
        return Recipient("user_id", text)
    _refuse_what_is_no_number(text)
    return Recipient("phone", _international(text, default_country))


def _readable(typed: str) -> str:
    """Without the invisible signs that a copied number brings along, and with plain digits and dashes."""
    signs = (sign for sign in unicodedata.normalize("NFKC", typed) if unicodedata.category(sign) != "Cf")
    plain = ("-" if unicodedata.category(sign) == "Pd" or sign == "−" else sign for sign in signs)
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in plain).strip().removeprefix("'")


def _refuse_what_is_no_number(text: str) -> None:
    if _SCIENTIFIC.fullmatch(text):
        raise InvalidRecipient(
            "A spreadsheet has turned the phone number into scientific notation and lost digits: "
            "format the column as text, enter the number again and export the file anew."
        )
    if _DECIMAL.fullmatch(text):
        raise InvalidRecipient(
            "A spreadsheet has turned the phone number into a decimal number: format the column as text "
            "and export the file anew."
        )
    if not _TYPED.fullmatch(text):
        raise InvalidRecipient(
            "The recipient holds signs that belong to no phone number: give one number, with + and its "
            "country code, without letters or an extension."
        )


def _international(text: str, default_country: str | None) -> str:
    number = digits(text)
    if "+" in text:
        return _full(number)
    if number.startswith("00"):
        return _full(number[2:])
    if default_country is None:
        return _without_country(text, number)
    return _with_default(text, number, default_country.strip().upper())


def _full(number: str) -> str:
    """'+' and the digits of a number that was written with its country code."""
    if not calling_code(number):
        raise InvalidRecipient(
            "The phone number begins with no known country code: write + and the country code, such as +91, "
            "before it."
        )
    if not _SHORTEST <= len(number) <= _LONGEST:
        raise InvalidRecipient(
            f"The phone number has {len(number)} digits, but a full international number has {_SHORTEST} to "
            f"{_LONGEST}: check that none is missing or doubled."
        )
    return _without_trunk_zero(f"+{number}")


def _without_country(text: str, number: str) -> str:
    # Meta's ids are bare digits. Of what people space out, only a valid number is surely a whole one, and
    # brackets show an area code.
    whole = len(number) >= WA_ID_SHORTEST and bool(calling_code(number)) and "(" not in text
    if not whole or not (text.isdigit() or _is_valid(f"+{number}")):
        raise InvalidRecipient(
            "The phone number has no country code: write + and the country code, such as +91, before it, or "
            "set a default country."
        )
    return _full(number)


def _with_default(text: str, number: str, country: str) -> str:
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidRecipient("The default country is not known: give its two letters, such as IN.")
    national = _national(text, country)
    if not _is_whole(text, number):
        return _possible(national)
    if national is None or not phonenumbers.is_valid_number(national) or _e164(national) == f"+{number}":
        return _full(number)
    if _is_valid(f"+{number}"):
        raise InvalidRecipient(
            "The phone number can be read with its own country code and as one of the default country: write "
            "+ and the country code before it."
        )
    return _full(digits(_e164(national)))


def _is_whole(text: str, number: str) -> bool:
    """Bare digits that may be a whole number, as Meta writes a WhatsApp id."""
    return text.isdigit() and WA_ID_SHORTEST <= len(number) <= _LONGEST and calling_code(number) != ""


def _national(text: str, country: str) -> PhoneNumber | None:
    """The number read within the country; None when it is none there or names its country itself."""
    try:
        parsed = phonenumbers.parse(text, country, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None
    whole = parsed.country_code_source == CountryCodeSource.FROM_NUMBER_WITHOUT_PLUS_SIGN
    return None if whole and text.isdigit() and len(text) >= WA_ID_SHORTEST else parsed


def _possible(national: PhoneNumber | None) -> str:
    possible = phonenumbers.ValidationResult.IS_POSSIBLE
    if national is None or phonenumbers.is_possible_number_with_reason(national) != possible:
        raise InvalidRecipient(
            "The phone number does not fit the default country: check its digits and the area code, or write "
            "+ and the country code before it."
        )
    return _full(digits(_e164(national)))  # some countries have numbers too short for WhatsApp


def _without_trunk_zero(number: str) -> str:
    """Drops the 0 of "+44 (0) 20 ...", which is never dialled from abroad, if only so the number is valid."""
    parsed = _parsed(number)
    short = _e164(parsed)
    abroad = f"+{parsed.country_code}"
    if number != f"{abroad}0{short.removeprefix(abroad)}":
        return number
    as_typed = PhoneNumber(
        country_code=parsed.country_code, national_number=parsed.national_number, italian_leading_zero=True
    )
    if phonenumbers.is_valid_number(as_typed) or not phonenumbers.is_valid_number(parsed):
        return number
    return short


def _is_valid(number: str) -> bool:
    return phonenumbers.is_valid_number(_parsed(number))


def _parsed(number: str) -> PhoneNumber:
    return phonenumbers.parse(number, None)


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
