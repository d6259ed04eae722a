"""Screenshots of every page, light and dark, wide and narrow: `scripts/screenshots FOLDER`.

It starts an installation of its own with the simulator behind it, and sends messages of every fate.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flows.installation import Installation, eventually
from playwright.sync_api import Page, sync_playwright

from browser.conftest import ARGUMENTS, Desk
from browser.places import APPROVED
from store import migrate

SIZES = {"wide": (1600, 1000), "desk": (1280, 900), "narrow": (360, 740)}
# The last four digits choose the simulator's story, see `wamtrail simulate --help`.
FATES = (
    "0001",
    "0003",
    "0004",
    "0002",
    "0007",
    "0008",
    "0009",
    "0010",
    "0005",
    "0013",
    "0015",
    "0006",
    "0012",
)
PAGES = (
    "/",
    "/search?q=status%3Afailed",
    "/search?q=status%3Adeliverd",
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
    "/account-events",
    "/nothing-here",
)


HEARD: tuple[dict[str, Any], ...] = (
    {"field": "message_template_status_update", "value": APPROVED},
    {"field": "phone_number_quality_update", "value": {"event": "FLAGGED", "current_limit": "TIER_1K"}},
    {"field": "account_update", "value": {"event": "ACCOUNT_VIOLATION"}},
    {"field": "messages", "value": {"statuses": [{"id": "", "status": "sent", "timestamp": "x"}]}},
)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("Say where to: scripts/screenshots FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wamtrail-screens-") as own:
        url = f"sqlite:///{own}/wamtrail.db"
        migrate.upgrade(url)
        with Installation(url, Path(own), hang_seconds=2.0, strangers=0.2) as installation:
            address = f"http://127.0.0.1:{installation.console_port}"
            installation.start(
                *("run", "all"),
                ready=f"{address}/healthz",
                WAMTRAIL_WRAPPER_TIMEOUT="1",
                WAMTRAIL_REVEAL_REASON="true",
                WAMTRAIL_KEEP_CONTENT="true",
            )
            _take_all(Desk(installation, address), folder, _messages(installation))


def _messages(installation: Installation) -> list[str]:
    """message_ids of samples, each settled as far as it will be."""
    ids = []
    for place, fate in enumerate(FATES):
        done = installation.send_text(
            f"+9198{place:06d}"[:9] + fate,
            "Hello",
            *("--no-wait", "--reference", f"order-{77 + place}"),
            WAMTRAIL_KEEP_CONTENT="true",
        )
        ids += [line.split()[1] for line in done.stdout.splitlines() if line.startswith("message_id ")]

    def settled() -> bool:
        done = installation.run("message", "list", "--json")
        return all(one["status"] not in ("queued", "sending") for one in json.loads(done.stdout)["messages"])

    eventually(settled)
    return ids


def _take_all(desk: Desk, folder: Path, ids: list[str]) -> None:
    name = desk.user("admin")
    desk.hears(*HEARD)
    addresses = [*PAGES, *(f"/messages/{one}" for one in ids), f"/messages/{ids[2]}/again"]
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        for scheme in ("light", "dark"):
            for size, (width, height) in SIZES.items():
                page = browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,  # type: ignore[arg-type]
                )
                _take(page, desk, name, addresses, folder / f"{scheme}-{size}")
                page.close()
        browser.close()


def _take(page: Page, desk: Desk, name: str, addresses: list[str], folder: Path) -> None:
    from browser.conftest import sign_in

    folder.mkdir(exist_ok=True)
    page.goto(f"{desk.address}/sign-in")
    page.screenshot(path=folder / "sign-in.png")
    sign_in(page, desk.address, name)
    for place, address in enumerate(addresses):
        page.goto(desk.address + address)
        word = address.strip("/").split("?")[0].replace("/", "-") or "front"
        page.screenshot(path=folder / f"{place:02d}-{word[:40]}.png", full_page=True)
        listed = page.locator('main a[href^="/account-events/"], main a[href^="/work/quarantine/"]').first
        if address in ("/account-events", "/work/quarantine") and listed.count():
            page.goto(desk.address + str(listed.get_attribute("href")))
            page.screenshot(path=folder / f"{place:02d}-{word[:40]}-one.png", full_page=True)


if __name__ == "__main__":
    main()
