"""A wrapper that takes all and answers after a fixed time: `python -m bench.wrapper_stub PORT SECONDS`.

As little as speaks HTTP/1.1, so that it takes next to nothing of the machine. `GET /seen` lists what came,
`GET /count` says only how many.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from typing import cast

import uvloop

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_ANSWER = (
    b'{"messaging_product":"whatsapp","contacts":[{"input":"919876500000","wa_id":"919876500000"}],'
    b'"messages":[{"id":"wamid.HBgMOTE5ODc2NTAwMDAwFQIAERgS%012d"}]}'
)
_FIELD = b'"biz_opaque_callback_data":"'


class Seen:
    """When each POST came whole (Unix seconds), and the id it carried."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.ids: list[str] = []
        self.open = self.most_open = 0

    def listed(self) -> bytes:
        return json.dumps({"times": self.times, "ids": self.ids, "most_open": self.most_open}).encode()


class Connection(asyncio.Protocol):
    def __init__(self, seen: Seen, seconds: float) -> None:
        self._seen, self._seconds = seen, seconds
        self._loop = asyncio.get_running_loop()
        self._got = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not one by name

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._got[:end].lower()
        if head.startswith(b"get "):
            self._got = b""
            listed = head.startswith(b"get /seen")
            self._write(self._seen.listed() if listed else str(len(self._seen.ids)).encode())
            return
        at = head.find(b"content-length:")
        length = int(head[at + 15 : at + 35].split(b"\r\n")[0])
        if len(self._got) < end + 4 + length:
            return
        body, self._got = self._got[end + 4 :], b""
        self._take(body)

    def _take(self, body: bytes) -> None:
        seen = self._seen
        seen.times.append(time.time())
        start = body.find(_FIELD) + len(_FIELD)
        seen.ids.append(body[start : body.find(b'"', start)].decode())
        seen.open += 1
        seen.most_open = max(seen.most_open, seen.open)
        self._loop.call_later(self._seconds, self._answer, _ANSWER % len(seen.times))

    def _answer(self, answer: bytes) -> None:
        self._seen.open -= 1
        self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_HEAD % len(answer) + answer)


async def main(port: int, seconds: float) -> None:
    seen = Seen()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(seen, seconds), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # it is the clock: where it may, it goes before what it measures
        os.nice(-10)
    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
