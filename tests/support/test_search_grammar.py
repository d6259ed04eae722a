"""What people paste and type into the search box, and the sentence that a wrong query gets."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.search_grammar import LONGEST, Asked, Wrong, kinds, names_a_person, read

NOW = 1_800_000_000.0  # Friday 15 January 2027, 08:00 UTC
UTC = ZoneInfo("UTC")
KOLKATA = ZoneInfo("Asia/Kolkata")
WAMID = "wamid.HBgLMTU1NTAwMDAwMDE1AgARGBI1+/Q=="
MESSAGE_ID = "0197a0b1-c2d3-7000-8000-000000000001"


def asked(query: str, zone: ZoneInfo = UTC) -> Asked:
    return read(query, NOW, zone)


@pytest.mark.parametrize(
    ("query", "word", "terms"),
    [
        ("", None, {}),
        (f"  {WAMID}\n", WAMID, {}),
        ("order-77", "order-77", {}),
        ("order:77", "order:77", {}),
        ('"to:77"', "to:77", {}),
        ("+91 98123 45678", "+91 98123 45678", {}),
        ("status:FAILED", None, {"status": "failed"}),
        ("to:+91 98123 45678 status:read", None, {"to": "+91 98123 45678", "status": "read"}),
        ('to:"(631) 555-1234"', None, {"to": "(631) 555-1234"}),
        ("to:“+91 98123 45678”", None, {"to": "+91 98123 45678"}),
        ("ref:order-77 template:a_b", None, {"ref": "order-77", "template": "a_b"}),
        ("error:#131049 is:waiting", None, {"error": "131049", "is": "waiting"}),
        ("reference:x order_update", "order_update", {"ref": "x"}),
        ("error:131049 12345", "12345", {"error": "131049"}),
    ],
)
def test_a_query_is_read_into_a_word_and_terms(query: str, word: str | None, terms: dict[str, str]) -> None:
    assert (asked(query).word, asked(query).terms) == (word, terms)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("status:deliverd", "There is no status “deliverd”; did you mean delivered?"),
        ("staus:failed", "There is no term “staus:”; did you mean status:, as in status:failed?"),
        ("is:unmached", "There is no is: “unmached”; did you mean unmatched?"),
        ("status:conflict", "“conflict” is no status; write is:conflict."),
        ("is:failed", "“failed” is a status; write status:failed."),
        ("to:", 'to: needs a value right after the colon, for instance to:"+91 98123 45678".'),
        ("status:read status:failed", "status: stands twice; all terms hold together, so give it once."),
        ("error:%", "error: takes a code, for instance error:131049."),
        ('to:"+91', 'A quotation mark is not closed: write "…" around a value that has blanks in it.'),
        (
            "since:soon",
            "since: “soon” is no time; write 2h, 3d, today, yesterday, 2026-11-22 or 2026-11-22T10:00.",
        ),
        ("since:1h until:2h", "since: is not before until:, so nothing can lie between them; exchange them."),
    ],
)
def test_a_wrong_query_gets_one_sentence_that_shows_the_right_one(query: str, sentence: str) -> None:
    with pytest.raises(Wrong) as wrong:
        asked(query)
    assert str(wrong.value) == sentence


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("2h", NOW - 7_200),
        ("30m", NOW - 1_800),
        ("3d", NOW - 259_200),
        ("today", NOW - 8 * 3_600),
        ("yesterday", NOW - 32 * 3_600),
        ("2027-01-14", NOW - 32 * 3_600),
        ("2027-01-14T10:00", NOW - 22 * 3_600),
        ("2027-01-14T10:00Z", NOW - 22 * 3_600),
        ("2027-01-14T10:00+05:30", NOW - 27.5 * 3_600),
    ],
)
def test_times_are_understood_as_people_type_them(typed: str, seconds: float) -> None:
    assert asked(f"since:{typed}").since == seconds


def test_a_day_is_a_day_of_the_viewer_and_until_takes_it_whole() -> None:
    read_there = asked("since:yesterday until:yesterday", KOLKATA)
    assert read_there.since is not None
    assert read_there.until == read_there.since + 86_400
    assert asked("since:today", KOLKATA).since == NOW - 13.5 * 3_600


@pytest.mark.parametrize(
    ("word", "first"),
    [
        (WAMID, "wamid"),
        (MESSAGE_ID, "message_id"),
        ("US.13491208655302741918", "to"),
        ("+91 98123 45678", "to"),
        ("0091-98123-45678", "to"),
        ("131049", "error"),
        ("order-77", "ref"),
        ("7", "ref"),
    ],
)
def test_a_word_is_tried_as_what_it_looks_like_first(word: str, first: str) -> None:
    assert kinds(word)[0] == first


@pytest.mark.parametrize(
    "query",
    [
        WAMID,
        "+919812345678",
        "98123 45678",
        "(631) 555-1234",
        "+91 98-1-2-3-4-5-6-7-8",
        "status:failed to:+919812345678",
        "to:4711",
        "US.13491208655302741918",
        "HBgLMTU1NTAwMDAwMDE1AgARGBI1",
        "from:+15550000001",
        "ref:919812345678",
    ],
)
def test_what_may_hold_a_number_is_known(query: str) -> None:
    assert names_a_person(query)


@pytest.mark.parametrize(
    "query",
    ["", "order-77", MESSAGE_ID, "131049", "error:131049 since:2026-11-22", "status:failed since:2h", "a_b"],
)
def test_what_holds_none_may_be_shared(query: str) -> None:
    assert not names_a_person(query)


@given(st.text(max_size=LONGEST + 50))
def test_any_text_is_a_query_or_gets_a_sentence(query: str) -> None:
    names_a_person(query)
    try:
        found = asked(query)
    except Wrong as wrong:
        sentence = str(wrong)
    else:
        sentence = ""
        assert "\x00" not in f"{found.word}{found.terms}"
        assert found.empty or kinds(found.word or "x")
    assert len(sentence) < 300


def test_ten_thousand_characters_are_refused() -> None:
    with pytest.raises(Wrong, match="10000 characters"):
        asked("a" * 10_000)
