"""Finding a message, watching it, and settling what is not known."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from browser.conftest import Desk
from browser.places import CUT, READ, every


def searched(page: Page, desk: Desk, words: str) -> None:
    page.goto(f"{desk.address}/")
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.wait_for_load_state()


def test_every_id_that_people_paste_leads_to_the_message(page: Page, desk: Desk):
    message_id = desk.sent(READ, "order-4711")
    wamid = desk.shown(message_id)["wamid"]
    desk.signed_in(page)
    for pasted in (message_id, wamid, "order-4711"):
        searched(page, desk, pasted)
        expect(page).to_have_url(re.compile(f"/messages/{message_id}$"))
        assert wamid not in page.url


def test_a_search_for_a_number_never_stands_in_the_address(page: Page, desk: Desk):
    desk.sent(READ)
    desk.sent(READ)
    desk.signed_in(page)
    searched(page, desk, "+91 98123 40001")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    assert "98123" not in page.url


def test_a_wrong_term_is_told_with_the_right_one(page: Page, desk: Desk):
    desk.signed_in(page)
    searched(page, desk, "status:deliverd")
    expect(page.locator("body")).to_contain_text("delivered")


def test_the_timeline_grows_while_statuses_arrive(page: Page, desk: Desk):
    message_id = desk.sent(READ)
    desk.signed_in(page)
    page.goto(f"{desk.address}/messages/{message_id}")
    expect(page.locator("body")).to_contain_text("Read", timeout=15_000)


def test_an_unknown_send_is_settled_by_a_person_with_a_note(page: Page, desk: Desk):
    message_id = desk.sent(CUT)
    desk.signed_in(page, "support")
    page.goto(f"{desk.address}/messages/{message_id}")
    expect(page.locator("body")).to_contain_text("unknown")
    page.get_by_label("Note").first.fill("the customer says it came")
    page.get_by_role("button", name=re.compile("sent", re.I)).first.click()
    expect(page.locator("body")).to_contain_text("the customer says it came")


def test_a_list_is_worked_through_with_the_keyboard_alone(page: Page, desk: Desk):
    for _ in range(2):
        desk.sent(READ)
    desk.signed_in(page)
    page.goto(f"{desk.address}/search?q=since%3A1h")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    links = page.locator("table[data-rows] tbody tr a")
    for key, place in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("j", 1), ("k", 0)):
        page.keyboard.press(key)
        expect(links.nth(place)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/messages/"))


def test_no_page_has_a_serious_fault_for_people_with_other_eyes_or_hands(page: Page, desk: Desk):
    faults: dict[str, object] = {}
    page.goto(f"{desk.address}/sign-in")
    _axed(page, "/sign-in", faults)
    desk.signed_in(page)
    for path in every(page, desk):
        page.goto(desk.address + path)
        _axed(page, path, faults)
    assert faults == {}


def _axed(page: Page, path: str, faults: dict[str, object]) -> None:
    """Everything in the light; in the dark only colours can differ."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += page.evaluate("axe.run({runOnly: ['color-contrast']}).then(found => found.violations)")
    serious = [
        (one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")
    ]
    if serious:
        faults[path] = serious


def test_at_360_pixels_no_page_is_wider_than_the_screen(page: Page, desk: Desk):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{desk.address}/sign-in")
    wide = {"/sign-in": _width(page)}
    desk.signed_in(page)
    for path in every(page, desk):
        answer = page.goto(desk.address + path)
        assert answer is not None
        assert answer.status < 500, path
        wide[path] = _width(page)
    message = next(path for path in wide if path.startswith("/messages/"))
    page.goto(desk.address + message)
    page.get_by_label("Why reveal it?").fill("narrow")
    page.get_by_role("button", name="Reveal").click()
    wide["revealed"] = _width(page)
    assert {path: width for path, width in wide.items() if width > 360} == {}


def _width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_reading_works_without_scripts(page: Page, desk: Desk):
    message_id = desk.sent(READ)
    desk.signed_in(page)
    page.route("**/*.js*", lambda route: route.abort())
    page.goto(f"{desk.address}/messages/{message_id}")
    expect(page.locator("h1").first).to_be_visible()
    page.goto(f"{desk.address}/")
    expect(page.get_by_role("searchbox").first).to_be_visible()
