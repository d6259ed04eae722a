"""Every limit of every model and rule: one more is refused at its place, and the limit itself passes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from over_limits import Limit, Place, corpus, kind_of, over, places, samples, under

from sender.payload import check
from sender.payload_examples import EXAMPLES
from sender.payload_limits import kinds, limits
from sender.payload_problem import pointer

Spot = tuple[dict[str, Any], Limit, Place]


def spots(bodies: list[dict[str, Any]]) -> list[Spot]:
    """Every place of these payloads where something may be too much."""
    found = []
    for body in bodies:
        kind = kind_of(body)
        for limit in limits(kind) if kind else ():
            if limit.most is not None:
                found += [(body, limit, place) for place in places(body, limit)]
    return found


SAMPLES = [body for kind in kinds() for body in samples(kind)]
SPOTS = spots(SAMPLES)
CORPUS = [body for _, body in corpus()]
CORPUS_SPOTS = spots(CORPUS)
UNITS = st.sampled_from("xé😀ह")


def pointers(body: object) -> list[str]:
    message, found = check(body)
    assert (message is None) == bool(found)
    return [one.pointer for one in found]


@pytest.mark.parametrize("kind", kinds())
def test_the_samples_pass_and_have_a_place_for_every_limit(kind: str) -> None:
    for body in samples(kind):
        assert pointers(body) == []
    for limit in limits(kind):
        if limit.most is not None:
            assert any(list(places(body, limit)) for body in samples(kind)), limit


@given(st.sampled_from(SPOTS), st.integers(1, 40), UNITS)
def test_what_is_over_a_limit_is_refused_at_its_place(spot: Spot, by: int, unit: str) -> None:
    body, limit, place = spot
    assert pointer(place) in pointers(over(body, place, limit, by, unit))


def test_no_limit_is_left_out() -> None:
    for body, limit, place in SPOTS:
        assert pointer(place) in pointers(over(body, place, limit, 1)), (limit, place)
        assert pointer(place) not in pointers(over(body, place, limit, 0)), (limit, place)


def test_what_is_under_a_limit_is_refused_at_its_place() -> None:
    checked = 0
    for body in SAMPLES:
        for limit in limits(kind_of(body) or "text"):
            for place in places(body, limit) if limit.least is not None else ():
                assert pointer(place) in pointers(under(body, place, limit)), (limit, place)
                checked += 1
    assert checked > 100


@given(st.sampled_from(SPOTS))
def test_a_sentence_names_the_place_and_the_limit(spot: Spot) -> None:
    body, limit, place = spot
    _, found = check(over(body, place, limit, 1))
    sentences = [one.message for one in found if one.pointer == pointer(place)]
    assert any(f"{limit.most:,}" in sentence for sentence in sentences)
    assert all(sentence.startswith(".".join(map(str, place))) for sentence in sentences)


if CORPUS:

    @given(st.sampled_from(CORPUS_SPOTS), st.integers(1, 40), UNITS)
    def test_a_body_of_the_corpus_over_a_limit_is_refused_at_its_place(
        spot: Spot, by: int, unit: str
    ) -> None:
        body, limit, place = spot
        assert pointer(place) in pointers(over(body, place, limit, by, unit))

    JSON = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=8,
    )

    @given(st.sampled_from(CORPUS), st.data())
    def test_a_mutated_body_of_the_corpus_never_makes_it_raise(body: dict[str, Any], data: Any) -> None:
        changed = json.loads(json.dumps(body))
        for _ in range(data.draw(st.integers(1, 3))):
            holder, key = data.draw(st.sampled_from(_members(changed) or [(changed, "to")]))
            if data.draw(st.booleans()):
                holder[key] = data.draw(JSON)
            elif isinstance(holder, dict):
                holder.pop(key, None)
        message, found = check(changed)
        assert (message is None) == bool(found)


def _members(value: Any) -> list[tuple[Any, Any]]:
    """Every (object or list, key) in a JSON value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys]
    return found


def test_the_examples_are_of_every_kind_in_order() -> None:
    assert list(EXAMPLES) == kinds()
