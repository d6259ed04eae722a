"""What a person does about a message, and what is refused with a sentence."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from story_seeds import CLAIM, PHONE, START, Seeds, ours
from visiting import Visit

from sender.desk import Desk
from store import again as store_again
from store import apply, audit, sends, suppressions
from store.records import AttemptEnd, Parsed, StatusUpdate
from store.status import STATUSES
from store.stories import Story
from wamtrail import pages
from wamtrail.settings import load

WAMID = "wamid.A"
BODY = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": f"+{PHONE}",
    "type": "text",
    "text": {"body": "Your parcel is here"},
}
REFUSED: dict[str, Any] = {"error": '{"code":131053}', "refused_by": "meta", "http_status": 400}


async def visit(seeds: Seeds) -> Visit:
    one = Visit(seeds.database, START + 720)
    desk = Desk(seeds.database, None, clock=lambda: START + 720)
    parts: Any = SimpleNamespace(settings=load(), database=seeds.database)
    wired = pages.house(parts, desk)
    one.house = replace(one.house, send_again=wired.send_again, keep_content=True)
    one.user("asha", "support")
    await one.sign_in()
    return one


def column(seeds: Seeds, message_id: str, name: str) -> object:
    with seeds.database.read() as tx:
        return tx.value(text(f"SELECT {name} FROM sends WHERE message_id = :id"), {"id": message_id})


def count(seeds: Seeds) -> int:
    with seeds.database.read() as tx:
        return int(tx.value(text("SELECT count(*) FROM sends")))


def acts(seeds: Seeds) -> list[str]:
    with seeds.database.read() as tx:
        return [one.action for one in audit.listed(tx) if one.action != "sign_in"]


def refused(seeds: Seeds, *, keep: bool = True, body: dict[str, Any] = BODY, **fields: object) -> str:
    message_id = seeds.send(payload=json.dumps(body).encode(), reference="order-77", **fields)
    end = AttemptEnd("refused", START + 1, **REFUSED)
    with seeds.database.write() as tx:
        sends.record_outcome(tx, message_id, 1, CLAIM, end, keep_payload=keep)
    return message_id


async def test_an_unknown_send_is_settled_with_a_note(seeds: Seeds):
    message_id = seeds.send()
    seeds.ended(message_id, "unknown")
    one = await visit(seeds)
    assert "how do you know?" in (await one.get(f"/messages/{message_id}")).text
    path = f"/messages/{message_id}/settle"
    assert (await one.post(path, {"as": "sent", "note": " "})).status_code == 409
    assert (await one.post(path, {"as": "maybe", "note": "x"})).status_code == 409
    assert (await one.post(path, {"as": "sent", "note": "<b>seen</b>\0"})).status_code == 303
    page = (await one.get(f"/messages/{message_id}")).text
    assert "settled by a person as sent: &lt;b&gt;seen&lt;/b&gt;" in page
    assert (await one.post(path, {"as": "failed", "note": "x"})).status_code == 409
    assert acts(seeds) == ["settle"]


async def test_only_what_is_queued_is_cancelled(seeds: Seeds):
    message_id = seeds.send()
    one = await visit(seeds)
    path = f"/messages/{message_id}/cancel"
    assert (await one.post(path, {})).status_code == 409
    seeds.ended(message_id, "unreachable", again_at=START + 9)
    assert "Cancel before it leaves" in (await one.get(f"/messages/{message_id}")).text
    assert (await one.post(path, {})).status_code == 303
    assert column(seeds, message_id, "state") == "cancelled"
    assert acts(seeds) == ["cancel"]


async def test_a_refused_message_goes_again_once_however_often_one_presses(seeds: Seeds):
    message_id = refused(seeds, callback_data="order 77")
    one = await visit(seeds)
    path = f"/messages/{message_id}/again"
    assert "Only what failed or was refused" in (await one.get(path)).text
    first = await one.post(path, {"number": "1"})
    assert first.status_code == 303
    assert (await one.post(path, {"number": "1"})).headers["location"] == first.headers["location"]
    new = first.headers["location"].removeprefix("/messages/")
    assert count(seeds) == 2
    assert acts(seeds) == ["send_again"]
    found = [column(seeds, new, name) for name in ("state", "again_of", "priority", "reference", "recipient")]
    assert found == ["queued", message_id, 0, "order-77", PHONE]
    left = json.loads(bytes(column(seeds, new, "payload")))  # type: ignore[arg-type]
    assert left == {**BODY, "biz_opaque_callback_data": f"{new}:order 77"}
    assert message_id in (await one.get(f"/messages/{new}")).text
    page = (await one.get(f"/messages/{message_id}")).text
    assert new in page
    assert "It was sent again already" in page
    assert (await one.post(path, {"number": "2"})).status_code == 409
    assert count(seeds) == 2


async def test_without_its_entry_in_the_audit_log_nothing_goes_again(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
):
    message_id = refused(seeds)
    one = await visit(seeds)

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(audit, "record", full)
        assert (await one.post(f"/messages/{message_id}/again", {"number": "1"})).status_code == 500
    assert count(seeds) == 1
    assert (await one.post(f"/messages/{message_id}/again", {"number": "1"})).status_code == 303
    assert (count(seeds), acts(seeds)) == (2, ["send_again"])


@pytest.mark.parametrize("outcome", ["unknown", "accepted", "sending"])
async def test_what_may_have_been_taken_never_goes_again(seeds: Seeds, outcome: str):
    message_id = seeds.send(payload=json.dumps(BODY).encode())
    if outcome != "sending":
        seeds.ended(message_id, outcome, wamid=WAMID if outcome == "accepted" else None)
    one = await visit(seeds)
    assert (await one.get(f"/messages/{message_id}/again")).status_code == 409
    assert (await one.post(f"/messages/{message_id}/again", {"number": "1"})).status_code == 409
    assert count(seeds) == 1


async def test_without_its_content_it_says_how_it_can_be_kept(seeds: Seeds):
    message_id = refused(seeds, keep=False)
    one = await visit(seeds)
    assert "WAMTRAIL_KEEP_CONTENT" in (await one.get(f"/messages/{message_id}")).text
    answer = await one.post(f"/messages/{message_id}/again", {"number": "1"})
    assert answer.status_code == 409
    assert "WAMTRAIL_KEEP_CONTENT" in answer.text


async def test_whoever_wants_nothing_any_more_gets_nothing_again(seeds: Seeds):
    template = {"name": "sale", "language": {"code": "en"}}
    body = {**BODY, "type": "template", "template": template}
    del body["text"]
    known = {"type": "template", "template": "sale", "language": "en", "category": "MARKETING"}
    message_id = refused(seeds, body=body, **known)
    with seeds.database.write() as tx:
        suppressions.set_by_person(tx, PHONE, True, "wrote STOP", START + 5)
    answer = await (await visit(seeds)).post(f"/messages/{message_id}/again", {"number": "1"})
    assert answer.status_code == 409
    assert count(seeds) == 1


async def test_a_number_that_is_none_is_refused(seeds: Seeds):
    message_id = refused(seeds)
    one = await visit(seeds)
    for number in ("", "x", "7", "٣", "-1"):
        assert (await one.post(f"/messages/{message_id}/again", {"number": number})).status_code == 409
    assert count(seeds) == 1


@pytest.mark.parametrize("keep", [True, False])
def test_what_a_status_settles_keeps_its_content_when_so_configured(seeds: Seeds, keep: bool):
    message_id = seeds.send(payload=b'{"a":1}')
    update = StatusUpdate(WAMID, "", "sent", int(START) + 1, "", callback_data=ours(message_id))
    with seeds.database.write() as tx:
        said = apply.Understood(1, START + 2, Parsed(updates=(update,)))
        apply.apply(tx, [said], START + 2, keep_content=keep)
    assert (column(seeds, message_id, "payload") is not None) is keep


@given(
    status=st.sampled_from(STATUSES),
    kept=st.booleans(),
    twice=st.booleans(),
    before=st.lists(st.sampled_from(STATUSES), max_size=2),
)
def test_only_what_reached_nobody_may_go_again(status: str, kept: bool, twice: bool, before: list[str]):
    times = {f"{name}_at": None for name in ("sent", "delivered", "read", "played", "failed")}
    known = f"{status}_at" in times
    message = {**times, f"{status}_at": 5, "wamid": "w"} if known or status == "accepted" else None
    story = Story({"state": "accepted" if message else status, "settled_by": None}, message)
    links = [store_again.Link("m", number, START, word) for number, word in enumerate(before, 1)]
    if store_again.why_not(story, kept, links, twice=twice) is None:
        assert status in ("failed", "refused")
        assert kept
        assert not twice
        assert not before or before[-1] in ("failed", "refused", "cancelled")
