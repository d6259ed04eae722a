"""Account events: newest first, in plain words, whole only when asked for, and only for admins."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from story_seeds import SHOP, START, Seeds
from visiting import Visit

from receiver.payload_told import told
from store import account_events, audit, extras
from store.account_events import Cursor
from store.records import AccountEvent
from support import account_events_page

PERSON = "919876543678"
STATUS = "message_template_status_update"
APPROVED = {"event": "REJECTED", "message_template_name": "order_update", "message_template_language": "en"}


def keep(seeds: Seeds, field: str, value: dict[str, Any], at: float = 0.0, kind: str = "") -> None:
    event = AccountEvent("200000000000001", field, int(START + at), json.dumps(value), kind)
    with seeds.database.write() as tx:
        extras.write_events(tx, [(event, (START + at, 7))])


async def visit(seeds: Seeds, role: str = "admin", *numbers: str) -> Visit:
    visiting = Visit(seeds.database, now=START + 7200)
    visiting.user(role=role, numbers=numbers)
    await visiting.sign_in()
    return visiting


def first_key(page: str) -> str:
    return page.split('href="/account-events/')[1].split('"')[0]


async def test_what_happened_is_told_in_a_plain_sentence_newest_first(seeds: Seeds):
    keep(seeds, STATUS, APPROVED, 1)
    keep(seeds, "account_alerts", {"alert_info": {"alert_type": "OBA_APPROVED"}}, 3)
    keep(seeds, "phone_number_quality_update", {"event": "FLAGGED", "current_limit": "TIER_1K"}, 2)
    page = (await (await visit(seeds)).get("/account-events")).text
    sentences = (
        "Meta has an alert about the account: OBA_APPROVED.",
        "The quality or the limit of a sending number changed: FLAGGED; its limit is TIER_1K.",
        "Template order_update (en) is now REJECTED.",
    )
    places = [page.index(sentence) for sentence in sentences]
    assert places == sorted(places)
    assert "200000000000001" in page
    assert 'href="/account-events" aria-current="page"' in page
    one = (await (await visit_again(seeds)).get("/account-events?field=" + STATUS)).text
    assert "order_update" in one
    assert "OBA_APPROVED" not in one


async def visit_again(seeds: Seeds) -> Visit:
    visiting = Visit(seeds.database, now=START + 7200)
    await visiting.sign_in()
    return visiting


async def test_the_body_is_shown_masked_or_whole_and_each_look_is_noted(seeds: Seeds):
    metadata = {"phone_number_id": SHOP}
    keep(seeds, "calls", {"metadata": metadata, "calls": [{"from": PERSON, "event": "connect"}]}, kind="call")
    visiting = await visit(seeds)
    path = "/account-events/" + first_key((await visiting.get("/account-events")).text)
    page = (await visiting.get(path)).text
    assert SHOP in page
    assert PERSON not in page
    assert "connect" not in page
    masked = (await visiting.post(f"{path}/show", {})).text
    assert "connect" in masked
    assert PERSON not in masked
    whole = await visiting.post(f"{path}/show", {"whole": "yes"})
    assert PERSON in whole.text
    assert PERSON not in str(whole.url)
    with seeds.database.read() as tx:
        noted = [(one.who, one.reason, one.number) for one in audit.listed(tx, action="view_body")]
        assert audit.listed(tx, action="view_body")[0].target == "account event " + path.rpartition("/")[2]
    assert noted == [("asha", "whole", SHOP), ("asha", "masked", SHOP)]


async def test_the_list_goes_on_page_by_page_also_within_one_instant(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(account_events_page, "PAGE", 2)
    for n in range(7):
        keep(seeds, ("security", STATUS)[n % 2], {"event": f"N{n}"}, n // 4)
    visiting = await visit(seeds)
    path, seen = "/account-events", list[str]()
    while path:
        page = (await visiting.get(path)).text
        seen += [part.split(".")[0].split(" ")[-1] for part in page.split('href="/account-events/')[1:]]
        _, _, link = page.partition('rel="next" href="')
        path = "/account-events" + link.partition('"')[0].replace("&amp;", "&") if link else ""
    assert sorted(seen) == [f"N{n}" for n in range(7)]


@pytest.mark.parametrize(("role", "numbers"), [("support", ()), ("reporter", ()), ("admin", (SHOP,))])
async def test_account_events_do_not_exist_for_others(seeds: Seeds, role: str, numbers: tuple[str, ...]):
    keep(seeds, STATUS, APPROVED)
    with seeds.database.read() as tx:
        key = account_events.page(tx, [STATUS], 1)[0].key
    visiting = await visit(seeds, role, *numbers)
    for path in ("/account-events", f"/account-events/{key}"):
        assert (await visiting.get(path)).status_code == 404
    assert (await visiting.post(f"/account-events/{key}/show", {"whole": "yes"})).status_code == 404
    assert 'href="/account-events"' not in (await visiting.get("/account")).text
    with seeds.database.read() as tx:
        assert audit.listed(tx, action="view_body") == []


@pytest.mark.parametrize("after", ["nan,x", "1e999,00", "x", "1,%00", "1,zz", ",", "5,00"])
async def test_any_cursor_and_key_is_answered_with_a_page(seeds: Seeds, after: str):
    visiting = await visit(seeds)
    assert (await visiting.get(f"/account-events?after={after}&field=%00")).status_code == 200
    for key in ("zz", "00", "a%00b"):
        assert (await visiting.get(f"/account-events/{key}")).status_code == 404


@pytest.mark.parametrize("after", [None, Cursor(START, "00")])
def test_each_field_is_read_from_the_end_of_its_index(seeds: Seeds, after: Cursor | None):
    for n in range(50):
        keep(seeds, STATUS, {"event": f"N{n}"}, n)
    values: dict[str, Any] = {"field": STATUS, "limit": 50}
    if after:
        values |= {"after_at": after.at, "after_key": b""}
    with seeds.database.write() as tx:
        if tx.postgres:
            tx.run(text("SET LOCAL enable_seqscan = off"))
            tx.run(text("SET LOCAL enable_bitmapscan = off"))
        word = "EXPLAIN" if tx.postgres else "EXPLAIN QUERY PLAN"
        rows = tx.all(text(f"{word} {account_events.part(after)}"), values)
    plan = "\n".join(str(row[-1]) for row in rows)
    assert "ix_account_events_field" in plan
    assert "Incremental Sort" in plan if "Sort" in plan else "FOR ORDER BY" not in plan


@given(
    field=st.sampled_from([STATUS, "template_category_update", "account_update", "security", "x", "calls"]),
    kind=st.sampled_from(["", "errors", "test", "call"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(
            ["event", "errors", "metadata", "reason", "restriction_info", "phone_number_id", "alert_info"]
        ) | st.text(), inner),
        max_leaves=12,
    ),
)  # fmt: skip
def test_any_value_of_any_field_gives_a_sentence(field: str, kind: str, value: Any):
    sentence, number = told(field, kind, json.dumps(value))
    assert sentence.endswith(".")
    assert len(sentence) < 2000
    assert isinstance(number, str)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
         "The account changed: DISABLED_UPDATE (DISABLE)."),
        ("account_review_update", {"decision": "APPROVED"}, "The review of the account ended as APPROVED."),
        ("message_template_quality_update",
         {"message_template_name": "a", "previous_quality_score": "GREEN", "new_quality_score": "RED"},
         "The quality of template a changed from GREEN to RED."),
        ("template_category_update",
         {"message_template_name": "a", "previous_category": "UTILITY", "new_category": "MARKETING"},
         "The category of template a changed from UTILITY to MARKETING; its price may change."),
        ("phone_number_name_update", {"decision": "APPROVED", "requested_verified_name": "Shop"},
         "The display name “Shop” of a number was APPROVED."),
        ("messages", {"errors": [{"code": 130429, "title": "Rate limit hit"}]},
         "Meta reported an error that belongs to no message: 130429 Rate limit hit."),
        ("of_next_year", {"event": "SOMETHING"}, "Meta sent this: SOMETHING."),
    ],
)  # fmt: skip
def test_known_fields_are_told_in_their_own_words(field: str, value: dict[str, Any], sentence: str):
    assert told(field, "", json.dumps(value))[0] == sentence
