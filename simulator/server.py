"""Runs the simulator as a real HTTP server: in the foreground, or in a thread beside a test or the demo."""

import contextlib
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from simulator.app import create
from simulator.scenario import Scenario
from simulator.transport import SimulatorProtocol
from simulator.world import World

Clock = Callable[[], float]


class Server(uvicorn.Server):
    """uvicorn that says when it listens, and lets go of hanging requests when it stops."""

    def __init__(self, scenario: Scenario, clock: Clock, listening: Callable[[], None]) -> None:
        app = create(scenario, clock)
        self._world: World = app.state.world
        self._listening = listening
        super().__init__(
            uvicorn.Config(
                app,
                http=SimulatorProtocol,
                ws="none",
                lifespan="on",
                access_log=False,
                log_config=None,
                log_level="warning",
                timeout_graceful_shutdown=3,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go, then stop."""
        self._world.stopping.set()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError with one plain sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        # The standard library adds the address once more, in brackets.
        why = str(error.strerror or error).partition(" (while ")[0]
        raise OSError(
            f"The simulator cannot listen on {host}:{port} ({why}); "
            "stop what uses the port, or choose another one.",
        ) from None


def run(
    scenario: Scenario,
    host: str,
    port: int,
    ready: Callable[[str], None] | None = None,
    clock: Clock = time.time,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then return. `ready` is given the address once it listens.

    Raises OSError with one plain sentence when the port is taken.
    """
    listener = listen(host, port)
    url = address(listener)
    server = Server(scenario, clock, lambda: ready(url) if ready is not None else None)
    _keep_addresses_out_of_logs()
    with _quiet_end():
        server.run(sockets=[listener])


def address(listener: socket.socket) -> str:
    """`http://host:port` of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _keep_addresses_out_of_logs() -> None:
    """httpx writes whole addresses at INFO; that of a handshake holds the verify token."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


@contextlib.contextmanager
def _quiet_end() -> Iterator[None]:
    """uvicorn raises the signal again once it has stopped; here a signal is an ordinary end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def nothing(number: int, frame: FrameType | None) -> None:
        del number, frame

    before = {number: signal.signal(number, nothing) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
