"""The front page: how things stand, what needs a person, what fails, how today goes."""

from story_seeds import BANK, PHONE, SHOP, START, Seeds
from visiting import Visit

from store import minutes, numbers, open_messages, sends
from store.minutes import Seen

W = "wamid.HBgMOTE5ODc2NTQzNjc4FQIAERgSQUJDREVGMDEyMzQ1Njc4OQA{:04}="


async def front(seeds: Seeds, *limited: str, role: str = "support", at: float = 3600.0) -> str:
    while open_messages.step(seeds.database):
        pass
    visiting = Visit(seeds.database, now=START + at)
    visiting.user(role=role, numbers=limited)
    await visiting.sign_in()
    answer = await visiting.get("/")
    assert answer.status_code == 200
    return answer.text


def tally(page: str) -> dict[str, str]:
    """Name of a list -> its count."""
    return {
        part.split('"')[0]: part.split('<span class="number">')[1].split("<")[0]
        for part in page.split('href="/work/')[1:]
        if 'class="number"' in part and not part.startswith("failures")
    }


async def test_an_empty_installation_has_a_calm_front_page(seeds: Seeds):
    page = await front(seeds)
    assert set(tally(page)) == {"unknown", "waiting", "conflicts", "unmatched", "suppressed"}
    assert set(tally(page).values()) == {"0"}
    assert "none yet" in page
    assert "Nothing failed." in page
    assert "Nothing was accepted today." in page
    assert 'action="/search" method="post"' in page


async def test_what_needs_a_person_is_counted(seeds: Seeds):
    seeds.accepted(W.format(1))
    seeds.accepted(W.format(2))
    seeds.status(W.format(2), "delivered", 3)
    seeds.failed(W.format(2), 4)
    seeds.stranger(W.format(3))
    seeds.send()
    with seeds.database.write() as tx:
        sends.end_leases(tx, START + 3600)
    found = tally(await front(seeds))
    expected = {"waiting": "1", "conflicts": "1", "unmatched": "1", "unknown": "1", "suppressed": "0"}
    assert found == expected


async def test_only_admins_see_the_quarantine_counted(seeds: Seeds):
    assert "quarantine" in tally(await front(seeds, role="admin"))


async def test_what_fails_now_and_how_today_goes_are_shown(seeds: Seeds):
    seeds.accepted(W.format(1), at=3000)
    seeds.failed(W.format(1), 3001)
    seeds.accepted(W.format(2), at=3000)
    seeds.status(W.format(2), "sent", 3001)
    seeds.status(W.format(2), "read", 3009)
    seeds.status(W.format(2), "delivered", 3004)
    page = await front(seeds)
    assert 'href="/search?q=error:131047"' in page
    assert '<svg class="spark"' in page
    assert page.count("50.0 %") == 3
    assert "3.0 s, 3.0 s" in page
    assert "Of all 2 messages accepted today." in page
    assert PHONE not in page
    assert "wamid" not in page.split("<main")[1]


async def test_holds_are_told_with_their_reason(seeds: Seeds):
    with seeds.database.write() as tx:
        numbers.pause(tx, SHOP, "quality <low>", START)
        numbers.pause(tx, BANK, "a person paused it", START)
    page = await front(seeds, SHOP)
    assert "quality &lt;low&gt;" in page
    assert BANK not in page


async def test_a_hold_on_all_numbers_is_told_without_what_is_not_theirs(seeds: Seeds):
    reason = f"balance of 12.50 EUR used up by {BANK}"
    with seeds.database.write() as tx:
        numbers.pause(tx, numbers.ACCOUNT, reason, START, until=START + 7200)
    limited = await front(seeds, SHOP)
    assert "<strong>Held:</strong> all sending</p>" in limited
    assert BANK not in limited
    assert "12.50" not in limited
    assert "balance" not in limited
    visiting = Visit(seeds.database, now=START + 3600)
    visiting.user("root", "admin")
    await visiting.sign_in("root")
    assert "balance of 12.50 EUR used up by" in (await visiting.get("/")).text


async def test_somebody_limited_to_a_number_counts_only_its_messages(seeds: Seeds):
    seeds.accepted(W.format(1), phone_number_id=SHOP)
    seeds.accepted(W.format(2), phone_number_id=BANK)
    seeds.accepted(W.format(3), phone_number_id=BANK)
    with seeds.database.write() as tx:
        one = Seen(int(START // 60) + 59, "", "", 7, last_good_at=START + 3500)
        minutes.write(tx, "p", [one])
    page = await front(seeds, SHOP)
    assert tally(page)["waiting"] == "1"
    assert "suppressed" not in tally(page)
    assert "backlog" not in page
    assert "none yet" in page


async def test_reporters_are_led_to_the_reports(seeds: Seeds):
    visiting = Visit(seeds.database, now=START)
    visiting.user(role="reporter")
    await visiting.sign_in()
    answer = await visiting.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/reports")
