"""The work lists: each shows what is its own, to whom it belongs, masked, page by page."""

from typing import Any

import pytest
from sqlalchemy import text
from story_seeds import BANK, PHONE, SHOP, START, Seeds
from visiting import Visit

from store import open_messages, sends, strangers, suppressions
from store.apply import Understood, apply
from store.records import Parsed, Preference, QuarantinedPart
from support import quarantine_page, work_rows

W = "wamid.HBgMOTE5ODc2NTQzNjc4FQIAERgSQUJDREVGMDEyMzQ1Njc4OQA{:04}="


async def visit(seeds: Seeds, role: str = "support", *numbers: str, at: float = 7200.0) -> Visit:
    while open_messages.step(seeds.database):
        pass
    visiting = Visit(seeds.database, now=START + at)
    visiting.user(role=role, numbers=numbers)
    await visiting.sign_in()
    return visiting


async def html(visiting: Visit, path: str) -> str:
    answer = await visiting.get(path)
    assert answer.status_code == 200, path
    return answer.text


async def test_what_waits_too_long_is_listed_with_its_state_and_what_that_means(seeds: Seeds):
    message_id = seeds.accepted(W.format(1), reference="<i>order-77</i>")
    seeds.status(W.format(1), "sent", 2)
    page = await html(await visit(seeds), "/work/waiting")
    assert f'href="/messages/{message_id}"' in page
    assert "</span> sent</a>" in page
    assert "the phone has not taken it yet" in page
    assert "+91 98•••••678" in page
    assert "1 h 59 min ago" in page or "1 h ago" in page
    assert "&lt;i&gt;order-77" in page


async def test_the_age_is_a_choice(seeds: Seeds):
    seeds.accepted(W.format(1))
    visiting = await visit(seeds)
    assert "/messages/" in await html(visiting, "/work/waiting?older=1h")
    assert "No message has waited that long" in await html(visiting, "/work/waiting?older=1d")
    assert "/messages/" in await html(visiting, "/work/waiting?older=nonsense")


async def test_what_is_delivered_waits_no_more(seeds: Seeds):
    seeds.accepted(W.format(1))
    seeds.status(W.format(1), "delivered", 3)
    assert "No message has waited" in await html(await visit(seeds), "/work/waiting")


