"""From the bytes of a webhook to plain values, and from plain values to canonical JSON text.

Reading takes what Meta has been seen to send and what JSON readers quarrel about: half an emoji as a lone
surrogate, `\\u0000`, NaN, UTF-16, a byte order mark, numbers of any length, deep nesting. What comes out
is safe to store: text without NUL and surrogates, numbers that JSON can say.
"""

import json
import math
import re
from typing import Any

from pydantic_core import from_json

DEEPEST = 150
"""Levels of nesting that stay nested; what lies deeper is carried as its JSON text inside a string, so that
whoever reads our texts never meets their own reader's limit (pydantic-core's is 201, Python's about 990)."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)
_SEEN: dict[str, str] = {}
_SEEN_MOST = 1024
_SEEN_LONGEST = 400  # characters


class Unreadable(ValueError):
    """The body is no JSON that anyone could read; the text is a sentence for people."""


def read(body: bytes) -> Any:
    """The value that a body says, with every string storable. Raises Unreadable and nothing else."""
    try:
        tree = from_json(body, allow_inf_nan=False)
    except ValueError:
        return tidied(_second_reading(body))
    # The fast reader refuses lone surrogates and raw control characters: only the escape can bring a NUL.
    return tidied(tree) if b"\\u0000" in body else tree


def canonical(value: Any) -> str:
    """The JSON text that equal values share: sorted keys, no spaces, characters as they are."""
    try:
        return _ENCODER.encode(value)
    except (ValueError, RecursionError):  # 1e400 reads as infinity, which no JSON text can say
        return _ENCODER.encode(tidied(value))


def canonical_often(value: Any) -> str:
    """`canonical` for values that come again and again, such as prices and errors: remembers some."""
    key = repr(value)  # tells True, 1, 1.0 and "1" apart, which hashing would not
    text = _SEEN.get(key)
    if text is None:
        text = canonical(value)
        if len(key) <= _SEEN_LONGEST:
            if len(_SEEN) >= _SEEN_MOST:
                _SEEN.clear()
            _SEEN[key] = text
    return text


def tidied(value: Any, room: int = DEEPEST) -> Any:
    """The same value, storable: NUL and lone surrogates become U+FFFD, NaN and infinity null."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, dict | list):
        return value
    if room == 0:
        return _deep_text(value)
    if isinstance(value, list):
        return [tidied(item, room - 1) for item in value]
    return {_UNSTORABLE.sub("\ufffd", key): tidied(item, room - 1) for key, item in value.items()}


def _second_reading(body: bytes) -> Any:
    """The patient reader: also UTF-16 and UTF-32, byte order marks, lone surrogates, NaN, endless numbers."""
    if not body.strip():
        raise Unreadable("The body is empty.")
    try:
        return json.loads(body, parse_int=_whole, parse_constant=_no_number)
    except RecursionError:
        raise Unreadable("The body is nested too deeply to be read.") from None
    except ValueError:
        raise Unreadable("The body is not JSON.") from None


def _whole(digits: str) -> int | str:
    """Python refuses to convert more than 4,300 digits; such a number is kept as its digits."""
    try:
        return int(digits)
    except ValueError:
        return digits


def _no_number(_: str) -> None:
    """NaN, Infinity and -Infinity: no JSON, and nothing to store."""


def _deep_text(value: Any) -> str:
    """The canonical text of any depth, without recursion; a one-tuple on the pile is text already."""
    written: list[str] = []
    pile: list[Any] = [value]
    while pile:
        piece = pile.pop()
        if isinstance(piece, tuple):
            written.append(piece[0])
        elif isinstance(piece, dict):
            pile.append(("}",))
            for number, key in enumerate(sorted(piece, reverse=True), 1):
                comma = "" if number == len(piece) else ","
                pile += [piece[key], (f"{comma}{_ENCODER.encode(tidied(key))}:",)]
            pile.append(("{",))
        elif isinstance(piece, list):
            pile.append(("]",))
            for number in range(len(piece) - 1, -1, -1):
                pile += [piece[number], ("," if number else "",)]
            pile.append(("[",))
        else:
            written.append(_ENCODER.encode(tidied(piece)))
    return "".join(written)
