"""Files of whole, signed HTTP requests, one after another, each behind its length in eight digits.

A stream as Meta sends it: every message is `sent`, then `delivered`, then `read`, with SPACING other messages
between the three; no message twice in one body. One status in four carries callback data of ours.
"""

import base64
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

from whatsapp.signature import sign

SECRET = "bench-app-secret"
PATH = "/webhooks/whatsapp"
SPACING = 9_000  # messages; at 10,000 statuses a second about one second
WORDS = ("sent", "delivered", "read")
FIRST = int(time.time()) - 3_600  # Unix seconds of the first event; old ones make no rows

_STATUS = (
    '{"id":"%s","status":"%s","timestamp":"%d","recipient_id":"%s","conversation":{"id":"%s",'
    '"origin":{"type":"utility"}},"pricing":{"billable":true,"pricing_model":"PMP","category":"utility",'
    '"type":"regular"}%s}'
)
_BODY = (
    '{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":'
    '{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":'
    '"106540352242922"},"contacts":[{"wa_id":"%s"}],"statuses":[%s]},"field":"messages"}]}]}'
)


def write(path: Path, count: int, statuses: int, *, start: int = 0) -> int:
    """`count` requests of `statuses` each, messages numbered from `start`; the first body's size in bytes."""
    stream = _statuses(start)
    size = 0
    with path.open("wb") as file:
        for _ in range(count):
            body = _body(list(itertools.islice(stream, statuses)))
            size = size or len(body)
            whole = request(body)
            file.write(b"%08d" % len(whole) + whole)
    return size


def request(body: bytes) -> bytes:
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\n"
        f"Content-Type: application/json\r\nX-Hub-Signature-256: {sign(SECRET, body)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def big(size: int, salt: int) -> bytes:
    """One body of about `size` bytes, all of its messages new."""
    stream = _statuses(10_000_000 * (salt + 1))
    return _body(list(itertools.islice(stream, size // 340)))


def _body(statuses: list[tuple[str, str]]) -> bytes:
    return (_BODY % (statuses[0][0], ",".join(status for _, status in statuses))).encode()


def _statuses(start: int = 0) -> Iterator[tuple[str, str]]:
    """The recipient, and the status."""
    for block in itertools.count():
        for step, word in enumerate(WORDS):
            for place in range(SPACING):
                yield _status(start + block * SPACING + place, word, FIRST + block + 2 * step)


def _status(number: int, word: str, at: int) -> tuple[str, str]:
    phone = f"9198{number % 100_000_000:08d}"
    # Spread over the index as real ones are: a part that looks random follows the number.
    scattered = number * 2_654_435_761 % 2**64
    wamid = base64.b64encode(b"\x1d\x0c" + phone.encode() + b"\x15\x02\x00\x11\x18\x12%020X\x00" % scattered)
    data = ""
    if number % 4 == 0:
        made = f"{(at - 60) * 1000:012x}"  # the id of one of ours tells when it was made
        name = f"{made[:8]}-{made[8:]}-7{number & 0xFFF:03x}-8000-{number:012x}"
        data = f',"biz_opaque_callback_data":{json.dumps(name)}'
    return phone, _STATUS % (f"wamid.{wamid.decode()}", word, at, phone, f"{scattered:032x}", data)
