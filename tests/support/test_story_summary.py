"""The sentence at the top: what became of the message, with honest differences of time."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from story_seeds import PHONE, START, WINDOW_CLOSED, Seeds, ours

from store import sends
from store.status import STATUSES
from store.stories import Story
from store.summary import MARKS, shown_status, summary

TIMES = ("sent_at", "delivered_at", "read_at", "played_at", "failed_at")


def told(seeds: Seeds, key: str) -> str:
    return summary(seeds.story(key))


def test_every_status_has_a_mark():
    assert {*STATUSES, "conflict"} == set(MARKS)


def test_a_life_is_told_step_by_step(seeds: Seeds):
    message_id = seeds.send()
    assert told(seeds, message_id) == "Sending: the request may be on its way"
    seeds.ended(message_id, "accepted", wamid="wamid.A", http_status=200)
    assert told(seeds, message_id) == "Accepted by Meta, no status yet"
    seeds.status("wamid.A", "sent", 2)
    assert told(seeds, message_id) == "Sent, not delivered yet"
    seeds.status("wamid.A", "delivered", 14)
    assert told(seeds, message_id) == "Delivered 12 s after sending, not read yet"
    seeds.status("wamid.A", "read", 2 + 3_725)
    assert told(seeds, message_id) == "Read 1 h 2 min after sending"
    seeds.status("wamid.A", "played", 2 + 90_000)
    assert told(seeds, message_id) == "Played 1 d 1 h after sending"


def test_a_failure_names_its_reason(seeds: Seeds):
    seeds.accepted("wamid.A")
    seeds.status("wamid.A", "sent", 2)
    seeds.failed("wamid.A", 6)
    assert told(seeds, "wamid.A") == "Failed 4 s after sending: 24 h window closed"


def test_a_failure_without_a_reason_says_so(seeds: Seeds):
    seeds.stranger("wamid.S")
    seeds.status("wamid.A", "failed", 6)
    assert told(seeds, "wamid.A") == "Failed; Meta gave no reason"


def test_a_difference_between_two_clocks_says_so_and_is_never_below_zero(seeds: Seeds):
    seeds.accepted("wamid.A", at=20)
    seeds.status("wamid.A", "delivered", 5)
    clocks = "0 s after acceptance (Meta's clock against ours)"
    assert told(seeds, "wamid.A") == f"Delivered {clocks}, not read yet"


def test_what_a_status_settled_is_not_measured_from_its_own_arrival(seeds: Seeds):
    message_id = seeds.send()
    seeds.status("wamid.A", "delivered", 50, callback_data=ours(message_id))
    assert told(seeds, message_id) == "Delivered, not read yet"


def test_implied_delivery_and_conflict_are_explained(seeds: Seeds):
    seeds.accepted("wamid.R")
    seeds.status("wamid.R", "sent", 2)
    seeds.status("wamid.R", "read", 5)
    expected = "Read 3 s after sending, so it was delivered, though Meta did not report that"
    assert told(seeds, "wamid.R") == expected
    seeds.status("wamid.R", "delivered", 4)
    seeds.failed("wamid.R", 9)
    expected = "Read 3 s after sending, but Meta reported a failure too: 24 h window closed"
    assert told(seeds, "wamid.R") == expected
    assert shown_status(seeds.story("wamid.R")) == "conflict"
    seeds.accepted("wamid.D")
    seeds.status("wamid.D", "delivered", 4, callback_data="x")
    seeds.failed("wamid.D", 9)
    assert "not read yet" not in told(seeds, "wamid.D")


def test_a_group_is_counted(seeds: Seeds):
    seeds.accepted("wamid.G")
    for member, status in (("1", "delivered"), ("2", "read"), ("3", "delivered"), ("4", "sent")):
        seeds.status("wamid.G", status, 5, participant=f"91900000000{member}")
    for member in "35":
        seeds.failed("wamid.G", 6, participant=f"91900000000{member}")
    assert told(seeds, "wamid.G").startswith(
        "Delivered to 3 of 5, read by 1, failed for 1, both delivered and failed for 1 (of the members"
    )


@pytest.mark.parametrize(
    ("outcome", "fields", "expected"),
    [
        ("throttled", {"error": '{"code":130429}'}, "Queued again after attempt 1 was throttled"),
        ("unknown", {"error": '{"code":131000}'}, "Outcome unknown: Meta may or may not have it"),
        (
            "refused",
            {"error": '{"code":"RBC201"}', "refused_by": "wrapper"},
            "Refused by Kaleyra: ",
        ),
        (
            "refused",
            {"error": json.dumps({"code": 1999999, "title": f"No {PHONE}"}), "refused_by": "meta"},
            "Refused by Meta: No +91 98•••••678",
        ),
    ],
)
def test_what_never_reached_meta_is_told(seeds: Seeds, outcome: str, fields: dict, expected: str):
    message_id = seeds.send()
    seeds.ended(message_id, outcome, **fields)
    assert told(seeds, message_id).startswith(expected)


def test_what_a_person_settled_is_told_as_such(seeds: Seeds):
    for sent, expected in ((True, "Sent, as a person"), (False, "Failed, as a person")):
        message_id = seeds.send()
        seeds.ended(message_id, "unknown", error='{"code":131000}')
        with seeds.database.write() as tx:
            sends.settle_by_person(tx, message_id, sent=sent, note="seen on a phone", now=START + 60)
        assert told(seeds, message_id).startswith(expected)


@given(
    times=st.fixed_dictionaries({name: st.none() | st.integers(1, 2**32) for name in TIMES}),
    accepted_at=st.none() | st.floats(1, 2**32),
    settled_by=st.sampled_from([None, "answer", "status", "person"]),
)
def test_every_story_has_a_sentence_without_a_negative_time(times, accepted_at, settled_by):
    error = WINDOW_CLOSED if times["failed_at"] else None
    message = {"wamid": "wamid.A", "error": error, **times}
    send = {"state": "accepted", "settled_by": settled_by, "accepted_at": accepted_at, "wamid": "wamid.A"}
    for story in (Story(send, message), Story(None, message)):
        sentence = summary(story)
        assert sentence
        assert " -" not in sentence
        assert "None" not in sentence
