"""A simulator in a thread of this process, on a free port: for tests and for the demo."""

import threading
import time
from types import TracebackType
from typing import Any, Self

import httpx

from simulator.scenario import Scenario
from simulator.server import Clock, Server, address, listen

STARTS_WITHIN = 20.0  # seconds


class RunningSimulator:
    """`with RunningSimulator(scenario) as sim:` listens at `sim.url` until the block ends."""

    def __init__(
        self, scenario: Scenario, host: str = "127.0.0.1", port: int = 0, clock: Clock = time.time
    ) -> None:
        self.scenario = scenario
        self._where = (host, port)
        self._clock = clock
        self.url = ""

    def __enter__(self) -> Self:
        """Start. Raises OSError when the port is taken."""
        listener = listen(*self._where)
        self.url = address(listener)
        listening = threading.Event()
        self._server = Server(self.scenario, self._clock, listening.set)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="simulator", daemon=True
        )
        self._thread.start()
        if not listening.wait(STARTS_WITHIN):
            raise RuntimeError("The simulator did not start in time; its log says why.")
        self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; webhooks that still wait are dropped."""
        self._client.close()
        self._server.should_exit = True
        self._thread.join(STARTS_WITHIN)

    @property
    def messages_url(self) -> str:
        """Where the first sending number's messages are posted."""
        return f"{self.url}/v1/{self.scenario.sid}/wrapper/{self.scenario.phone_number_ids[0]}/messages"

    def messages(self) -> list[dict[str, Any]]:
        """Everything Meta took, oldest first."""
        return self._get("messages")

    def posts(self) -> list[dict[str, Any]]:
        """Every request to the wrapper, oldest first."""
        return self._get("posts")

    def webhooks(self) -> list[dict[str, Any]]:
        """Every webhook, oldest first."""
        return self._get("webhooks")

    def release(self) -> int:
        """Let everything that waits leave now."""
        released: int = self._post("release")["released"]
        return released

    def handshake(self) -> dict[str, Any]:
        """Play Meta's verification of the callback."""
        return self._post("handshake")

    def webhook(self, body: bytes) -> dict[str, Any]:
        """Sign and post this body as it is."""
        return self._post("webhook", body)

    def idle(self) -> bool:
        """Is there nothing left to post?"""
        answer = self._client.get("/_simulator/idle").raise_for_status()
        return bool(answer.json()["idle"])

    def wait_until_idle(self, seconds: float = 20.0) -> None:
        """Return once nothing is left to post. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not self.idle():
            if time.monotonic() > end:
                raise TimeoutError(f"The simulator still had webhooks to post after {seconds} seconds.")
            time.sleep(0.02)

    def _get(self, page: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self._client.get(f"/_simulator/{page}").raise_for_status().json()
        return listed

    def _post(self, page: str, body: bytes = b"") -> dict[str, Any]:
        answer: dict[str, Any] = (
            self._client.post(f"/_simulator/{page}", content=body).raise_for_status().json()
        )
        return answer
