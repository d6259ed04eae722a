"""A door on a real socket, with the server settings of `wamtrail run receiver`, and ways to talk to it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import time

import httpx
from prometheus_client import CollectorRegistry

from receiver import app as receiver_app
from receiver.admission import Limits
from receiver.endpoints import Endpoint, FixedDirectory
from store.database import Database
from wamtrail import servers
from whatsapp.signature import sign

PATH = "/webhooks/whatsapp"
SECRET, OLD_SECRET = "app-secret", "app-secret-of-last-year"
TOKENS = ("token-one", "token-two")
ENDPOINTS = {
    "": Endpoint("", TOKENS, (SECRET, OLD_SECRET)),
    "shop": Endpoint("shop", ("shop-token",), ("shop-secret",)),
}


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Hub-Signature-256": sign(secret, body), "Content-Type": "application/json"}


@dataclass
class RunningDoor:
    client: httpx.AsyncClient
    port: int
    registry: CollectorRegistry

    async def post(self, body: bytes, path: str = PATH, secret: str = SECRET) -> httpx.Response:
        return await self.client.post(path, content=body, headers=signed(body, secret))

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    def figure(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"wamtrail_{name}", labels) or 0.0


def head(body: bytes, *lines: str, path: str = PATH) -> bytes:
    """The head of a POST as bytes; `lines` say how long the body is."""
    every = (f"POST {path} HTTP/1.1", "Host: door", f"X-Hub-Signature-256: {sign(SECRET, body)}", *lines)
    return "".join(f"{line}\r\n" for line in every).encode() + b"\r\n"


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and the head of one answer."""
    got = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    return int(got.split(b" ", 2)[1]), got.lower()


@asynccontextmanager
async def running_door(database: Database, limits: Limits | None = None) -> AsyncIterator[RunningDoor]:
    registry = CollectorRegistry()
    app = receiver_app.create(database, FixedDirectory(ENDPOINTS), time, registry, limits=limits)
    listening = socket.create_server(("127.0.0.1", 0))
    server = servers._Server(servers._config(app))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.005)
    port = listening.getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield RunningDoor(client, port, registry)
    finally:
        server.should_exit = True
        await serving
