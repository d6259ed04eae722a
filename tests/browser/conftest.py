"""A real browser on the running product, with the simulator behind it.

A pytest call of its own (`scripts/test` makes it): Playwright and pytest-asyncio cannot share a process.
"""

import json
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from flows.installation import NUMBER, Installation, eventually
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from store import tokens, users
from store.database import Database, WriteTx
from whatsapp.signature import sign

ARGUMENTS = (
    "--no-sandbox",  # the suite may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # tests need no slow one
PASSWORD = "a long enough password of nobody"  # of users that live as long as a test


@dataclass
class Desk:
    """The running product, and how to sign in to it."""

    installation: Installation
    address: str

    def user(self, role: str, *numbers: str) -> str:
        """A new user's name; the password is PASSWORD."""
        name = f"{role}-{secrets.token_hex(4)}"
        with self._written() as tx:
            users.create(
                tx,
                user_id=secrets.token_hex(8),
                name=name,
                role=role,
                numbers=numbers,
                password=HASHER.hash(PASSWORD),
                now=time.time(),
            )
        return name

    def sent(self, to: str, reference: str | None = None) -> str:
        """Gone, as far as it will go by itself; the message_id."""
        message_id = self.queued(to, NUMBER, reference)
        eventually(lambda: self.shown(message_id)["status"] not in ("queued", "sending"))
        return message_id

    def queued(self, to: str, number: str, reference: str | None = None) -> str:
        payload = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "Hello"}}
        asked = {"from": number, "payload": payload, "reference": reference}
        answer = self.called("POST", "/api/v1/messages", json={k: v for k, v in asked.items() if v})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["message_id"])

    def shown(self, message_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.called("GET", f"/api/v1/messages/{message_id}").json()
        return found

    def called(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"}
        return httpx.request(method, self.address + path, headers=headers, trust_env=False, **more)

    @cached_property
    def _token(self) -> str:
        with self._written() as tx:
            return tokens.create(tx, "tests", "admin", (), time.time(), secrets.token_urlsafe(32))

    @contextmanager
    def _written(self) -> Iterator[WriteTx]:
        database = Database(self.installation.environment["WAMTRAIL_DATABASE_URL"])
        with closing(database), database.write() as tx:
            yield tx

    def hears(self, *changes: dict[str, object]) -> None:
        """A signed webhook of Meta's with these changes is kept; the processor comes to it in a moment."""
        entry = {"id": "102290129340398", "time": int(time.time()), "changes": changes}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
        signature = sign(self.installation.simulator.scenario.app_secret, body)
        answer = httpx.post(
            self.installation.callback_url,
            content=body,
            headers={"X-Hub-Signature-256": signature},
            trust_env=False,
        )
        assert answer.status_code == 200

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
        installation.start(
            *("run", "all"),
            ready=f"{address}/healthz",
            WAMTRAIL_WRAPPER_TIMEOUT="1",
            WAMTRAIL_REVEAL_REASON="true",
            WAMTRAIL_KEEP_CONTENT="true",  # so that a message can be sent again
        )
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
