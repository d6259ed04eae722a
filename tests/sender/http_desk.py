"""The sender's HTTP APIs in this process, and a caller with a token."""

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
from sending import FAST, NUMBER, SCENARIO
from starlette.applications import Starlette
from starlette.routing import Mount

from sender import compatible, queue_api
from sender.desk import Desk
from sender.wrapper import WrapperConfig
from simulator.running import RunningSimulator
from store import tokens
from store.database import Database
from store.ledger import Budget
from store.rates import Limits

PATH = f"/v1/{SCENARIO.sid}/wrapper/{NUMBER}/messages"
QUEUE = "/api/v1/messages"


def token_of(database: Database, role: str = "sender", *numbers: str) -> str:
    with database.write() as tx:
        return tokens.create(tx, "test", role, numbers, time.time(), secrets.token_urlsafe(32))


def wrapper_at(url: str, timeout: float = 2.0) -> WrapperConfig:
    return WrapperConfig(url, SCENARIO.sid, SCENARIO.api_key, timeout=timeout)


@asynccontextmanager
async def calling(
    database: Database,
    simulator: RunningSimulator | None,
    *,
    limits: Limits = FAST,
    url: str | None = None,
    timeout: float = 2.0,
    token: str | None = None,
    queued: Callable[[], None] = lambda: None,
    budget: Budget | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of a process with its own desk. `simulator` None and no `url`: sending is not set up."""
    address = url or (simulator.url if simulator else None)
    config = wrapper_at(address, timeout) if address else None
    desk = Desk(database, config, clock=time.time, limits=limits, queued=queued, budget=budget)
    app = Starlette(routes=[*compatible.routes(desk), Mount("/api", routes=queue_api.routes(desk))])
    token = token or token_of(database)
    headers = {"api-key": token, "Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app)
    async with (
        desk.opened(),
        httpx.AsyncClient(
            transport=transport, base_url="http://console", headers=headers, timeout=60
        ) as caller,
    ):
        yield caller
