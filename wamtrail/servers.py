"""HTTP servers that share one event loop and one orderly stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from wamtrail.settings import Bind, SettingsError

STOP_SECONDS = 8  # for requests that are being answered; orchestrators kill after 10
BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Listener:
    """An app and the socket it is served on."""

    app: ASGIApp
    socket: socket.socket

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    @property
    def address(self) -> str:
        host, port = self.socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(bind: Bind, setting: str) -> socket.socket:
    """Open the port now, so that a busy one is one plain sentence and not a server that dies later."""
    family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((bind.host, bind.port))
    except OSError as problem:
        opened.close()
        raise SettingsError(
            f"Cannot listen on {bind} ({problem.strerror}): another program may use the port;"
            f" choose another with {setting}."
        ) from None
    opened.listen(BACKLOG)
    return opened


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for all servers of the process, see `serve`."""
        yield


async def serve(
    listeners: Sequence[Listener],
    *,
    started: Callable[[], Awaitable[None]] | None = None,
    background: Sequence[Callable[[asyncio.Event], Awaitable[None]]] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, or until a background task ends with an error.

    Each background task gets an event that is set when it is time to stop; they are awaited.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    servers = [_Server(_config(listener.app)) for listener in listeners]
    serving = [
        asyncio.create_task(server.serve(sockets=[listener.socket]))
        for server, listener in zip(servers, listeners, strict=True)
    ]
    tasks = [asyncio.create_task(_guarded(task, stopping)) for task in background]
    try:
        await _all_started(servers, serving)
        if started is not None:
            await started()
        await _first(stopping.wait(), *serving, *tasks)
    finally:
        stopping.set()
        for server in servers:
            server.should_exit = True
        results = await asyncio.gather(*serving, *tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _guarded(task: Callable[[asyncio.Event], Awaitable[None]], stopping: asyncio.Event) -> None:
    await task(stopping)


async def _all_started(servers: Sequence[uvicorn.Server], serving: Sequence[asyncio.Task[None]]) -> None:
    while not all(server.started for server in servers):
        if any(task.done() for task in serving):
            return
        await asyncio.sleep(0.005)


async def _first(*awaitables: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(one) for one in awaitables]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    tasks[0].cancel()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,  # it halves the rate, and addresses hold ids
        log_config=None,  # its own handlers would write whole exceptions past wamtrail.logs
        log_level="warning",
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_keep_alive=75,
        backlog=BACKLOG,
    )


def run(main: Awaitable[None]) -> None:
    """Run on uvloop where it exists."""

    async def _main() -> None:
        await main

    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_main())
