"""Asking a running simulator, over its control pages, what it saw, and working its levers."""

import time
from typing import Any

import httpx

from simulator.scenario import Scenario


class SimulatorClient:
    """`open` it where the simulator of this scenario listens, `close` it at the end."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.url = ""

    def open(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=60)

    def close(self) -> None:
        self._client.close()

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
