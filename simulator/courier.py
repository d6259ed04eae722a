"""Carries webhooks to the callback, signed as Meta signs them, and keeps a list of what was answered."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

import httpx

from simulator.scenario import Scenario
from whatsapp.signature import sign

AGENT = "facebookexternalua"
AT_ONCE = 8


@dataclass(slots=True)
class Webhook:
    """One body on its way: `answer` is the last HTTP status, None when nobody answered or none was asked."""

    id: int
    body: bytes
    answer: int | None = None
    trouble: str | None = None  # why there was no answer
    attempts: int = 0
    posted_at: float | None = None

    def listed(self) -> dict[str, Any]:
        """As the control pages show it; a body that is not JSON as text."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            body = self.body.decode(errors="replace")
        return {
            "id": self.id,
            "posted_at": self.posted_at,
            "answer": self.answer,
            "trouble": self.trouble,
            "attempts": self.attempts,
            "body": body,
        }


class Courier:
    """The one HTTP client towards the callback. Open it before use, close it at the end."""

    def __init__(self, scenario: Scenario, clock: Callable[[], float]) -> None:
        self._scenario = scenario
        self._clock = clock
        self._ids = count(1)
        self._client: httpx.AsyncClient | None = None
        self.webhooks: deque[Webhook] = deque(maxlen=scenario.remember)

    async def open(self) -> None:
        """Make the client. Proxies of the environment are for the real world and are not used."""
        limits = httpx.Limits(max_connections=AT_ONCE + 2, max_keepalive_connections=AT_ONCE)
        self._client = httpx.AsyncClient(
            timeout=self._scenario.callback_timeout,
            limits=limits,
            trust_env=False,
            headers={"User-Agent": AGENT},
        )

    async def close(self) -> None:
        """Drop the connections."""
        if self._client is not None:
            await self._client.aclose()

    def webhook(self, body: bytes) -> Webhook:
        """Put a body on the list."""
        made = Webhook(next(self._ids), body)
        self.webhooks.append(made)
        return made

    async def carry(self, webhook: Webhook) -> bool:
        """Post it once. True when that settles it: the callback said 200, or there is no callback."""
        webhook.posted_at = self._clock()
        if self._scenario.callback_url is None or self._client is None:
            return True
        webhook.attempts += 1
        webhook.answer, webhook.trouble = None, None
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": sign(self._scenario.app_secret, webhook.body),
        }
        try:
            answer = await self._client.post(
                self._scenario.callback_url, content=webhook.body, headers=headers
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            webhook.trouble = type(error).__name__
            return False
        webhook.answer = answer.status_code
        return answer.status_code == 200

    async def handshake(self, chance: Random) -> dict[str, Any]:
        """Play Meta's verification of a callback: GET with a challenge that must come back alone, as 200."""
        assert self._client is not None
        assert self._scenario.callback_url is not None
        challenge = str(chance.randrange(10**9, 10**10))
        asked = {
            "hub.mode": "subscribe",
            "hub.challenge": challenge,
            "hub.verify_token": self._scenario.verify_token,
        }
        try:
            answer = await self._client.get(httpx.URL(self._scenario.callback_url).copy_merge_params(asked))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return {"ok": False, "challenge": challenge, "status": None, "trouble": type(error).__name__}
        return {
            "ok": answer.status_code == 200 and answer.text == challenge,
            "challenge": challenge,
            "status": answer.status_code,
            "content_type": answer.headers.get("content-type"),
            "body": answer.text[:1000],
        }
