"""How attempts end, by table and by law."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.errors import read_answer
from sender.outcome import Outcome, decide, outcome_of, retry_after_seconds
from sender.reply import Reply
from whatsapp.catalogue import catalogue

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "responses"
NOW = 1_800_000_000.0
OK = {"messages": [{"id": "wamid.A", "message_status": "paused"}]}
NEW = 999_999  # no such code


def meta(code: int, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "m", "type": "OAuthException", **more}}


def ended(status: int, body: Any = b"", retry_after: str | None = None) -> Outcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return outcome_of(Reply("answered", status, raw, retry_after), NOW)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, OK, ("accepted", None, "none")),
        (206, OK, ("accepted", None, "none")),
        (200, {**OK, **meta(131000)}, ("accepted", None, "none")),
        (200, meta(131042), ("refused", "meta", "account")),
        (200, meta(130429), ("throttled", None, "none")),
        (200, meta(NEW), ("unknown", None, "none")),
        (200, {"success": True}, ("unknown", None, "none")),
        (200, b"", ("unknown", None, "none")),
        (200, b'{"messages":[{"id":"wamid.', ("unknown", None, "none")),
        (200, {"code": "WA200"}, ("unknown", None, "none")),
        (400, meta(100), ("refused", "meta", "none")),
        (400, meta(NEW), ("refused", "meta", "none")),
        (400, meta(1), ("unknown", None, "none")),
        (400, meta(131056), ("throttled", None, "none")),
        (403, meta(131056), ("throttled", None, "none")),
        (400, OK, ("unknown", None, "none")),
        (400, b'{"error":{"code":1', ("unknown", None, "none")),
        (401, meta(190), ("refused", "meta", "account")),
        (401, {"code": "RBC201", "message": "m", "error": {"body": "m"}}, ("refused", "wrapper", "account")),
        (401, {"code": "RBC777", "message": "m"}, ("refused", "wrapper", "account")),
        (401, b"", ("refused", "wrapper", "account")),
        (403, b"<html>", ("refused", "wrapper", "none")),
        (404, meta(132001), ("refused", "meta", "none")),
        (404, b"", ("refused", "wrapper", "account")),
        (408, b"", ("unknown", None, "none")),
        (409, b"", ("unknown", None, "none")),
        (413, b"<html>", ("refused", "wrapper", "none")),
        (429, b"", ("throttled", None, "none")),
        (429, {"error": {"code": "TOO_MANY", "message": "m"}}, ("throttled", None, "none")),
        (429, meta(NEW), ("refused", "meta", "none")),
        (499, b"", ("unknown", None, "none")),
        (500, meta(131009), ("refused", "meta", "none")),
        (500, meta(131057), ("throttled", None, "none")),
        (500, meta(131000), ("unknown", None, "none")),
        (500, meta(NEW), ("unknown", None, "none")),
        (500, OK, ("unknown", None, "none")),
        (502, b"<html>Bad gateway</html>", ("unknown", None, "none")),
        (504, b"", ("unknown", None, "none")),
        (301, b"", ("refused", "wrapper", "account")),
        (308, b"<html>", ("refused", "wrapper", "account")),
        (303, b"", ("unknown", None, "none")),
        (101, b"", ("unknown", None, "none")),
        (999, b"", ("unknown", None, "none")),
    ],
)
def test_an_answer_ends_an_attempt_by_the_table(status, body, expected):
    outcome = ended(status, body)
    assert (outcome.kind, outcome.refused_by, outcome.stops) == expected
    assert outcome.http_status == status
    assert (outcome.error is None) == (outcome.kind == "accepted")


def test_an_acceptance_carries_metas_word_also_when_it_is_paused():
    outcome = ended(200, OK)
    assert (outcome.wamid, outcome.message_status) == ("wamid.A", "paused")


def test_an_error_is_shown_with_what_support_asks_for():
    outcome = ended(400, meta(100, fbtrace_id="A1", error_data={"details": "Parameter"}))
    assert outcome.error is not None
    shown = {"code": 100, "title": "m", "details": "Parameter", "fbtrace_id": "A1", "subcode": None}
    assert outcome.error.as_dict() == shown


def test_no_connection_is_unreachable_and_no_answer_is_unknown():
    assert outcome_of(Reply("unreachable", error_class="ConnectError"), NOW).kind == "unreachable"
    assert outcome_of(Reply("no_answer", error_class="ReadTimeout"), NOW).kind == "unknown"
    assert outcome_of(Reply("no_answer", 400, b""), NOW).kind == "unknown"
    assert outcome_of(Reply("no_answer", 429, b"<html>"), NOW).kind == "unknown"


def test_an_answer_that_was_whole_before_the_line_broke_counts():
    assert outcome_of(Reply("no_answer", 200, json.dumps(OK).encode()), NOW).wamid == "wamid.A"
    assert outcome_of(Reply("no_answer", 200, json.dumps(OK).encode()[:-3]), NOW).kind == "unknown"


def test_retry_after_is_kept_for_what_may_be_tried_again():
    assert ended(429, b"", "7").retry_after == 7
    assert ended(400, meta(100), "7").retry_after is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 120 ", 120),
        ("9" * 5000, 86_400),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("²", None),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30),
        ("Fri, 15 Jan 2027 08:00:30 -0000", 30),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("Fri, 15 Jan 9999 07:00:00 GMT", 86_400),
        ("Fri, 99 Jan 2027 99:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header, seconds):
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_makes_it_raise(header):
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or 0 <= seconds <= 86_400


LISTED = sorted(catalogue().exact)
CODES = st.sampled_from([*LISTED, "210", str(NEW), "0", "RBC9", "XYZ", "", None, True, -1, 1.5])
STATUSES = st.sampled_from(
    [200, 201, 206, 301, 303, 400, 401, 403, 404, 408, 413, 429, 451, 499, 500, 502, 504]
)
STATUSES |= st.integers(100, 999)


def bodies(code: Any) -> list[Any]:
    number = int(code) if isinstance(code, str) and code.isdigit() else code
    error = {"code": number, "message": "m", "is_transient": True}
    return [
        {"error": error},
        {"error": {"code": code, "message": "m"}},
        {"error": {"code": "NAME", "whatsappApiError": {"code": code}}},
        {"code": code, "message": "m", "data": [], "error": {"body": "m"}},
        {"messages": [{"id": "wamid.A"}], "error": error},
        {"messages": [{"id": ""}], "error": error},
        {"errors": [error]},
    ]


@given(CODES, STATUSES, st.integers(0, 6), st.sampled_from([None, 1, -2]))
def test_over_every_code_status_and_form_the_laws_hold(code, status, form, cut):
    raw = json.dumps(bodies(code)[form]).encode()[slice(None, cut if cut is None or cut < 0 else -cut)]
    answer = read_answer(status, raw)
    outcome = decide(answer)
    two_hundred = 200 <= status < 300
    assert (outcome.kind == "accepted") == (two_hundred and answer.wamid is not None)
    assert outcome.kind != "unreachable"
    if outcome.kind == "throttled":
        error = answer.error
        known = error is not None and catalogue().lookup(error.code)
        says_so = bool(known and known.known and known.on_send == "throttled")
        by_meta = error is not None and error.source == "meta"
        assert says_so or (status == 429 and not by_meta)
    assert (outcome.refused_by is not None) == (outcome.kind == "refused")
    assert outcome.kind != "unknown" or outcome.stops == "none"
    if status >= 500 and answer.error is None:
        assert outcome.kind == "unknown"


@pytest.mark.parametrize("code", LISTED)
def test_every_listed_code_ends_an_attempt_as_the_catalogue_says(code):
    entry = catalogue().lookup(code)
    body = {"error": {"code": code, "message": "m"}}
    for status in (400, 429, 500):
        outcome = ended(status, body)
        expected = "unknown" if entry.on_send == "accepted" else entry.on_send
        assert outcome.kind == expected
        assert outcome.stops == ("none" if expected == "unknown" else entry.stops)


if CORPUS.is_dir():

    def test_the_gathered_answers_end_as_their_bodies_say():
        for path in sorted(CORPUS.glob("*.json")):
            case = json.loads(path.read_text("utf-8"))
            error = "error" in case["payload"] or "meta" in case["payload"]
            outcome = ended(case["http_status"] or (400 if error else 200), case["payload"])
            assert (outcome.kind == "accepted") == (not error), path.name
