"""A TCP proxy in front of PostgreSQL that cuts the connection at a chosen moment of the protocol.

`after_commit`: COMMIT has reached the server and is done, but its answer never comes back.
`before_commit`: COMMIT never reaches the server. `stall`: the next COMMIT and all that
follows it go nowhere, silently.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from sqlalchemy import make_url

Moment = Literal["after_commit", "before_commit", "stall"]
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # the simple query message that psycopg sends


class TcpProxy:
    """Forwards until a cut is armed; each armed cut happens once."""

    def __init__(self, url: str) -> None:
        """`url`: of the database behind it; sockets of files and of addresses both do."""
        self._url = make_url(url)
        self._armed: list[Moment] = []
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.commits = 0
        self.cuts = 0
        self.stalled = False

    @property
    def url(self) -> str:
        """The address of the same database through the proxy."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        through = self._url.set(host="127.0.0.1", port=port)
        through = through.set(query={"sslmode": "disable", "gssencmode": "disable"})
        return through.render_as_string(hide_password=False)

    def arm(self, *moments: Moment) -> None:
        """The next commits are cut like this, one after the other."""
        self._armed += moments

    def disarm(self) -> None:
        self._armed.clear()

    def release(self) -> None:
        """Let go of what is stalled: those connections are cut, new ones work."""
        self.stalled = False
        for task in self._connections:
            task.cancel()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.release()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accepted(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._forward(client, to_client))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _forward(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await self._reach()
        back = asyncio.ensure_future(_pump(server, to_client))
        setting_up = False  # what a connection asks and commits when it is new is never cut
        try:
            while data := await client.read(65536):
                setting_up = setting_up or b"SHOW " in data
                if setting_up:
                    setting_up = not data.endswith(COMMIT)
                    to_server.write(data)
                elif not await self._pass(data, server, to_server, back):
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            back.cancel()
            for writer in (to_client, to_server):
                writer.transport.abort()

    async def _pass(
        self,
        data: bytes,
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        back: "asyncio.Future[None]",
    ) -> bool:
        """Forward some bytes of the client; False when the connection is to be cut."""
        moment: Moment | None = None
        if data.endswith(COMMIT):
            self.commits += 1
            moment = self._armed.pop(0) if self._armed else None
        if moment == "stall" or self.stalled:
            self.stalled = True
            await asyncio.Event().wait()  # until it is cancelled
        if moment is not None:
            self.cuts += 1
        if moment == "before_commit":
            return False
        if moment == "after_commit":
            back.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await back
        to_server.write(data)
        await to_server.drain()
        if moment == "after_commit":
            await server.read(1)  # the server answers only after the commit is done
            return False
        return True

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host = self._url.query.get("host") or self._url.host or "127.0.0.1"
        port = self._url.query.get("port") or self._url.port or 5432
        if str(host).startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(str(host), int(str(port)))


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        target.close()


@asynccontextmanager
async def tcp_proxy(url: str) -> AsyncIterator[TcpProxy]:
    proxy = TcpProxy(url)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
