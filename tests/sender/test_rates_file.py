"""Rate cards out of CSV: exact, and every bad line named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.rates_file import RatesFile, read
from store.money import LARGEST, micro, plain, shown
from store.rate_cards import Card, Rate

HEADER = "market,category,valid_from,rate,fee,currency\n"


def of(text: str, header: str = HEADER) -> RatesFile:
    return read((header + text).encode(), "INR")


def test_amounts_stay_exact_and_blanks_have_their_defaults():
    found = of("IN,marketing,2026-10-01,0.8631,0.05,INR\n*,Service,2026-10-01,1,,\n")
    assert found.problems == ()
    assert found.rates == (
        Rate("INR", "IN", "marketing", "2026-10-01", 863_100, 50_000),
        Rate("INR", "*", "service", "2026-10-01", 1_000_000, 0),
    )


def test_what_a_spreadsheet_makes_of_it_is_read_too():
    text = "﻿Market;Category;Valid_From;Rate\r\n in ; utility ;2026-10-01;0.115\r\n;;;\r\n\r\n"
    assert read(text.encode(), "INR").rates == (Rate("INR", "IN", "utility", "2026-10-01", 115_000, 0),)


def test_one_spelling_for_the_international_category():
    rates = of("IN,authentication_international,2026-10-01,2.4971,0,INR\n").rates
    assert rates[0].category == "authentication-international"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("India,marketing,2026-10-01,1,0,INR", "market is no country"),
        ("UK,marketing,2026-10-01,1,0,INR", "market is no country"),
        ("IN,,2026-10-01,1,0,INR", "category is no word"),
        ("IN,marketing,01.10.2026,1,0,INR", "valid_from is no day"),
        ("IN,marketing,2026-02-30,1,0,INR", "valid_from is no day"),
        ("IN,marketing,2026-10-01,,0,INR", "rate is no amount"),
        ("IN,marketing,2026-10-01,'0,86',0,INR", "has 7 cells, the header has 6"),
        ("IN,marketing,2026-10-01,0.12345678,0,INR", "rate has more than six digits"),
        ("IN,marketing,2026-10-01,-1,0,INR", "rate is below 0"),
        ("IN,marketing,2026-10-01,1,x,INR", "fee is no amount"),
        ("IN,marketing,2026-10-01,1,-0.1,INR", "fee is below 0"),
        ("IN,marketing,2026-10-01,1,0,rupees", "currency is none"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_taken(line: str, said: str):
    found = of(f"IN,utility,2026-10-01,0.115,0,INR\n{line}\n")
    assert found.rates == ()
    (problem,) = found.problems
    assert problem.startswith("line 3: ")
    assert said in problem


def test_every_bad_line_is_told_at_once():
    found = of("XX,marketing,2026-10-01,1,0,INR\nIN,utility,2026-10-01,1,0,INR\nIN,service,soon,y,0,INR\n")
    assert [one.partition(":")[0] for one in found.problems] == ["line 2", "line 4", "line 4"]


def test_two_rates_for_one_thing_contradict_each_other_and_a_repeat_does_not():
    line = "IN,utility,2026-10-01,0.115,0,INR\n"
    assert len(of(line + line).rates) == 1
    (problem,) = of(line + "IN,utility,2026-10-01,0.116,0,INR\n").problems
    assert problem.startswith("line 3: says otherwise than line 2")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (HEADER.encode(), "no rates"),
        (b"market,category,rate\n", "the column valid_from is missing"),
        (b"market,category,valid_from,rate,fees\n", "fees is no column"),
        (b"market,category,valid_from,rate,rate\n", "rate stands there twice"),
        (b"\xff\xfe", "not UTF-8"),
        (HEADER.encode() + b'IN,"marketing', "line 2"),
    ],
)
def test_a_file_that_is_no_rate_card_is_refused(raw: bytes, said: str):
    found = read(raw, "INR")
    assert found.rates == ()
    assert said in found.problems[0]


@given(st.integers(-LARGEST, LARGEST))
def test_amounts_are_read_back_as_they_were_written(amount: int):
    assert micro(plain(amount)) == amount


def test_amounts_are_shown_with_all_their_digits():
    assert [shown(one, "INR") for one in (0, 1, -500_000, 1_234_567_890_000)] == [
        "0.00 INR",
        "0.000001 INR",
        "-0.50 INR",
        "1,234,567.89 INR",
    ]


def test_a_markets_own_rate_comes_before_that_of_all_others_once_it_is_valid():
    elsewhere, early, late = (
        Rate("INR", "*", "utility", "2026-01-01", 1, 0),
        Rate("INR", "IN", "utility", "2026-04-01", 2, 0),
        Rate("INR", "IN", "utility", "2026-10-01", 3, 0),
    )
    card = Card([late, elsewhere, early])
    days = ("2025-12-31", "2026-03-31", "2026-04-01", "2026-09-30", "2026-10-01")
    assert [card.find("IN", "utility", day) for day in days] == [None, elsewhere, early, early, late]
    assert card.find("DE", "utility", "2026-12-01") == elsewhere
    assert card.find("IN", "service", "2026-12-01") is None
