"""Servers of one part each, on real sockets, and the client's settings for them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sender.wrapper import WrapperConfig

KEY = "key-that-nobody-may-see"
OK = json.dumps({"messages": [{"id": "wamid.A"}]}).encode()
Play = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    return head + await reader.readexactly(length)


@asynccontextmanager
async def server(play: Play) -> AsyncIterator[str]:
    """A server that plays one part for each request; yields its URL."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while True:
                await play(await read_request(reader), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


def config(url: str, **more: float) -> WrapperConfig:
    return WrapperConfig(url, "SID1", KEY, **{"timeout": 3.0, **more})  # type: ignore[arg-type]


def answer(body: bytes, head: str = "HTTP/1.1 200 OK", length: int | None = None, more: str = "") -> bytes:
    size = len(body) if length is None else length
    return f"{head}\r\nContent-Length: {size}\r\n{more}\r\n".encode() + body


def says(data: bytes, close: bool = False) -> Play:
    async def play(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return play
