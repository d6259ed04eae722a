"""The documented object: each key, and an error only where it is the reason of the status."""

import json

from story_seeds import BANK, PHONE, SHOP, Seeds, ours

from reports.message_json import listed_json, message_json
from store import group_rows, search, search_follow, sends
from store.search_wanted import Wanted

KEYS = {
    "message_id",
    "wamid",
    "reference",
    "callback_data",
    "phone_number_id",
    "recipient",
    "recipient_user_id",
    "type",
    "template",
    "status",
    "refused_by",
    "message_status",
    "settled_by",
    "conflict",
    "delivered_implied",
    "queued_at",
    "accepted_at",
    "sent_at",
    "delivered_at",
    "read_at",
    "played_at",
    "failed_at",
    "error",
    "pricing",
    "participants",
}


def listed(seeds: Seeds) -> list[dict]:
    while search_follow.step(seeds.database):
        pass
    with seeds.database.read() as tx:
        rows = search.find(tx, Wanted(), 100).rows
        conflicts = group_rows.conflicts(tx, rows)
    return [listed_json(row, conflicts) for row in rows]


def test_a_delivered_message_has_every_documented_key(seeds: Seeds):
    pricing = json.dumps({"billable": True, "category": "utility"})
    message_id = seeds.accepted("wamid.A+/=", reference="order-77", callback_data="mine")
    seeds.status("wamid.A+/=", "sent", 2, callback_data=ours(message_id, "mine"), pricing=pricing)
    seeds.status("wamid.A+/=", "delivered", 12, callback_data=ours(message_id, "mine"))
    shown = message_json(seeds.story(message_id))
    assert set(shown) == KEYS | {"updates", "attempts"}
    assert shown["message_id"] == message_id
    assert (shown["wamid"], shown["reference"], shown["callback_data"]) == ("wamid.A+/=", "order-77", "mine")
    assert (shown["phone_number_id"], shown["recipient"], shown["type"]) == (SHOP, PHONE, "text")
    assert (shown["status"], shown["settled_by"], shown["conflict"]) == ("delivered", "answer", False)
    assert shown["queued_at"] == "2026-11-22T10:00:00Z"
    assert shown["accepted_at"] == "2026-11-22T10:00:00.442Z"
    assert (shown["sent_at"], shown["delivered_at"]) == ("2026-11-22T10:00:02Z", "2026-11-22T10:00:12Z")
    assert shown["read_at"] is shown["error"] is None
    assert shown["pricing"] == {"billable": True, "category": "utility"}
    assert [one["status"] for one in shown["updates"]] == ["sent", "delivered"]
    assert shown["updates"][0] == {
        "status": "sent",
        "occurred_at": "2026-11-22T10:00:02Z",
        "received_at": "2026-11-22T10:00:02.500Z",
        "participant": None,
        "error": None,
    }
    assert shown["attempts"] == [
        {
            "number": 1,
            "started_at": "2026-11-22T10:00:00Z",
            "ended_at": "2026-11-22T10:00:00.442Z",
            "outcome": "accepted",
            "http_status": 200,
            "error": None,
        }
    ]
    (row,) = listed(seeds)
    assert row == {key: value for key, value in shown.items() if key not in ("updates", "attempts")}


def test_a_failure_is_explained(seeds: Seeds):
    message_id = seeds.accepted("wamid.F")
    seeds.failed("wamid.F", 4)
    error = message_json(seeds.story(message_id))["error"]
    assert set(error) == {"code", "title", "details", "fbtrace_id", "meaning", "owner", "retryable", "action"}
    assert (error["code"], error["title"], error["owner"]) == (131047, "Re-engagement message", "sender")
    assert error["details"].startswith("Message failed")
    assert error["meaning"]
    assert error["action"]
    (row,) = listed(seeds)
    assert row["error"] == error


def test_an_unknown_outcome_never_advises_to_try_again(seeds: Seeds):
    message_id = seeds.send()
    error = json.dumps({"code": 131000, "title": "Something went wrong", "fbtrace_id": "AbC"})
    seeds.ended(message_id, "unknown", http_status=500, error=error)
    shown = message_json(seeds.story(message_id))
    assert shown["status"] == "unknown"
    assert (shown["error"]["retryable"], shown["error"]["fbtrace_id"]) == ("never", "AbC")
    assert "Do not send it again" in shown["error"]["action"]
    assert shown["attempts"][0]["error"]["code"] == 131000


