"""The page of a message: what it says, what it hides, and who sees it."""

import json
import re

import pytest
from story_seeds import BANK, PHONE, SHOP, START, WINDOW_CLOSED, Seeds
from visiting import Visit

from store import audit, strangers
from support import pages

WAMID = "wamid.HBgMOTE5ODc2NTQzNjc4FQIAERgSQUJDREVGMDEyMzQ1Njc4OTAxAA=="
NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


async def visit(seeds: Seeds, role: str = "support", *numbers: str, name: str = "asha") -> Visit:
    one = Visit(seeds.database, START + 720)
    one.user(name, role, numbers)
    await one.sign_in(name)
    return one


async def test_a_delivered_message_is_told_in_its_first_line(seeds: Seeds):
    message_id = seeds.accepted(WAMID, reference="order-77", template="order_update", language="en")
    pricing = json.dumps({"billable": True, "category": "utility", "type": "regular"})
    seeds.status(WAMID, "sent", 2)
    seeds.status(WAMID, "delivered", 14, pricing=pricing)
    page = (await (await visit(seeds)).get(f"/messages/{message_id}")).text
    for words in (
        "Delivered 12 s after sending, not read yet",
        "order-77",
        "order_update (en)",
        "+91 98•••••678",
        "utility",
        "+12 s",
        "arrived",
        'title="2026-11-22 10:00:14 UTC"',
        "data-live=",
    ):
        assert words in page
    assert PHONE not in page
    assert WAMID not in page


async def test_a_failure_says_what_it_means_and_what_to_do(seeds: Seeds):
    message_id = seeds.accepted(WAMID)
    stored = json.loads(WINDOW_CLOSED)
    stored[0]["fbtrace_id"] = "AwnTrace"
    seeds.status(WAMID, "failed", 6, error_codes="131047", errors=json.dumps(stored))
    page = (await (await visit(seeds)).get(f"/messages/{message_id}")).text
    for words in (
        "More than 24 hours have passed",
        "<strong>Do:</strong>",
        "Whose: ",
        "131047",
        'data-copy="AwnTrace"',
    ):
        assert words in page
    assert "data-live" not in page
    assert "its content is gone" in page.lower()


async def test_what_a_stranger_controls_is_shown_as_text(seeds: Seeds):
    nasty_wamid = f"wamid.{NASTY}"
    errors = json.dumps([{"code": 1, "title": NASTY, "fbtrace_id": NASTY, "details": NASTY}])
    message_id = seeds.accepted(
        nasty_wamid, reference=NASTY, template=NASTY, language=NASTY, callback_data=NASTY
    )
    pricing = json.dumps({"category": NASTY, "type": NASTY, "pricing_model": NASTY})
    seeds.status(nasty_wamid, NASTY, 5, participant=NASTY)
    seeds.status(nasty_wamid, "failed", 6, error_codes="1", errors=errors, pricing=pricing)
    one = await visit(seeds)
    pages = [
        await one.get(f"/messages/{message_id}"),
        await one.get(f"/messages/{message_id}/live"),
        await one.post(f"/messages/{message_id}/reveal", {"reason": NASTY}),
    ]
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text


async def test_a_group_is_told_by_members(seeds: Seeds):
    message_id = seeds.accepted("wamid.G")
    for member, word in (("1", "delivered"), ("2", "read"), ("3", "sent")):
        seeds.status("wamid.G", word, 5, participant=f"91900000000{member}")
    page = (await (await visit(seeds)).get(f"/messages/{message_id}")).text
    assert "Delivered to 2 of 3" in page
    assert "delivered is implied" in page
    assert "919000000001" not in page


async def test_a_reveal_shows_it_and_is_written_down(seeds: Seeds):
    message_id = seeds.accepted(WAMID)
    one = await visit(seeds)
    answer = await one.post(f"/messages/{message_id}/reveal", {})
    assert PHONE in answer.text
    assert WAMID in answer.text
    assert answer.headers["cache-control"] == "no-store"
    with seeds.database.read() as tx:
        (entry,) = audit.listed(tx, action="reveal")
    assert (entry.who, entry.target, entry.number) == ("asha", message_id, SHOP)


