"""A real browser on the running product, with the simulator behind it.

A pytest call of its own (`scripts/test` makes it): Playwright and pytest-asyncio cannot share a process.
"""

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from flows.installation import Installation
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = (
    "--no-sandbox",  # the suite may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PASSWORD = "a long enough password of nobody"  # of users that live as long as a test


@dataclass(frozen=True)
class Desk:
    """The running product, and how to sign in to it."""

    installation: Installation
    address: str

    def user(self, role: str, *numbers: str) -> str:
        """A new user's name; the password is PASSWORD."""
        name = f"{role}-{secrets.token_hex(4)}"
        limits = [word for number in numbers for word in ("--number", number)]
        done = self.installation.run(
            "user", "create", name, "--role", role, "--password-stdin", *limits, input=f"{PASSWORD}\n"
        )
        assert done.returncode == 0, done.stderr
        return name

    def signed_in(self, page: Page, role: str = "admin", *numbers: str) -> str:
        name = self.user(role, *numbers)
        sign_in(page, self.address, name)
        return name


def sign_in(page: Page, address: str, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.fail("Chromium is missing: apt install chromium, or set CHROMIUM to its path.", pytrace=False)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def desk(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One installation for all of these tests: each makes the users and messages that it needs."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copyfile(sqlite_template, folder / "wamtrail.db")
    with Installation(f"sqlite:///{folder}/wamtrail.db", folder, hang_seconds=2.0) as installation:
        address = f"http://127.0.0.1:{installation.console_port}"
        installation.start("run", "all", ready=f"{address}/healthz", WAMTRAIL_WRAPPER_TIMEOUT="1")
        yield Desk(installation, address)
    with closing(sqlite3.connect(folder / "wamtrail.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@dataclass
class Watched:
    """What a page complained about, and whom it asked."""

    complaints: list[str]
    foreign: list[str]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(15_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, desk: Desk) -> Iterator[Page]:
    """A page that must not complain in the console, nor ask any other host."""
    opened = context.new_page()
    watched = Watched([], [])
    opened.on("console", lambda message: _complained(watched, message.type, message.text))
    opened.on("pageerror", lambda error: watched.complaints.append(str(error)))
    opened.on("request", lambda request: _asked(watched, request.url, desk.address))
    yield opened
    assert watched.complaints == []
    assert watched.foreign == []


def _complained(watched: Watched, kind: str, text: str) -> None:
    # A 4xx page that a test asks for on purpose is told in the console, too: it is no fault of the page.
    if kind in ("error", "warning") and "Failed to load resource" not in text:
        watched.complaints.append(text)


def _asked(watched: Watched, url: str, address: str) -> None:
    if not url.startswith((address, "data:", "about:")):
        watched.foreign.append(url)
