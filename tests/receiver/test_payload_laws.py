"""Laws of the parser, tried with made-up bodies.

It never raises, loses no sibling, and hands on nothing that a database would refuse.
"""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from payload_samples import RECEIVED_AT, SAMPLES, TIME, assert_storable, envelope, status, value

from receiver.payload import parse

TREES = [json.loads(path.read_text()) for path in sorted(SAMPLES.glob("*.json"))]
ENDLESS = "<endless>"  # becomes a number of 5,001 digits, which Python refuses to write
KEYS = """
entry changes value field statuses messages standby contacts metadata errors id status timestamp type pricing
recipient_participant_id context object 0 sent calls payment history wacid.x ABGGFlA5Fpa 1504902988
"""
WORDS = st.sampled_from([*KEYS.split(), "\0", "\ud83d", str(TIME)])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(TIME)
    | st.just(ENDLESS)
    | st.floats()
    | st.text(max_size=20)
    | WORDS
    | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Lu"]), max_size=6)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)


def written(tree: Any) -> bytes:
    return json.dumps(tree).replace(f'"{ENDLESS}"', "9" * 5001).encode()


def places(tree: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every node below the top."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path for key, item in inner for path in ((*above, key), *places(item, (*above, key)))]


@given(st.binary(max_size=300))
def test_any_bytes_are_answered_and_never_lost(body: bytes) -> None:
    outcome = parse(body, RECEIVED_AT)
    assert outcome.events or outcome.quarantined or outcome.updates or outcome.inbound
    assert_storable(outcome)


@given(JSON)
def test_any_json_is_answered_and_never_lost(tree: Any) -> None:
    outcome = parse(written(tree), RECEIVED_AT)
    assert outcome.events or outcome.quarantined or outcome.updates or outcome.inbound
    assert_storable(outcome)


@settings(max_examples=300)
@given(data=st.data())
def test_a_sample_with_nodes_cut_out_or_replaced_is_answered(data: st.DataObject) -> None:
    tree = copy.deepcopy(data.draw(st.sampled_from(TREES)))
    for _ in range(data.draw(st.integers(1, 3))):
        paths = places(tree)
        if not paths:
            break
        *above, last = data.draw(st.sampled_from(paths))
        holder = tree
        for key in above:
            holder = holder[key]
        if data.draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = data.draw(JSON)
    outcome = parse(written(tree), RECEIVED_AT)
    assert outcome.events or outcome.quarantined or outcome.updates or outcome.inbound
    assert_storable(outcome)


@settings(max_examples=300)
@given(JSON, JSON, JSON, JSON)
def test_whatever_stands_beside_a_good_status_it_is_found(a: Any, b: Any, c: Any, d: Any) -> None:
    beside = {"errors": d, "contacts": c, "user_actions": a, "standby": b, "messages": c}
    good = {
        "field": "messages",
        "value": value(**beside, statuses=[a, status("wamid.1"), b, status("wamid.2")]),
    }
    tree = envelope(c, good, d)
    tree["entry"] = [a, *tree["entry"], d]
    found = [update.wamid for update in parse(written(tree), RECEIVED_AT).updates]
    assert {"wamid.1", "wamid.2"} <= set(found)


@given(JSON, JSON)
def test_what_else_a_status_carries_is_no_reason_to_lose_it(one: Any, other: Any) -> None:
    spoilt = {
        "pricing": one,
        "errors": other,
        "recipient_id": one,
        "biz_opaque_callback_data": other,
        "x": one,
    }
    tree = envelope({"field": "messages", "value": value(statuses=[status(**spoilt, conversation=other)])})
    outcome = parse(written(tree), RECEIVED_AT)
    assert [update.wamid for update in outcome.updates] == ["wamid.A"]
    assert_storable(outcome)


@given(st.permutations(range(6)), st.integers(1, 6))
def test_grouping_and_order_of_statuses_change_nothing(order: list[int], cut: int) -> None:
    items = [status(f"wamid.{number}", errors=[{"code": number}]) for number in range(6)]
    shuffled = [items[number] for number in order]
    parts = [shuffled[:cut], shuffled[cut:]]
    split = [{"field": "messages", "value": value(statuses=part)} for part in parts if part]
    together = envelope({"field": "messages", "value": value(statuses=items)})
    one, other = (parse(written(tree), RECEIVED_AT).updates for tree in (together, envelope(*split)))
    assert set(one) == set(other)
