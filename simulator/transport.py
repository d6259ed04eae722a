"""Answers that break HTTP: connections cut, reset or left half-way, at the level of the socket.

ASGI has no word for closing a connection, so the server's protocol class puts the transport into the
scope; these responses close it and then wait until the server has noticed, which keeps its log quiet.
"""

import asyncio
import contextlib
import os
import socket
import struct
from typing import Any, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "wamtrail.transport"


class SimulatorProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol that lets the application reach the connection under it."""

    def on_message_begin(self) -> None:
        """Called by the parser when a request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"transport": self.transport}}


def _transport(scope: Scope) -> asyncio.Transport:
    return cast("asyncio.Transport", scope["extensions"][EXTENSION]["transport"])


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Cut(Response):
    """Closes the connection without a word: the client sees the end of the stream, no answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close instead of answering."""
        del send
        _transport(scope).close()
        await _gone(receive)


class Reset(Response):
    """Resets the connection: the client sees ECONNRESET."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Abort with a linger time of zero, which makes the kernel send RST."""
        del send
        transport = _transport(scope)
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        with contextlib.suppress(ValueError, OSError):  # the client is gone already: nobody to reset
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        await _gone(receive)


class Half(Response):
    """Promises the whole body, sends the first half, closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer half of it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        _transport(scope).close()
        await _gone(receive)


class Hang(Response):
    """Keeps the client waiting before it answers; gives up when the client does, or when we stop."""

    def __init__(self, after: Response, seconds: float, stopping: asyncio.Event) -> None:
        super().__init__()
        self._after, self._seconds, self._stopping = after, seconds, stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then answer if anybody is still there."""
        ends: set[asyncio.Task[Any]] = {
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._stopping.wait()),
        }
        try:
            done, _ = await asyncio.wait(ends, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        if not done:
            await self._after(scope, receive, send)
        elif self._stopping.is_set():
            await Cut()(scope, receive, send)
