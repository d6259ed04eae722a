"""The envelope: every entry and change is walked, a bad one costs none of its siblings."""

import json
from typing import Any

import pytest
from payload_samples import RECEIVED_AT, envelope, message, parsed, sample, status, value, with_value

from receiver.payload import parse
from store.records import NumberWord

GOOD = {"field": "messages", "value": value(statuses=[status("wamid.good")])}


def test_all_entries_and_changes_are_walked_each_with_its_own_number() -> None:
    updates = sample("two-accounts-two-numbers").updates
    assert [(update.phone_number_id or "")[-1] for update in updates] == ["1", "2", "3", "3"]


def test_each_value_tells_whose_its_number_is_and_how_people_dial_it() -> None:
    first = {"phone_number_id": "301", "display_phone_number": "15550001111"}
    changes = [
        {"field": "messages", "value": value(statuses=[status()], metadata=first)},
        {"field": "messages", "value": value(messages=[], metadata={"phone_number_id": "302"})},
        {"field": "messages", "value": value(statuses=[status()], metadata={})},
        {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}},
    ]
    said = parsed(envelope(*changes, id="W1")).numbers
    assert said == (NumberWord("301", "W1", "15550001111"), NumberWord("302", "W1", None))


@pytest.mark.parametrize("entry", ["0", "", None, [], {}])
def test_an_entry_without_an_account_tells_of_no_number(entry: Any) -> None:
    changes = {"field": "messages", "value": value(statuses=[status()])}
    outcome = parsed(envelope(changes, id=entry))
    assert len(outcome.updates) == 1
    assert outcome.numbers == ()


def test_one_bad_item_costs_none_of_its_siblings() -> None:
    outcome = sample("one-bad-among-good")
    assert [update.status for update in outcome.updates] == ["sent", "read"]
    assert [part.pointer.rsplit("/", 1)[1] for part in outcome.quarantined] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("tree", [{}, [], "x", 5, None, True, {"statuses": [status()]}, [envelope(GOOD)]])
def test_json_without_an_envelope_is_set_aside_whole(tree: Any) -> None:
    (part,) = parsed(tree).quarantined
    assert part.pointer == ""
    assert part.reason == "The body is JSON, but no WhatsApp envelope (no entry list)."
    assert json.loads(part.part) == tree


@pytest.mark.parametrize(
    "tree",
    [
        {"object": "page", "entry": [{"id": "1", "messaging": [{"a": 1}]}]},
        {"object": "page", "entry": "x"},
        {"entry": []},
    ],
)
def test_another_products_body_is_set_aside_whole(tree: Any) -> None:
    outcome = parsed(tree)
    assert [part.pointer for part in outcome.quarantined] == [""]
    assert "not about a WhatsApp Business Account" in outcome.quarantined[0].reason


@pytest.mark.parametrize("body", [{}, {"object": "whatsapp"}, {"object": 5}, {"gs_id": "x"}])
def test_entries_of_the_right_form_are_read_whatever_the_object_says(body: dict[str, Any]) -> None:
    outcome = parsed({"entry": envelope(GOOD)["entry"], **body})
    assert [update.wamid for update in outcome.updates] == ["wamid.good"]


@pytest.mark.parametrize("entries", [[], None, {}])
def test_an_envelope_without_entries_is_kept_as_empty(entries: Any) -> None:
    outcome = parsed({"object": "whatsapp_business_account", "entry": entries})
    assert [(event.entry_id, event.field, event.kind) for event in outcome.events] == [("", "", "empty")]
    assert not outcome.quarantined


@pytest.mark.parametrize("changes", [[], None, {}])
def test_an_entry_without_changes_is_kept_as_empty(changes: Any) -> None:
    (event,) = parsed(
        {"object": "whatsapp_business_account", "entry": [{"id": "7", "changes": changes}]}
    ).events
    assert (event.entry_id, event.kind) == ("7", "empty")


def test_an_entry_with_something_else_in_place_of_changes_is_set_aside() -> None:
    entries = [{"id": "7", "messaging": [1]}, *envelope(GOOD)["entry"]]
    outcome = parsed({"object": "whatsapp_business_account", "entry": entries})
    assert [part.pointer for part in outcome.quarantined] == ["/entry/0"]
    assert [update.wamid for update in outcome.updates] == ["wamid.good"]


