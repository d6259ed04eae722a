"""The error catalogue: its file, its look-up and what it refuses to load."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp.catalogue import ErrorCode, catalogue, catalogue_from
from whatsapp.catalogue_rows import COLUMNS, span

GOOD = {
    "code": "RBC201",
    "name": "A name",
    "http_status": "401",
    "where": "sync",
    "on_send": "refused",
    "stops": "account",
    "retryable": "never",
    "retry_after_hint": "",
    "owner": "sender",
    "meaning": "A meaning.",
    "action": "An action.",
}


def file_of(*changes: dict[str, str]) -> str:
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    rows.writeheader()
    rows.writerows({**GOOD, **change} for change in ({}, *changes))
    return text.getvalue()


def test_every_code_of_the_file_is_found_as_itself() -> None:
    path = Path(__file__).parents[2] / "whatsapp" / "error_codes.csv"
    with path.open(newline="", encoding="utf-8") as file:
        codes = [row["code"] for row in csv.DictReader(file)]
    assert len(codes) >= 165
    for code in codes:
        numbers = span(code)
        asked = code if numbers is None else str(numbers[-1])
        found = catalogue().lookup(asked)
        assert found.known
        assert found.code == asked
        assert found.meaning.endswith(".")
        assert found.action.endswith(".")


def test_the_catalogue_is_read_once() -> None:
    assert catalogue() is catalogue()


def test_a_number_and_its_text_are_the_same_code() -> None:
    assert catalogue().lookup(131047) == catalogue().lookup(" 131047 ") == catalogue().lookup("0131047")
    assert catalogue().lookup(0).name == "Auth exception"


@pytest.mark.parametrize("code", [4, 80007, 130429, 131056, 131057])
def test_what_meta_refused_unprocessed_is_throttled(code: int) -> None:
    assert catalogue().lookup(code).on_send == "throttled"


@pytest.mark.parametrize("code", [1, 2, 131000, 131016, 133004, "WA500"])
def test_what_may_have_been_sent_is_unknown(code: int | str) -> None:
    assert catalogue().lookup(code).on_send == "unknown"


def test_an_exact_code_wins_over_its_range() -> None:
    assert catalogue().lookup(200).name == "API permission (first of 200-299)"
    assert catalogue().lookup(201).name == catalogue().lookup("299").name == "API permission family"
    assert not catalogue().lookup(300).known
    assert not catalogue().lookup(199).known


def test_both_ends_of_a_range_belong_to_it() -> None:
    assert catalogue().lookup(2494164).known
    assert catalogue().lookup(2494179).known
    assert not catalogue().lookup(2494180).known


@pytest.mark.parametrize("code", ["RBC202", "rbc999", "RBC"])
def test_every_rbc_code_of_kaleyra_means_bad_credentials(code: str) -> None:
    found = catalogue().lookup(code)
    assert (found.known, found.stops, found.owner) == (True, "account", "sender")
    assert found.code == code.upper()
    assert found.meaning == catalogue().lookup("RBC201").meaning


def test_an_unlisted_401_without_a_number_means_bad_credentials() -> None:
    assert catalogue().lookup("NEW1", 401).stops == "account"
    assert catalogue().lookup(None, 401).stops == "account"
    assert catalogue().lookup(999999, 401).stops == "none"


def test_an_unlisted_code_with_a_server_error_leaves_the_outcome_open() -> None:
    assert catalogue().lookup(999999, 500).on_send == "unknown"
    assert catalogue().lookup(None, 502).on_send == "unknown"
    assert catalogue().lookup(999999, 400).on_send == "refused"


def test_the_http_status_changes_nothing_for_a_listed_code() -> None:
    assert catalogue().lookup(131047, 500) == catalogue().lookup(131047)


def test_code_100_with_subcode_33_speaks_of_the_phone_number_id() -> None:
    found = catalogue().lookup(100, subcode=33)
    assert found.code == "100"
    assert found.owner == "sender"
    assert "PHONE_NUMBER_ID" in found.meaning
    assert "WhatsApp Manager > Phone numbers" in found.action
    assert catalogue().lookup(100, subcode=34) == catalogue().lookup(100)
    assert catalogue().lookup(131009, subcode=33) == catalogue().lookup(131009)


def neutral(found: ErrorCode) -> bool:
    kept = (found.on_send, found.stops, found.retryable, found.owner)
    return kept == ("refused", "none", "never", "unknown") and "catalogue" in found.meaning


def test_no_code_at_all_gets_the_neutral_class() -> None:
    found = catalogue().lookup(None)
    assert not found.known
    assert neutral(found)
    assert "fbtrace_id" in found.action


@given(st.integers() | st.integers(10**5000, 10**5001) | st.text(st.characters(exclude_categories=())))
def test_every_code_is_explained(code: int | str) -> None:
    found = catalogue().lookup(code)
    assert found.known or neutral(found)
    assert found.meaning
    assert found.action
    assert len(found.code) <= 40


@pytest.mark.parametrize("column", ["where", "on_send", "stops", "retryable", "owner", "http_status", "code"])
def test_a_word_outside_its_closed_set_names_row_and_column(column: str) -> None:
    with pytest.raises(ValueError, match=rf"row 3, column {column}: 'ma ybe'"):
        catalogue_from(file_of({"code": "1", column: "ma ybe"}))


@pytest.mark.parametrize("column", ["name", "meaning", "action"])
def test_an_empty_explanation_names_row_and_column(column: str) -> None:
    with pytest.raises(ValueError, match=rf"row 3, column {column}: '' is empty"):
        catalogue_from(file_of({"code": "1", column: ""}))


@pytest.mark.parametrize(
    ("codes", "fault"),
    [
        (("7", "7"), "row 4, column code: '7' is there twice"),
        (("200-299", "200-299"), "row 4, column code: '200-299' is there twice"),
        (("200-299", "299-300"), "row 4, column code: '299-300' overlaps 200-299"),
        (("5", "9-9"), "row 4, column code: '9-9' is a range that does not go up"),
        (("5", "9-3"), "row 4, column code: '9-3' is a range that does not go up"),
        (("5", "05"), "row 4, column code: '05' is neither"),
    ],
)
def test_codes_that_contradict_each_other_are_refused(codes: tuple[str, str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        catalogue_from(file_of(*({"code": code} for code in codes)))


def test_a_code_may_stand_beside_a_range_that_holds_it() -> None:
    loaded = catalogue_from(file_of({"code": "200-299", "name": "many"}, {"code": "200", "name": "one"}))
    assert (loaded.lookup(200).name, loaded.lookup(201).name) == ("one", "many")


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"row 3, column name"):
        catalogue_from(file_of() + "1,two\n")


def test_another_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1"):
        catalogue_from(file_of().replace("meaning", "sense", 1))


def test_a_file_without_kaleyras_credentials_row_is_refused() -> None:
    with pytest.raises(ValueError, match="RBC201 is missing"):
        catalogue_from(",".join(COLUMNS) + "\n")