def test_a_throttled_message_that_waits_has_no_error_of_its_own(seeds: Seeds):
    message_id = seeds.send()
    seeds.ended(message_id, "throttled", http_status=429, error='{"code":130429}', again_at=9e9)
    shown = message_json(seeds.story(message_id))
    assert (shown["status"], shown["error"]) == ("queued", None)
    assert shown["attempts"][0]["error"]["code"] == 130429


def test_a_refusal_says_who_refused(seeds: Seeds):
    message_id = seeds.send()
    seeds.ended(message_id, "refused", http_status=401, refused_by="wrapper", error='{"code":"RBC201"}')
    shown = message_json(seeds.story(message_id))
    assert (shown["status"], shown["refused_by"], shown["error"]["code"]) == ("refused", "wrapper", "RBC201")


def test_what_a_person_settled_as_failed_has_no_providers_reason(seeds: Seeds):
    message_id = seeds.send()
    seeds.ended(message_id, "unknown", error='{"code":null,"title":"No answer came"}')
    with seeds.database.write() as tx:
        assert sends.settle_by_person(tx, message_id, sent=False, note="asked", now=9e9)
    shown = message_json(seeds.story(message_id))
    assert (shown["status"], shown["settled_by"], shown["error"]) == ("failed", "person", None)


def test_a_conflict_shows_the_failure_and_warns_of_a_second_copy(seeds: Seeds):
    message_id = seeds.accepted("wamid.C")
    seeds.status("wamid.C", "delivered", 3)
    seeds.failed("wamid.C", 4)
    shown = message_json(seeds.story(message_id))
    assert (shown["status"], shown["conflict"]) == ("delivered", True)
    assert (shown["error"]["code"], shown["error"]["retryable"]) == (131047, "never")
    assert "Do not send it again" in shown["error"]["action"]
    assert listed(seeds)[0]["error"] == shown["error"]


def test_reading_implies_delivery(seeds: Seeds):
    message_id = seeds.accepted("wamid.R")
    seeds.status("wamid.R", "read", 3)
    shown = message_json(seeds.story(message_id))
    assert (shown["status"], shown["delivered_implied"], shown["delivered_at"]) == ("read", True, None)


def test_a_groups_members_stand_for_themselves(seeds: Seeds):
    message_id = seeds.accepted("wamid.G")
    seeds.status("wamid.G", "delivered", 3, participant="919000000001")
    seeds.failed("wamid.G", 4, participant="919000000002")
    shown = message_json(seeds.story(message_id))
    assert (shown["status"], shown["conflict"], shown["error"]) == ("delivered", False, None)
    assert [one["status"] for one in shown["participants"]] == ["delivered", "failed"]
    assert shown["participants"][1]["error"]["code"] == 131047
    assert shown["updates"][0]["participant"] == "919000000001"
    (row,) = listed(seeds)
    assert (row["conflict"], row["error"], row["participants"]) == (False, None, [])


def test_a_member_who_contradicts_makes_the_group_a_conflict_in_both_views(seeds: Seeds):
    message_id = seeds.accepted("wamid.G")
    seeds.status("wamid.G", "delivered", 3, participant="919000000001")
    seeds.failed("wamid.G", 4, participant="919000000001")
    shown = message_json(seeds.story(message_id))
    (row,) = listed(seeds)
    assert shown["conflict"] is row["conflict"] is True
    assert shown["error"] is row["error"] is None
    assert shown["participants"][0]["conflict"] is True


def test_a_stranger_has_only_what_meta_reported(seeds: Seeds):
    seeds.stranger("wamid.S", callers="theirs")
    shown = message_json(seeds.story("wamid.S"))
    assert (shown["message_id"], shown["wamid"], shown["callback_data"]) == (None, "wamid.S", "theirs")
    assert (shown["phone_number_id"], shown["recipient"]) == (BANK, PHONE)
    assert (shown["queued_at"], shown["attempts"]) == (None, [])
    (row,) = listed(seeds)
    assert row == {key: value for key, value in shown.items() if key not in ("updates", "attempts")}


def test_an_error_list_without_anything_readable_is_no_error(seeds: Seeds):
    seeds.accepted("wamid.E")
    seeds.status("wamid.E", "failed", 4, errors="[]")
    shown = message_json(seeds.story("wamid.E"))
    assert (shown["status"], shown["error"]) == ("failed", None)