async def test_a_list_goes_on_page_by_page_and_no_address_holds_a_wamid(
    seeds: Seeds, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(work_rows, "PAGE", 2)
    for n in range(5):
        seeds.stranger(W.format(n), at=10)
    visiting = await visit(seeds)
    path, seen = "/work/unmatched", list[str]()
    while path:
        page = await html(visiting, path)
        assert "wamid" not in page.split("<main")[1]
        assert PHONE not in page
        seen += [part.split('"')[0] for part in page.split('href="/messages/')[1:]]
        _, _, link = page.partition('rel="next" href="')
        path = "/work/unmatched" + link.partition('"')[0].replace("&amp;", "&") if link else ""
    assert sorted(seen) == sorted(strangers.address(W.format(n)) for n in range(5))


async def test_a_contradiction_is_a_conflict(seeds: Seeds):
    seeds.accepted(W.format(1))
    seeds.status(W.format(1), "delivered", 3)
    seeds.failed(W.format(1), 4)
    assert "</span> conflict</a>" in await html(await visit(seeds), "/work/conflicts")


async def test_unknown_sends_are_listed(seeds: Seeds):
    message_id = seeds.send()
    with seeds.database.write() as tx:
        sends.end_leases(tx, START + 3600)
    assert f"/messages/{message_id}" in await html(await visit(seeds), "/work/unknown")


async def test_failures_are_grouped_by_code_with_meaning_and_course(seeds: Seeds):
    for n in range(3):
        seeds.accepted(W.format(n), at=3600)
        seeds.failed(W.format(n), 3700 + n)
    message_id = seeds.send(at=3650)
    seeds.ended(message_id, "refused", at=3651, error='{"code":132001}', refused_by="meta")
    page = await html(await visit(seeds), "/work/failures")
    assert 'href="/search?q=error:131047"' in page
    assert page.index("131047") < page.index("132001")
    assert '<svg class="spark"' in page
    assert "24 hours" in page
    assert "style=" not in page
    assert "Nothing failed" in await html(await visit_again(seeds, 20_000), "/work/failures")
    assert "131047" in await html(await visit_again(seeds, 20_000), "/work/failures?hours=6")


async def visit_again(seeds: Seeds, at: float) -> Visit:
    visiting = Visit(seeds.database, now=START + at)
    await visiting.sign_in()
    return visiting


async def test_somebody_limited_to_a_number_finds_only_what_is_its_own(seeds: Seeds):
    mine = seeds.accepted(W.format(1), phone_number_id=SHOP)
    other = seeds.accepted(W.format(2), phone_number_id=BANK)
    seeds.stranger(W.format(3))
    unknown = seeds.send(phone_number_id=BANK)
    with seeds.database.write() as tx:
        sends.end_leases(tx, START + 3600)
    visiting = await visit(seeds, "support", SHOP)
    page = await html(visiting, "/work/waiting")
    assert mine in page
    assert other not in page
    assert strangers.address(W.format(3)) not in await html(visiting, "/work/unmatched")
    assert unknown not in await html(visiting, "/work/unknown")
    assert (await visiting.get("/work/suppressed")).status_code == 404


async def test_a_message_without_a_number_is_for_admins(seeds: Seeds):
    seeds.status(W.format(1), "delivered", 3)
    visiting = await visit(seeds, "support")
    assert "/messages/" not in await html(visiting, "/work/unmatched")
    visiting.user("root", "admin")
    await visiting.sign_in("root")
    assert "/messages/w-" in await html(visiting, "/work/unmatched")


async def test_opt_outs_are_masked(seeds: Seeds):
    with seeds.database.write() as tx:
        suppressions.record(tx, [Preference(PHONE, suppressions.MARKETING, True, int(START))])
    page = await html(await visit(seeds), "/work/suppressed")
    assert "+91 98•••••678" in page
    assert PHONE not in page


PART = '{"from": "919876543678", "type": "text", "text": {"body": "my <b>secret</b>"}, "n": 919876543678}'


def quarantined(seeds: Seeds) -> None:
    part = QuarantinedPart("/entry/0", "no id of 919876543678", PART)
    with seeds.database.write() as tx:
        apply(tx, [Understood(7, START, Parsed(quarantined=(part,)))], START)


async def test_a_quarantined_part_is_shown_masked_and_can_be_replayed(seeds: Seeds):
    quarantined(seeds)
    visiting = await visit(seeds, "admin")
    page = await html(visiting, "/work/quarantine")
    path = page.split('href="/work/quarantine/')[1].split('"')[0]
    part = await html(visiting, f"/work/quarantine/{path}")
    assert "wamtrail webhooks replay 7" in part
    for secret in ("919876543678", "secret"):
        assert secret not in page
        assert secret not in part
    assert "&#34;type&#34;: &#34;text&#34;" in part
    heard: list[int] = []
    object.__setattr__(visiting.house, "replay", heard.append)
    assert "Replay the webhook" in await html(visiting, f"/work/quarantine/{path}")
    answer = await visiting.post(f"/work/quarantine/{path}/replay", {})
    assert answer.status_code == 303
    assert heard == [7]
    with seeds.database.read() as tx:
        row = tx.first(text("SELECT who, action, target FROM audit_log WHERE action = 'replay'"))
    assert tuple(row or ()) == ("asha", "replay", "webhook 7")


@pytest.mark.parametrize(("role", "numbers"), [("support", ()), ("reporter", ()), ("admin", (SHOP,))])
async def test_quarantine_does_not_exist_for_others(seeds: Seeds, role: str, numbers: tuple[str, ...]):
    quarantined(seeds)
    visiting = await visit(seeds, role, *numbers)
    with seeds.database.read() as tx:
        key = bytes(tx.value(text("SELECT digest FROM quarantine"))).hex()
    for path in ("/work/quarantine", f"/work/quarantine/{key}"):
        assert (await visiting.get(path)).status_code == 404
    assert (await visiting.post(f"/work/quarantine/{key}/replay", {})).status_code == 404


@pytest.mark.parametrize(
    "path", ["/work/none", "/work/quarantine/zz", "/work/quarantine/00", "/work/quarantine/a%00b"]
)
async def test_an_unknown_list_or_part_is_a_404(seeds: Seeds, path: str):
    assert (await (await visit(seeds, "admin")).get(path)).status_code == 404


@pytest.mark.parametrize("name", ["waiting", "unknown", "unmatched", "conflicts", "suppressed", "quarantine"])
@pytest.mark.parametrize("after", ["nan,x", "1e999,x", "1,%00", "x", "1,w-00", "1,' OR 1=1", "999999999999"])
async def test_any_cursor_is_answered_with_a_page(sqlite_url: str, name: str, after: str):
    from store.database import Database

    database = Database(sqlite_url)
    visiting = await visit(Seeds(database), "admin")
    assert (await visiting.get(f"/work/{name}?after={after}")).status_code == 200
    database.close()


@pytest.mark.parametrize("part", ["[" * 5000, "not json", '"919876543678"', "[1e400, 919876543678, true]"])
def test_no_part_shows_a_number(part: str):
    shown: Any = quarantine_page.masked(part)
    assert "919876543678" not in shown
    assert len(shown) < 30_000
