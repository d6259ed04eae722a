"""What no JSON text of ours may carry, wherever it stands in a payload."""

import math
import re
from collections.abc import Iterator

from sender.payload_problem import Path, Problem, problem

DEEPEST = 60
_SURROGATE = re.compile("[\ud800-\udfff]")


def unsound(body: object) -> Iterator[Problem]:
    """Values that could not be stored or sent: walks without recursion, so depth does no harm."""
    waiting: list[tuple[object, Path]] = [(body, ())]
    while waiting:
        value, path = waiting.pop()
        sentence = _fault(value, len(path))
        if sentence is not None:
            yield problem(path, sentence)
        elif isinstance(value, dict):
            for key, inner in reversed(value.items()):
                fault = _fault(key, 0) if isinstance(key, str) else "has a key that is no text"
                if fault is not None:
                    yield problem((*path, str(key)), f"the key {fault}")
                waiting.append((inner, (*path, str(key))))
        elif isinstance(value, list):
            waiting.extend((value[i], (*path, i)) for i in reversed(range(len(value))))


def _fault(value: object, depth: int) -> str | None:
    if depth > DEEPEST:
        return f"nested more than {DEEPEST} deep; make the payload flatter"
    if isinstance(value, str):
        return _fault_of_text(value)
    if value is None or isinstance(value, (bool, dict, list)):
        return None
    if isinstance(value, int):
        return None if abs(value) < 2**63 else "a number of more than 63 bits; write it as text"
    if isinstance(value, float):
        return None if math.isfinite(value) else "not a finite number; JSON has no NaN or Infinity"
    return "not a JSON value"


def _fault_of_text(text: str) -> str | None:
    if "\0" in text:
        return "has a NUL character in it; take it out"
    if _SURROGATE.search(text):
        return "has half of a character pair in it (a lone surrogate); send the whole character"
    return None
