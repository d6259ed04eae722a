"""The webhook signature and the verify tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp.signature import matching_secret, sign, tokens_match

SECRETS = st.text(min_size=1, max_size=80)


def test_the_signature_is_hmac_sha256_of_the_raw_bytes() -> None:
    # RFC 4231, test case 2
    expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign("Jefe", b"what do ya want for nothing?") == expected


@given(before=st.lists(SECRETS, max_size=3), secret=SECRETS, body=st.binary())
def test_what_was_signed_matches_the_first_secret_that_is_equal(
    before: list[str], secret: str, body: bytes
) -> None:
    secrets = [*before, secret, secret]
    found = matching_secret(secrets, body, sign(secret, body))
    assert found is not None
    # HMAC pads a short key with zero bytes, so "a" and "a\0" sign alike
    assert secrets[found].rstrip("\0") == secret.rstrip("\0") or len(secret.encode()) > 64
    assert found <= len(before)


@given(secret=SECRETS, body=st.binary(min_size=1), data=st.data())
def test_one_flipped_bit_of_the_body_is_refused(secret: str, body: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(body) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = body[:place] + bytes([body[place] ^ bit]) + body[place + 1 :]
    assert matching_secret([secret], changed, sign(secret, body)) is None


@given(secret=SECRETS, body=st.binary(), place=st.integers(7, 70))
def test_one_changed_digit_of_the_header_is_refused(secret: str, body: bytes, place: int) -> None:
    header = sign(secret, body)
    other = "0" if header[place] != "0" else "1"
    assert matching_secret([secret], body, header[:place] + other + header[place + 1 :]) is None


@given(secret=SECRETS, body=st.binary(), header=st.none() | st.text(st.characters(exclude_categories=())))
def test_no_header_however_mangled_raises_or_matches(secret: str, body: bytes, header: str | None) -> None:
    assert matching_secret([secret], body, header) is None


def test_a_wrong_secret_is_refused() -> None:
    assert matching_secret(["right"], b"{}", sign("wrong", b"{}")) is None


def test_an_older_secret_is_found_by_its_place() -> None:
    assert matching_secret(["new", "old"], b"{}", sign("old", b"{}")) == 1


def test_blanks_around_and_upper_case_digits_are_accepted() -> None:
    header = sign("s", b"{}")
    assert matching_secret(["s"], b"{}", f" {header}\t") == 0
    assert matching_secret(["s"], b"{}", "sha256=" + header[7:].upper()) == 0


@pytest.mark.parametrize("form", ["", "sha1=", "SHA256=", "sha256:", "sha512="])
def test_only_the_sha256_form_counts(form: str) -> None:
    assert matching_secret(["s"], b"{}", form + sign("s", b"{}")[7:]) is None


def test_an_empty_secret_never_matches() -> None:
    assert matching_secret(["", "s"], b"{}", sign("", b"{}")) is None
    assert matching_secret([], b"{}", sign("", b"{}")) is None


def test_every_listed_token_matches_and_no_other() -> None:
    assert tokens_match(["new", "äöü"], "new")
    assert tokens_match(["new", "äöü"], "äöü")
    assert not tokens_match(["new", "äöü"], "ne")
    assert not tokens_match([], "new")


@pytest.mark.parametrize("given_token", [None, ""])
def test_an_empty_token_never_matches(given_token: str | None) -> None:
    assert not tokens_match(["", "new"], given_token)


@given(
    tokens=st.lists(st.text(max_size=5)),
    given_token=st.text(st.characters(exclude_categories=()), max_size=5),
)
def test_a_token_matches_exactly_when_it_is_listed(tokens: list[str], given_token: str) -> None:
    assert tokens_match(tokens, given_token) == (given_token != "" and given_token in tokens)
