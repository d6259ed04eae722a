"""A load client that behaves as Meta does: many connections, and what got no 200 is posted again.

It remembers which bodies were answered 200: those must never be lost.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from receiver_process import SECRET

from whatsapp.signature import sign

CONNECTIONS = 24
SHARED = 20  # messages that bodies of all kinds speak of, so that processors meet in one row
FIRST_SECOND = 1_790_000_000
WORDS = ("sent", "delivered", "read")
PATIENCE = 20.0  # seconds for one answer: the door promises one in much less

Said = tuple[str, str, int]  # wamid, status, occurred_at


@dataclass(frozen=True, slots=True)
class Body:
    number: int
    said: tuple[Said, ...]

    @property
    def text(self) -> bytes:
        statuses = [
            {"id": wamid, "status": word, "timestamp": str(second), "recipient_id": "919000000001"}
            for wamid, word, second in self.said
        ]
        value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"}, "statuses": statuses}
        change = {"field": "messages", "value": value}
        entry = {"id": "1", "changes": [change]}
        return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


class Load:
    """Bodies out of one seeded chance, and what became of each."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.posted: dict[int, Body] = {}
        self.acknowledged: set[int] = set()
        self._again: list[Body] = []
        self.refused = 0  # answered 503
        self.unanswered = 0
        self.odd: dict[int, int] = {}  # any other answer

    def _next(self) -> Body:
        if self._again and self._chance.random() < 0.5:
            return self._again.pop()
        if self.posted and self._chance.random() < 0.05:  # Meta repeats even what was answered
            return self.posted[self._chance.randrange(len(self.posted))]
        number = len(self.posted)
        word, second = self._chance.choice(WORDS), FIRST_SECOND + number
        own = [(f"wamid.{number}.{n}", word, second) for n in range(self._chance.randint(1, 4))]
        shared = [(f"wamid.shared.{self._chance.randrange(SHARED)}", word, second)]
        body = self.posted[number] = Body(number, tuple(own + shared))
        return body

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[None]:
        """Load while the context lasts; at its end requests that are on their way are waited for."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(self._connection(port, stop)) for _ in range(CONNECTIONS)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def post_again(self, port: int) -> None:
        """What has got no 200 yet, until it has, as Meta does."""
        stop = asyncio.Event()
        self._again = [body for number, body in self.posted.items() if number not in self.acknowledged]
        everything = iter(self._again)
        self._again = []
        await asyncio.gather(*(self._connection(port, stop, everything) for _ in range(CONNECTIONS)))
        assert not self._again

    async def _connection(self, port: int, stop: asyncio.Event, bodies: Iterator[Body] | None = None) -> None:
        """Post after post, over a new connection whenever the old one ended."""
        while not stop.is_set():
            body = self._next() if bodies is None else next(bodies, None)
            if body is None:
                return
            with suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    while body is not None and await self._post(body, reader, writer):
                        body = None
                        if stop.is_set():
                            return
                        body = self._next() if bodies is None else next(bodies, None)
                    if body is None:
                        return
                finally:
                    writer.transport.abort()
            self._again.append(body)
            self.unanswered += 1
            await asyncio.sleep(0.05)

    async def _post(self, body: Body, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """False when the connection has to be given up; then the body is to be posted again."""
        text = body.text
        writer.write(
            b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: door\r\nContent-Length: %d\r\n"
            b"X-Hub-Signature-256: %b\r\n\r\n%b" % (len(text), sign(SECRET, text).encode(), text)
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        status = int(head.split(b" ", 2)[1])
        if status == 200:
            self.acknowledged.add(body.number)
            return True
        if status == 503:
            self.refused += 1
        else:
            self.odd[status] = self.odd.get(status, 0) + 1
        return False
