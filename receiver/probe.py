"""Bodies with which `wamtrail doctor` tries the way from the internet to the door: kept, and nothing more."""

import json
from typing import Any, Final

OBJECT: Final = "wamtrail_probe"


def body(size: int) -> bytes:
    """A probe of about `size` bytes."""
    empty = {"object": OBJECT, "entry": [], "padding": ""}
    return json.dumps({**empty, "padding": "x" * max(0, size - len(json.dumps(empty)))}).encode()


def is_probe(tree: Any) -> bool:
    return isinstance(tree, dict) and tree.get("object") == OBJECT and tree.get("entry") == []
