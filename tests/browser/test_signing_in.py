"""Signing in, being kept out, and what a person with limits can see."""

import re

from flows.installation import NUMBER
from playwright.sync_api import BrowserContext, Page, expect

from browser.conftest import PASSWORD, Desk, sign_in


def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_the_page_they_wanted(page: Page, desk: Desk):
    name = desk.user("admin")
    page.goto(f"{desk.address}/work/unknown")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/work/unknown$"))


def test_a_wrong_password_is_told_and_too_many_shut_the_door_for_a_while(page: Page, desk: Desk):
    name = desk.user("support")
    for _ in range(6):
        sign_in(page, desk.address, name, "not the password at all")
        expect(page).to_have_url(re.compile("/sign-in"))
        expect(page.get_by_role("alert")).to_be_visible()
    sign_in(page, desk.address, name)
    expect(page).to_have_url(re.compile("/sign-in"))


def test_whoever_signs_out_is_out(page: Page, desk: Desk):
    desk.signed_in(page)
    page.goto(f"{desk.address}/account")
    page.get_by_role("button", name="Sign out").first.click()
    page.goto(f"{desk.address}/")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_a_user_of_another_number_finds_nothing_of_this_one(page: Page, context: BrowserContext, desk: Desk):
    message_id = desk.sent("+919812340001", "not-for-everybody")
    desk.signed_in(page, "support", "999999999999999")
    answer = page.goto(f"{desk.address}/messages/{message_id}")
    assert answer is not None
    assert answer.status == 404
    page.goto(f"{desk.address}/")
    page.get_by_role("searchbox").first.fill("not-for-everybody")
    page.keyboard.press("Enter")
    expect(page.locator("body")).not_to_contain_text(message_id)

    context.clear_cookies()
    desk.signed_in(page, "support", NUMBER)
    answer = page.goto(f"{desk.address}/messages/{message_id}")
    assert answer is not None
    assert answer.status == 200


def test_a_reporter_has_no_work_lists_and_support_has_no_audit_log(
    page: Page, context: BrowserContext, desk: Desk
):
    desk.signed_in(page, "reporter")
    for path in ("/work/unknown", "/audit"):
        answer = page.goto(desk.address + path)
        assert answer is not None
        assert answer.status == 404
    context.clear_cookies()
    desk.signed_in(page, "support")
    statuses = {}
    for path in ("/work/unknown", "/work/quarantine", "/audit"):
        answer = page.goto(desk.address + path)
        assert answer is not None
        statuses[path] = answer.status
    assert statuses == {"/work/unknown": 200, "/work/quarantine": 404, "/audit": 404}


def test_what_was_revealed_stands_in_the_audit_log(page: Page, context: BrowserContext, desk: Desk):
    message_id = desk.sent("+919812340001")
    name = desk.signed_in(page, "support")
    page.goto(f"{desk.address}/messages/{message_id}")
    expect(page.locator("body")).not_to_contain_text("919812340001")
    page.get_by_label("Why reveal it?").fill("ticket 4711")
    page.get_by_role("button", name=re.compile("[Rr]eveal")).first.click()
    expect(page.locator("body")).to_contain_text("919812340001")
    assert "919812340001" not in page.url
    context.clear_cookies()
    desk.signed_in(page, "admin")
    page.goto(f"{desk.address}/audit")
    row = page.get_by_role("row").filter(has_text=name).filter(has_text="reveal")
    expect(row).to_contain_text("ticket 4711")
    expect(row).to_contain_text(message_id)
