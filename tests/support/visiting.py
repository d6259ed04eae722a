"""A browser in front of the pages: users, sign-in, and requests as a browser makes them."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from receiver.payload_masked import masked
from receiver.payload_told import told
from store import users
from store.database import Database
from support import app, guard, pages
from support.house import House
from support.viewer import Viewer

HOME = "http://console.example"
PASSWORD = "correct horse battery"


@cache
def quick_hash(password: str = PASSWORD) -> str:
    """argon2 at a cost for tests; `dated` by today's parameters."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


@dataclass
class Visit:
    """The app over one database, with a clock of its own and one browser's cookies."""

    database: Database
    now: float = 1_800_000_000.0
    more: list[BaseRoute] = field(default_factory=list)
    secure: bool = False
    address: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self.house = House(
            self.database, lambda: self.now, secure=self.secure, masked_body=masked, account_event=told
        )
        self.cookies = httpx.Cookies()

    def user(self, name: str = "asha", role: str = "admin", numbers: tuple[str, ...] = ()) -> str:
        with self.database.write() as tx:
            users.create(
                tx,
                user_id=f"id-{name}",
                name=name,
                role=role,
                numbers=numbers,
                password=quick_hash(),
                now=self.now,
            )
        return name

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        sent = {"origin": HOME, "sec-fetch-site": "same-origin", **headers}
        return await self.ask("POST", path, data=form, headers={k: v for k, v in sent.items() if v})

    async def sign_in(self, name: str = "asha", password: str = PASSWORD, to: str = "") -> httpx.Response:
        return await self.post("/sign-in", {"name": name, "password": password, "next": to})

    async def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        given["headers"] = {name.replace("_", "-"): value for name, value in given["headers"].items()}
        served = Starlette(
            routes=[*app.routes(self.house), *self.more], exception_handlers=dict(app.not_found(self.house))
        )
        transport = httpx.ASGITransport(app=served, raise_app_exceptions=False, client=(self.address, 123))
        async with httpx.AsyncClient(transport=transport, base_url=HOME, cookies=self.cookies) as http:
            answer = await http.request(method, path, **given)
            self.cookies = http.cookies
            return answer

    def page(
        self, path: str, roles: tuple[str, ...] = guard.EVERYONE, problem: Exception | None = None
    ) -> None:
        """A page of the test's own behind the guard."""

        async def show(request: Request, viewer: Viewer) -> Response:
            if problem is not None:
                raise problem
            return PlainTextResponse(viewer.name, headers=dict(pages.headers(request)))

        self.more.append(guard.guarded(self.house, path, show, methods=("GET", "POST"), roles=roles))
