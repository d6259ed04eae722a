"""Masks show enough to tell two apart and never enough to reach anybody."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp.recipient import mask, mask_phone, mask_user_id, mask_wamid, scrub

SEVEN = re.compile(r"\d{7}")


def wamid(number: str, ending: str = "9A3CA5B3D4CD6E67E7") -> str:
    """An id of the shape that Meta gives: the recipient's digits in clear inside base64."""
    inside = (
        b"\x1c\x18" + bytes([len(number)]) + number.encode() + b"\x15\x02\x00\x11\x18\x12" + ending.encode()
    )
    return "wamid." + base64.b64encode(inside + b"\0").decode()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+919812345678", "+91 98•••••678"),
        ("919812345678", "+91 98•••••678"),
        ("+16315551234", "+1 63•••••234"),
        ("(631) 555-1234", "63•••••234"),
        ("+4512345678", "+45 ••••••78"),
        ("+290 1234", "+290 ••••"),
        ("12", "•••"),
        ("", "•••"),
        (None, "•••"),
    ],
)
def test_a_phone_keeps_its_country_and_a_few_digits(value: str | None, shown: str) -> None:
    assert mask_phone(value) == shown


def test_a_user_id_keeps_its_country_and_its_end() -> None:
    assert mask_user_id("US.13491208655302741918") == "US.•••1918"
    assert mask_user_id("US.ENT.506847293015824") == "US.ENT.•••5824"
    assert mask_user_id("US.12345") == "US.•••"
    assert mask_user_id("nonsense") == "•••"


@given(number=st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_a_wamid_keeps_nothing_that_decodes_to_the_number(number: str) -> None:
    shown = mask_wamid(wamid(number))
    assert re.fullmatch(r"wamid\.…[A-Za-z0-9+/=]{6}", shown)
    assert wamid(number).endswith(shown[-6:])
    whole = wamid(number).removeprefix("wamid.")
    last_of_number = (3 + len(number) + 2) // 3 * 4  # characters of base64 that the number reaches into
    assert len(whole) - 6 >= last_of_number


@pytest.mark.parametrize("length", range(6, 46))
def test_a_wamid_that_was_cut_shows_nothing_of_the_number(length: int) -> None:
    assert mask_wamid(wamid("919812345678")[:length]) == "wamid.…"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+919812345678", "+91 98•••••678"),
        ("US.13491208655302741918", "US.•••1918"),
        (wamid("919812345678"), mask_wamid(wamid("919812345678"))),
        ("Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD", "•••jAZD"),
        ("abc", "•••"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_mask_follows_the_shape(value: str | None, shown: str) -> None:
    assert mask(value) == shown


ANY = st.text(st.characters(exclude_categories=()))


@given(ANY | st.text("0123456789+ .wamidUSENT"))
def test_no_mask_shows_seven_digits_in_a_row(value: str) -> None:
    for shown in (mask(value), mask_phone(value), mask_user_id(value), mask_wamid(value)):
        assert not SEVEN.search(shown)


def test_outside_texts_lose_their_numbers_and_keep_their_sense() -> None:
    text = (
        "(#131026) Message to +91 98123-45678 (wa_id 919812345678) undeliverable, see "
        f"{wamid('919812345678')}. User US.13491208655302741918 may retry on 2026-11-25 10:00 after 24 hours."
    )
    assert scrub(text) == (
        "(#131026) Message to +91 98•••••678 (wa_id +91 98•••••678) undeliverable, see "
        f"{mask_wamid(wamid('919812345678'))}. User US.•••1918 may retry on 2026-11-25 10:00 after 24 hours."
    )


@pytest.mark.parametrize(
    "text",
    ["(631) 555-1234", "555 1234", "98/123/45/678", "9 8 1 2 3 4 5", "981\u200b234\u20115678", "1" * 30],
)
def test_numbers_are_found_however_they_are_spaced(text: str) -> None:
    assert "•" in scrub(f"to {text}!")
    assert not re.search(r"\d{4}", scrub(f"to {text}!"))


@pytest.mark.parametrize(
    "text", ["", "(#131047) Re-engagement message", "HTTP 503 after 10.5 s", "OK. Thanks", "v26.0"]
)
def test_a_text_without_identifiers_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


def test_a_wamid_is_found_in_an_address_and_without_its_prefix() -> None:
    whole = wamid("919812345678")
    for spelling in (whole, whole.replace("=", "%3D"), whole.removeprefix("wamid.")):
        assert scrub(f"GET /messages/{spelling} failed") == f"GET /messages/{mask_wamid(spelling)} failed"


PIECES = st.lists(
    st.sampled_from(
        ["wamid.", "US.", "ENT.", "HBg", "(#", ")", "+", "(", " ", "-", "2026-11-22", "١٢٣", "9", "1234"]
    )
    | st.from_regex(r"[0-9]{1,20}", fullmatch=True)
    | ANY,
    max_size=12,
).map("".join)


@given(PIECES)
def test_scrubbing_never_leaves_seven_digits_in_a_row(text: str) -> None:
    assert not SEVEN.search(scrub(text))


@given(st.from_regex(r"[1-9][0-9]{8,14}", fullmatch=True), st.sampled_from(["", " ", "-", ".", ") ("]))
def test_scrubbing_never_leaves_a_number_that_was_spaced(number: str, between: str) -> None:
    shown = scrub(f"to {between.join(number)} now")
    assert sum(sign.isdigit() for sign in shown) <= 8
