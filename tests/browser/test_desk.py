"""Finding a message, watching it, and settling what is not known."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from browser.conftest import Desk

# The last four digits choose the simulator's story.
READ, CUT = "+919812340001", "+919812340012"
PAGES = (
    "/",
    "/search?q=status%3Aread",
    "/work/waiting",
    "/work/unknown",
    "/work/unmatched",
    "/work/quarantine",
    "/work/failures",
    "/work/suppressed",
    "/work/conflicts",
    "/health/webhooks",
    "/reports",
    "/audit",
    "/account",
)


def sent(desk: Desk, to: str = READ, *more: str) -> dict[str, str]:
    """What `send text` printed: message_id, and wamid when there is one."""
    done = desk.installation.send_text(to, "Hello", *more)
    words = (line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    return {word: value for word, value in words if word in ("message_id", "wamid")}


def searched(page: Page, desk: Desk, words: str) -> None:
    page.goto(f"{desk.address}/")
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.wait_for_load_state()


def test_every_id_that_people_paste_leads_to_the_message(page: Page, desk: Desk):
    message = sent(desk, READ, "--reference", "order-4711")
    desk.signed_in(page)
    for pasted in (message["message_id"], message["wamid"], "order-4711"):
        searched(page, desk, pasted)
        expect(page).to_have_url(re.compile(f"/messages/{message['message_id']}$"))
        assert message["wamid"] not in page.url


def test_a_search_for_a_number_never_stands_in_the_address(page: Page, desk: Desk):
    sent(desk)
    sent(desk)
    desk.signed_in(page)
    searched(page, desk, "+91 98123 40001")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    assert "98123" not in page.url


def test_a_wrong_term_is_told_with_the_right_one(page: Page, desk: Desk):
    desk.signed_in(page)
    searched(page, desk, "status:deliverd")
    expect(page.locator("body")).to_contain_text("delivered")


def test_the_timeline_grows_while_statuses_arrive(page: Page, desk: Desk):
    message = sent(desk)
    desk.signed_in(page)
    page.goto(f"{desk.address}/messages/{message['message_id']}")
    expect(page.locator("body")).to_contain_text("Read", timeout=15_000)


def test_an_unknown_send_is_settled_by_a_person_with_a_note(page: Page, desk: Desk):
    message = sent(desk, CUT)
    desk.signed_in(page, "support")
    page.goto(f"{desk.address}/messages/{message['message_id']}")
    expect(page.locator("body")).to_contain_text("unknown")
    page.get_by_label("Note").first.fill("the customer says it came")
    page.get_by_role("button", name=re.compile("sent", re.I)).first.click()
    expect(page.locator("body")).to_contain_text("the customer says it came")


def test_a_list_is_worked_through_with_the_keyboard_alone(page: Page, desk: Desk):
    sent(desk)
    desk.signed_in(page)
    page.goto(f"{desk.address}/search?q=since%3A1h")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/messages/"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault_for_people_with_other_eyes_or_hands(page: Page, desk: Desk, scheme: str):
    message = sent(desk)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    desk.signed_in(page)
    faults = {}
    for path in (*PAGES, f"/messages/{message['message_id']}"):
        page.goto(desk.address + path)
        found = Axe().run(page).response["violations"]
        serious = [
            (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
        ]
        if serious:
            faults[path] = serious
    assert faults == {}


def test_at_360_pixels_no_page_is_wider_than_the_screen(page: Page, desk: Desk):
    message = sent(desk)
    page.set_viewport_size({"width": 360, "height": 740})
    desk.signed_in(page)
    wide = {}
    for path in (*PAGES, f"/messages/{message['message_id']}"):
        page.goto(desk.address + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            wide[path] = width
    assert wide == {}


def test_reading_works_without_scripts(page: Page, desk: Desk):
    message = sent(desk)
    desk.signed_in(page)
    page.route("**/*.js*", lambda route: route.abort())
    page.goto(f"{desk.address}/messages/{message['message_id']}")
    expect(page.locator("h1").first).to_be_visible()
    page.goto(f"{desk.address}/")
    expect(page.get_by_role("searchbox").first).to_be_visible()
