"""Every page that there is to look at, with something on it."""

from flows.installation import eventually
from playwright.sync_api import Page

from browser.conftest import Desk

# The last four digits choose the simulator's story.
READ, FAILED, CUT = "+919812340001", "+919812340004", "+919812340012"
APPROVED = {
    "event": "APPROVED",
    "message_template_id": 1689556908129832,
    "message_template_name": "order_update_with_a_name_that_is_as_long_as_names_of_templates_sometimes_are",
    "message_template_language": "en",
    "reason": None,
}
LISTS = ("waiting", "unknown", "unmatched", "quarantine", "failures", "suppressed", "conflicts")
PAGES = (
    "/",
    "/search",
    "/search?q=since%3A1h",
    "/search?q=status%3Adeliverd",
    "/search?q=ref%3Anothing-of-this-name",
    *(f"/work/{name}" for name in LISTS),
    "/health/webhooks",
    "/reports",
    "/audit",
    "/account",
    "/account-events",
    "/api/docs",
    "/nothing-here",
)


def every(page: Page, desk: Desk) -> list[str]:
    """Addresses for an admin who is signed in in this page; it sends and receives what they need."""
    desk.hears(
        {"field": "message_template_status_update", "value": APPROVED},
        {"field": "messages", "value": {"statuses": [{"id": "", "status": "sent", "timestamp": "x"}]}},
    )
    read, failed, cut = (desk.sent(to) for to in (READ, FAILED, CUT))
    eventually(lambda: desk.shown(failed)["status"] == "failed")
    found = [*PAGES, *(f"/messages/{one}" for one in (read, failed, cut))]
    found += [f"/messages/{failed}/again", f"/messages/{read}/bodies"]
    return [*found, *(_first(page, desk, listed) for listed in ("/account-events", "/work/quarantine"))]


def _first(page: Page, desk: Desk, listed: str) -> str:
    """The address of what stands first in this list, once there is something."""
    link = page.locator(f'main a[href^="{listed}/"]').first

    def shown() -> bool:
        page.goto(desk.address + listed)
        return link.count() > 0

    eventually(shown)
    return str(link.get_attribute("href"))
