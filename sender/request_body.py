"""The JSON body of a request: bounded before it is read, strict in what it takes."""

import json
from typing import Any, NoReturn

from starlette.requests import Request

LONGEST = 1_000_000  # bytes; Meta's largest payload (a carousel of ten cards) has some ten thousand


class TooLong(Exception):
    """The body has more bytes than a message can need."""

    sentence = f"The body is longer than {LONGEST:,} bytes, and no message is; send each message by itself."


class NotJson(Exception):
    """`str()` is a sentence about what is wrong."""


async def read(request: Request) -> bytes:
    """Raises TooLong as soon as it is known, and ClientDisconnect."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:19]) > LONGEST:
        raise TooLong
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > LONGEST:
            raise TooLong
    return bytes(found)


def parse(raw: bytes) -> Any:
    """Raises NotJson. A name that stands twice in one object is refused: nobody knows which was meant."""
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise NotJson("The body is not JSON: it is not UTF-8; send Content-Type application/json.") from None
    except RecursionError:
        raise NotJson("The body is nested too deeply; make it flatter.") from None
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise NotJson(f"The body is not JSON ({where}); send the message as application/json.") from None
    except ValueError:
        raise NotJson("The body has a number of thousands of digits in it; write it as text.") from None


def _no_number(_word: str) -> NoReturn:
    raise NotJson("The body has NaN or Infinity in it; JSON has no such number.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("The body has an object with the same name in it twice; keep one of them.")
    return found