async def test_a_reveal_asks_why_when_so_set(seeds: Seeds):
    message_id = seeds.accepted(WAMID)
    one = await visit(seeds)
    object.__setattr__(one.house, "reveal_reason", True)
    assert PHONE not in (await one.post(f"/messages/{message_id}/reveal", {"reason": " "})).text
    answer = await one.post(f"/messages/{message_id}/reveal", {"reason": "ticket 5"})
    assert PHONE in answer.text
    with seeds.database.read() as tx:
        assert [entry.reason for entry in audit.listed(tx, action="reveal")] == ["ticket 5"]


async def test_a_strangers_message_has_an_address_without_a_number(seeds: Seeds):
    seeds.stranger("wamid.S+/=")
    page = await (await visit(seeds)).get(f"/messages/{strangers.address('wamid.S+/=')}")
    assert "not sent from here" in page.text
    assert (await (await visit(seeds, name="b")).get("/messages/wamid.S+%2F=")).status_code == 404


PATHS = ("", "/live", "/again")
POSTS = ("/reveal", "/cancel", "/settle", "/again", "/bodies/show")


@pytest.mark.parametrize(
    ("role", "numbers"), [("support", (BANK,)), ("admin", (BANK,)), ("reporter", (SHOP,))]
)
async def test_who_is_limited_to_other_numbers_finds_nothing(seeds: Seeds, role: str, numbers: tuple):
    message_id = seeds.accepted(WAMID)
    one = await visit(seeds, role, *numbers)
    for path in (*PATHS, "/bodies"):
        assert (await one.get(f"/messages/{message_id}{path}")).status_code == 404
    for path in POSTS:
        form = {"as": "sent", "note": "x", "number": "1", "webhook": "1"}
        assert (await one.post(f"/messages/{message_id}{path}", form)).status_code == 404


async def test_webhooks_as_they_came_are_for_admins_and_each_look_is_written_down(seeds: Seeds):
    message_id = seeds.accepted(WAMID)
    seeds.status(WAMID, "sent", 2)
    desk = await visit(seeds)
    assert (await desk.get(f"/messages/{message_id}/bodies")).status_code == 404
    one = await visit(seeds, "admin", name="root")
    object.__setattr__(one.house, "masked_body", lambda body: "MASKED")
    assert "Show webhook 1, masked" in (await one.get(f"/messages/{message_id}/bodies")).text
    path = f"/messages/{message_id}/bodies/show"
    assert "MASKED" in (await one.post(path, {"webhook": "1"})).text
    assert "{}" in (await one.post(path, {"webhook": "1", "whole": "yes"})).text
    assert (await one.post(path, {"webhook": "2"})).status_code == 404
    with seeds.database.read() as tx:
        assert [entry.reason for entry in audit.listed(tx, action="view_body")] == ["whole", "masked"]


async def test_the_fragment_is_the_news_alone_and_asks_again_more_slowly(seeds: Seeds):
    message_id = seeds.accepted(WAMID)
    one = await visit(seeds)
    seeds.status(WAMID, "sent", 2)
    news = (await one.get(f"/messages/{message_id}/live?turn=5&was=accepted")).text
    assert "<html" not in news
    assert 'id="actions" hx-swap-oob' in news
    assert "turn=6&amp;was=sent" in news
    assert 'data-delay="5"' in news
    assert "data-live" not in (await one.get(f"/messages/{message_id}/live?turn=40")).text


async def test_our_own_times_have_milliseconds_and_metas_are_whole_seconds(seeds: Seeds):
    message_id = seeds.accepted("wamid.A", at=0.2)
    seeds.status("wamid.A", "sent", 2)
    visiting = Visit(seeds.database, START + 60)
    visiting.user("asha", "support")
    await visiting.sign_in()
    page = (await visiting.get(f"/messages/{message_id}")).text
    shown = re.findall(r">2026-11-22 (10:00:[\d.]+)</time>", page.split("<ol")[1])
    assert shown == ["10:00:00.200", "10:00:00.200", "10:00:00.642", "10:00:02", "10:00:02.500"]


def test_a_time_is_rounded_to_the_millisecond_over_the_end_of_a_second():
    shown = pages.TEMPLATES.from_string("{{ at|precise }}").render(at=START + 0.9997, viewer=None)
    assert "10:00:01.000<" in shown