@pytest.mark.parametrize("bad", ["x", 5, None, [], True])
def test_an_entry_that_is_no_object_is_set_aside_alone(bad: Any) -> None:
    outcome = parsed({"object": "whatsapp_business_account", "entry": [bad, *envelope(GOOD)["entry"]]})
    assert [part.pointer for part in outcome.quarantined] == ["/entry/0"]
    assert [update.wamid for update in outcome.updates] == ["wamid.good"]


@pytest.mark.parametrize("bad", ["x", None, [], {}, {"field": "messages"}, {"value": 5}, {"field": "x" * 65}])
def test_a_change_that_says_nothing_readable_is_set_aside_alone(bad: Any) -> None:
    outcome = parsed(envelope(bad, GOOD))
    assert [part.pointer for part in outcome.quarantined] == ["/entry/0/changes/0"]
    assert [update.wamid for update in outcome.updates] == ["wamid.good"]


@pytest.mark.parametrize("bad", ["x", 5, True])
def test_a_scalar_where_a_list_belongs_is_set_aside_with_its_place(bad: Any) -> None:
    outcome = with_value(statuses=bad, messages=[message()])
    assert [part.pointer for part in outcome.quarantined] == ["/entry/0/changes/0/value/statuses"]
    assert len(outcome.inbound) == 1
    entries = parsed({"object": "whatsapp_business_account", "entry": bad}).quarantined
    assert [part.pointer for part in entries] == ["/entry"]
    changes = parsed(
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": bad}]}
    ).quarantined
    assert [part.pointer for part in changes] == ["/entry/0/changes"]


def test_an_object_where_a_list_belongs_is_a_list_of_one() -> None:
    change = {"field": "messages", "value": value(statuses=status("wamid.one"))}
    tree = {"object": "whatsapp_business_account", "entry": {"id": "1", "changes": change}}
    assert [update.wamid for update in parsed(tree).updates] == ["wamid.one"]
    bad = parsed({**tree, "entry": {"id": "1", "changes": {**change, "value": value(statuses={"a": 1})}}})
    assert [part.pointer for part in bad.quarantined] == ["/entry/changes/value/statuses"]


def test_an_object_with_counted_keys_is_the_list_it_counts() -> None:
    outcome = with_value(statuses={"0": status("wamid.0"), "1": {}, "2": status("wamid.2")})
    assert [update.wamid for update in outcome.updates] == ["wamid.0", "wamid.2"]
    assert [part.pointer for part in outcome.quarantined] == ["/entry/0/changes/0/value/statuses/1"]


def test_a_field_inside_the_value_counts_when_the_change_names_none() -> None:
    inner = {"field": "account_update", "event": "PARTNER_APP_UNINSTALLED"}
    (event,) = parsed(envelope({"value": inner})).events
    assert event.field == "account_update"


def test_statuses_of_a_change_without_field_are_found() -> None:
    assert len(parsed(envelope({"value": value(statuses=[status()])})).updates) == 1


@pytest.mark.parametrize("metadata", [None, "x", [], {}, {"phone_number_id": None}, {"phone_number_id": {}}])
def test_a_missing_number_is_no_reason_to_lose_a_status(metadata: Any) -> None:
    (update,) = with_value(metadata=metadata, statuses=[status()]).updates
    assert update.phone_number_id is None


def test_ids_that_are_numbers_are_taken_as_text() -> None:
    change = {"field": "messages", "value": value(metadata={"phone_number_id": 55}, statuses=[status()])}
    assert parsed(envelope(change)).updates[0].phone_number_id == "55"
    assert parsed(envelope({"field": "x", "value": {}}, id=77)).events[0].entry_id == "77"


def test_a_whole_batch_is_found() -> None:
    statuses = [status(f"wamid.{number}") for number in range(1000)]
    assert [update.wamid for update in with_value(statuses=statuses).updates] == [s["id"] for s in statuses]


def test_reading_the_same_bytes_twice_gives_equal_records() -> None:
    body = json.dumps(envelope(GOOD)).encode()
    assert parse(body, RECEIVED_AT) == parse(body, RECEIVED_AT)


def test_other_standby_forms_are_found_or_set_aside() -> None:
    outcome = with_value("standby", standby=[{"statuses": [status("wamid.s")]}, "x"])
    assert [update.wamid for update in outcome.updates] == ["wamid.s"]
    assert [part.pointer for part in outcome.quarantined] == ["/entry/0/changes/0/value/standby/1"]
