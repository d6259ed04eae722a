"""A simulator in a thread of this process, on a free port: for tests and for the demo."""

import threading
import time
from types import TracebackType
from typing import Self

from simulator.client import SimulatorClient
from simulator.scenario import Scenario
from simulator.server import Clock, Server, address, listen

STARTS_WITHIN = 20.0  # seconds


class RunningSimulator(SimulatorClient):
    """`with RunningSimulator(scenario) as sim:` listens at `sim.url` until the block ends."""

    def __init__(
        self, scenario: Scenario, host: str = "127.0.0.1", port: int = 0, clock: Clock = time.time
    ) -> None:
        super().__init__(scenario)
        self._where = (host, port)
        self._clock = clock

    def __enter__(self) -> Self:
        """Start. Raises OSError when the port is taken."""
        listener = listen(*self._where)
        listening = threading.Event()
        self._server = Server(self.scenario, self._clock, listening.set)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
        )
        self._thread.start()
        if not listening.wait(STARTS_WITHIN):
            raise RuntimeError("The simulator did not start in time; its log says why.")
        self.open(address(listener))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; webhooks that still wait are dropped."""
        self.close()
        self._server.should_exit = True
        self._thread.join(STARTS_WITHIN)
