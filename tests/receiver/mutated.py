"""Bodies made of the written samples by breaking them in one to five places."""

import json
from typing import Any

from hypothesis import strategies as st
from payload_samples import SAMPLES, TIME

TREES = [json.loads(path.read_bytes()) for path in sorted(SAMPLES.glob("*.json"))]
WORDS = ("id", "status", "timestamp", "errors", "entry", "value", "statuses", "messages", "field", "future")
STRANGE_TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["", "\0", "\ud83d", "\udc00x", "sent", "0", "1790000000", "-1", "9" * 30, "a" * 3000, "é", "٣", "{}"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | STRANGE_TEXT
    | st.sampled_from([0, 1_790_000_000, 10**400])
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | STRANGE_TEXT, inner, max_size=3)
        | st.integers(100, 400).map(lambda levels: nested(levels))
    ),
    max_leaves=6,
)


def nested(levels: int) -> Any:
    deep: Any = {}
    for level in range(levels):
        deep = [deep] if level % 2 else {"a": deep}
    return deep


def sibling(wamid: str) -> dict[str, Any]:
    """An entry with one good status."""
    said = {"id": wamid, "status": "delivered", "timestamp": str(TIME), "recipient_id": "919000000001"}
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"}, "statuses": [said]}
    return {"id": "1", "changes": [{"field": "messages", "value": value}]}


def places(tree: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything below `tree`, without recursion."""
    found: list[tuple[Any, Any]] = []
    pile = [tree]
    while pile:
        one = pile.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            pile.append(one[key])
    return found


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """A sample's tree with one to five mutations."""
    tree: Any = [json.loads(json.dumps(draw(st.sampled_from(TREES))))]
    for _ in range(draw(st.integers(1, 5))):
        container, key = draw(st.sampled_from(places(tree)))
        how = draw(st.sampled_from(["junk", "delete", "wrap", "double", "unwrap", "add"]))
        inner = container[key]
        if how == "delete" and container is not tree:
            del container[key]
        elif how == "wrap":
            container[key] = draw(st.sampled_from([[inner], {"0": inner}, [[inner, inner]], str(inner)]))
        elif how == "double" and isinstance(container, list) and container is not tree:
            container.insert(key, inner)
        elif how == "unwrap" and isinstance(inner, list | dict) and inner:
            container[key] = next(iter(inner.values() if isinstance(inner, dict) else inner))
        elif how == "add" and isinstance(inner, dict):
            inner[draw(st.sampled_from(WORDS) | STRANGE_TEXT)] = draw(JUNK)
        else:
            container[key] = draw(JUNK)
    return tree[0]


def with_sibling(tree: Any, wamid: str, *, first: bool) -> Any:
    """The same with a good entry before or after all else."""
    envelope = dict(tree) if isinstance(tree, dict) else {"object": tree}
    entries = envelope.get("entry", [])
    entries = entries if isinstance(entries, list) else [entries]
    envelope["entry"] = [sibling(wamid), *entries] if first else [*entries, sibling(wamid)]
    return envelope


def encoded(tree: Any, *, escaped: bool) -> bytes:
    """As Meta writes it, or with the characters as they are; half an emoji then is no UTF-8."""
    return json.dumps(tree, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
