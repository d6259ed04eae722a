"""Reading recipients as people type them, and never guessing."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from whatsapp.recipient import InvalidRecipient, Recipient, digits, parse_recipient


@pytest.mark.parametrize(
    ("typed", "country", "value"),
    [
        ("+91 98123 45678", None, "+919812345678"),
        ("+91-98123-45678", None, "+919812345678"),
        ("(+91) 98123.45678", None, "+919812345678"),
        ("0091 98123 45678", None, "+919812345678"),
        ("0091 98123 45678", "US", "+919812345678"),
        ("011 91 98123 45678", "US", "+919812345678"),
        ("(631) 555-1234", "US", "+16315551234"),
        ("631.555.1234", "us", "+16315551234"),
        ("098123 45678", "IN", "+919812345678"),
        ("9812345678", "IN", "+919812345678"),
        ("91 98123 45678", "IN", "+919812345678"),
        ("91 98123 45678", None, "+919812345678"),
        ("919812345678", None, "+919812345678"),
        ("919812345678", "IN", "+919812345678"),
        ("16505551111", "IN", "+16505551111"),
        ("+44 (0) 7911 123456", None, "+447911123456"),
        ("+91 098123 45678", None, "+919812345678"),
        ("+39 06 1234567", None, "+39061234567"),
        ("\u202a+91\u00a098123\u201145678\u202c", None, "+919812345678"),
        ("＋９１ ９８１２３ ４５６７８", None, "+919812345678"),
        ("+٩١٩٨١٢٣٤٥٦٧٨", None, "+919812345678"),
        ("'+919812345678", None, "+919812345678"),
        ("13812345678", "CN", "+8613812345678"),
    ],
)
def test_what_people_type_becomes_one_international_number(
    typed: str, country: str | None, value: str
) -> None:
    assert parse_recipient(typed, country) == Recipient("phone", value)


@pytest.mark.parametrize("wa_id", ["5215512345678", "551187654321", "5491112345678", "24106031234"])
@pytest.mark.parametrize("country", [None, "MX", "BR", "IN"])
def test_an_id_that_meta_gave_us_is_never_corrected(wa_id: str, country: str | None) -> None:
    assert parse_recipient(wa_id, country).value == f"+{wa_id}"
    assert parse_recipient(f"+{wa_id}", country).value == f"+{wa_id}"


@pytest.mark.parametrize(
    "typed",
    ["(631) 555-1234", "9812345678", "098123 45678", "09812345678", "(51) 98765-4321", "98 123 456 789"],
)
def test_a_number_without_country_code_is_refused_not_guessed(typed: str) -> None:
    with pytest.raises(InvalidRecipient, match="country code"):
        parse_recipient(typed)


def test_digits_that_read_two_ways_are_refused() -> None:
    # a mobile of Porto Alegre, or one of Peru
    with pytest.raises(InvalidRecipient, match=r"with its own country code and as one of the default"):
        parse_recipient("51987654321", "BR")
    assert parse_recipient("(51) 98765-4321", "BR").value == "+5551987654321"
    assert parse_recipient("+51987654321", "BR").value == "+51987654321"


@pytest.mark.parametrize("typed", ["555-1234", "12", "()", "-", "919812345678901234"])
def test_what_does_not_fit_the_default_country_is_refused(typed: str) -> None:
    with pytest.raises(InvalidRecipient, match="default country"):
        parse_recipient(typed, "US")


@pytest.mark.parametrize("typed", ["9.19812E+11", "9,19812e+11", "+9.19812E11", "9E+11"])
def test_a_number_that_a_spreadsheet_spoilt_is_explained(typed: str) -> None:
    with pytest.raises(InvalidRecipient, match=r"spreadsheet.*scientific notation"):
        parse_recipient(typed)


def test_a_number_with_decimals_is_not_read_with_another_digit() -> None:
    with pytest.raises(InvalidRecipient, match=r"spreadsheet.*decimal"):
        parse_recipient("919812345678.0", "IN")


@pytest.mark.parametrize(
    "typed",
    [
        "+91 98123 45678 ext 5",
        "1-800-FLOWERS",
        "+919812345678, +919812345679",
        "+919812345678/9",
        "+91+9812345678",
        "us.13491208655302741918",
        "wamid.HBgM",
        "hello",
        "+",
    ],
)
def test_letters_and_second_numbers_are_refused(typed: str) -> None:
    with pytest.raises(InvalidRecipient, match="signs that belong to no phone number"):
        parse_recipient(typed, "IN")


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("+123456", "has 6 digits"),
        ("+9198123456789012", "has 16 digits"),
        ("+0919812345678", "no known country code"),
        ("+01 631 555 1234", "no known country code"),
        ("000919812345678", "no known country code"),
        ("+-", "no known country code"),
        ("+2101234567", "no known country code"),
        ("", "is empty"),
        (" \u200b\n", "is empty"),
    ],
)
def test_an_impossible_number_is_refused(typed: str, fault: str) -> None:
    with pytest.raises(InvalidRecipient, match=fault):
        parse_recipient(typed)


def test_an_unknown_default_country_is_said_to_be_so() -> None:
    with pytest.raises(InvalidRecipient, match="default country is not known"):
        parse_recipient("9812345678", "XX")


@pytest.mark.parametrize(
    "user_id", ["US.13491208655302741918", "US.ENT.506847293015824", "IN.a1B2", "DE." + "9" * 128]
)
def test_a_business_scoped_user_id_is_taken_as_it_is(user_id: str) -> None:
    assert parse_recipient(f" {user_id} ", "IN") == Recipient("user_id", user_id)


def test_a_user_id_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidRecipient):
        parse_recipient("DE." + "9" * 129)


def test_a_groups_id_is_opaque() -> None:
    group_id = "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD"
    assert parse_recipient(f" {group_id} ", group=True) == Recipient("group", group_id)
    assert parse_recipient("919812345678", group=True).kind == "group"


@pytest.mark.parametrize("typed", ["", "  ", "a\0b"])
def test_a_groups_id_is_neither_empty_nor_unprintable(typed: str) -> None:
    with pytest.raises(InvalidRecipient):
        parse_recipient(typed, group=True)


TYPED = st.text("0123456789 +-().eE'", max_size=24) | st.from_regex(r"\+?[0-9]{5,17}", fullmatch=True)
COUNTRIES = st.sampled_from([None, "IN", "US", "BR", "MX", "AR", "IT", "GB", "GA", "DE", "XX"])


@given(typed=TYPED | st.text(st.characters(exclude_categories=()), max_size=30), country=COUNTRIES)
@example(typed="+8001234", country=None)
def test_every_text_is_read_or_refused_without_repeating_it(typed: str, country: str | None) -> None:
    try:
        found = parse_recipient(typed, country)
    except InvalidRecipient as refusal:
        sentence = str(refusal)
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert len(digits(typed)) < 4 or digits(typed) not in sentence
    else:
        assert found.kind == "user_id" or (found.value[0] == "+" and 7 <= len(digits(found.value)) <= 15)


@given(typed=TYPED, country=COUNTRIES, later=COUNTRIES)
@example(typed="0100", country="DE", later=None)
def test_what_was_read_reads_as_itself_again(typed: str, country: str | None, later: str | None) -> None:
    try:
        found = parse_recipient(typed, country)
    except InvalidRecipient:
        return
    assert parse_recipient(found.value, later) == found


def test_digits_are_the_same_in_every_spelling() -> None:
    assert digits("+91 (98123) 45-678") == digits("٩١٩٨١٢٣٤٥٦٧٨") == digits("919812345678") == "919812345678"
    assert digits("none²") == ""
