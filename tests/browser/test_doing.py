"""What a person does on a message's page: copy, send again, cancel; and how the page asks for news."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.conftest import Desk

# The last four digits choose the simulator's story.
SENT_ONLY, FAILED, DELIVERED = "+919812340002", "+919812340004", "+919812340003"
HELD = "106540352242999"  # a number that nothing leaves from


@pytest.fixture
def held(desk: Desk) -> Iterator[str]:
    assert desk.installation.run("sender", "pause", "--number", HELD).returncode == 0
    yield HELD
    assert desk.installation.run("sender", "resume", "--number", HELD).returncode == 0


def test_a_reference_is_copied_by_its_button(page: Page, context: BrowserContext, desk: Desk):
    message_id = desk.sent(SENT_ONLY, "order-copied")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=desk.address)
    desk.signed_in(page, "support")
    page.goto(f"{desk.address}/messages/{message_id}")
    button = page.locator('button[data-copy="order-copied"]')
    button.click()
    expect(button).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == "order-copied"


def test_a_failed_message_is_sent_again_as_a_new_one_and_both_name_each_other(page: Page, desk: Desk):
    message_id = desk.sent(FAILED, "order-again")
    desk.signed_in(page, "support")
    first = f"{desk.address}/messages/{message_id}"
    page.goto(first)
    page.get_by_role("button", name="Send again …").click(timeout=20_000)  # once the failure came in
    page.get_by_role("button", name="Send again").click()
    page.wait_for_url(re.compile("/messages/[0-9a-f-]+$"))
    second = page.url
    assert second != first
    linked = page.get_by_role("region", name="Linked messages")
    expect(linked).to_contain_text("This repeats")
    linked.get_by_role("link").click()
    expect(page).to_have_url(first)
    expect(linked).to_contain_text("Sent again")
    linked.get_by_role("link").click()
    expect(page).to_have_url(second)


def test_a_queued_message_is_cancelled_and_never_leaves(page: Page, desk: Desk, held: str):
    message_id = desk.queued(DELIVERED, held)
    desk.signed_in(page, "support")
    page.goto(f"{desk.address}/messages/{message_id}")
    page.get_by_role("button", name="Cancel before it leaves").click()
    expect(page.locator("#top")).to_contain_text("cancelled")
    expect(page.get_by_role("button", name="Cancel before it leaves")).to_have_count(0)
    assert desk.shown(message_id)["status"] == "cancelled"


def test_a_page_asks_for_news_only_while_somebody_looks_at_it(page: Page, desk: Desk):
    message_id = desk.sent(SENT_ONLY)
    desk.signed_in(page, "support")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live?" in request.url else None)
    page.clock.install()
    page.goto(f"{desk.address}/messages/{message_id}")
    with page.expect_response("**/live?*"):
        page.clock.run_for(3_000)
    hidden(page, True)
    before = len(asked)
    page.clock.run_for(600_000)
    assert len(asked) == before
    hidden(page, False)
    with page.expect_response("**/live?*"):
        page.clock.run_for(61_000)


def test_a_page_asks_no_more_once_the_message_is_final(page: Page, desk: Desk):
    message_id = desk.sent(FAILED)
    desk.signed_in(page, "support")
    page.goto(f"{desk.address}/messages/{message_id}")
    expect(page.locator("h1.failed")).to_be_visible(timeout=20_000)  # it asked until then
    expect(page.locator("#live[data-live]")).to_have_count(0)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.install()
    page.clock.run_for(600_000)
    page.reload()
    page.clock.run_for(600_000)
    assert not [url for url in asked if "/live?" in url]


def hidden(page: Page, whether: bool) -> None:
    """As when another tab comes to the front."""
    page.evaluate(
        """whether => {
            Object.defineProperty(document, "hidden", {get: () => whether, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        whether,
    )
