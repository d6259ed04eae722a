"""Which market a message is priced in: the country of its recipient, as Meta's rate cards name it."""

import phonenumbers

from whatsapp.masking import BSUID

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)


def market(recipient: str) -> str | None:
    """ISO 3166 country, two capitals; None when it cannot be told (groups, numbers of no country).

    `recipient` as sent: phone digits with or without '+', a business-scoped user id, or a group's id.
    """
    user_id = BSUID.fullmatch(recipient)
    if user_id is not None:
        return user_id[1]
    number = recipient.removeprefix("+")
    if not (number.isascii() and number.isdecimal()):
        return None
    try:
        parsed = phonenumbers.parse(f"+{number}", None)
    except phonenumbers.NumberParseException:
        return None
    # Several countries share +1 and +7. Of a number that is valid in none, the first of them is taken.
    code = parsed.country_code or 0
    found = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(code)
    return found if found in COUNTRIES else None
