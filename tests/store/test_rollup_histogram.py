"""Quantiles are within the stated error, merged in any way."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.histogram import ERROR, LIMITS, Histogram, Merging, rank, read

_TIMES = st.lists(st.floats(0, 1e7) | st.integers(0, 200_000), min_size=1, max_size=80)


def of(times: list[float]) -> Histogram:
    one = Histogram()
    for seconds in times:
        one.add(seconds)
    return one


@given(_TIMES, st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_within_the_stated_error(times: list[float], share: float) -> None:
    exact = next(one for one in sorted(times) if sum(each <= one for each in times) >= share * len(times))
    assert of(times).quantile(share) == pytest.approx(exact, rel=ERROR * 1.0001, abs=0.001)


def test_a_quantile_of_few_is_not_that_of_fewer() -> None:
    """Of two, the shorter is half of all, and only the longer is 90 or 99 % of them."""
    two = of([1.0, 100.0])
    assert [two.quantile(share) for share in (0.5, 0.9, 0.99)] == pytest.approx(
        [1, 100, 100], rel=ERROR * 1.0001
    )


@given(st.integers(1, 10**7), st.sampled_from(["0", "0.5", "0.9", "0.99", "1"]))
def test_a_rank_is_exact_however_many_there_are(count: int, share: str) -> None:
    place = rank(float(share), count)
    assert Fraction(place + 1, count) >= Fraction(share)
    assert place == 0 or Fraction(place, count) < Fraction(share)


@given(_TIMES, _TIMES)
def test_merged_is_the_same_as_counted_together(first: list[float], second: list[float]) -> None:
    merged = of(first)
    merged.merge(of(second))
    assert merged == of(first + second)
    assert read(merged.plain()) == merged
    merging = Merging()
    for part in (first, second):
        merging.add(of(part).plain())
    assert merging.whole == merged
    mixed = Merging()
    mixed.add(of(first).packed())
    mixed.add(of(second).plain())
    mixed.add(of(first).packed())
    whole = of(first + second)
    whole.merge(of(first))
    assert mixed.whole == whole


def test_packed_counts_never_run_over_into_the_next_bucket() -> None:
    one = of([1.0, 2.0, 1.0])
    one.buckets = dict.fromkeys(one.buckets, 2**31)
    one.count = 2**32 - 1
    merging = Merging()
    for _ in range(5):
        merging.add(one.packed())
    assert set(merging.whole.buckets.values()) == {5 * 2**31}
    one.count = 2**32
    assert "h" not in one.packed()


@given(_TIMES)
def test_the_limits_are_counted_exactly(times: list[float]) -> None:
    assert of(times).within == [sum(seconds <= limit for seconds in times) for limit in LIMITS]


def test_below_zero_is_zero_and_nothing_has_no_quantile() -> None:
    assert of([-3.0]).quantile(0.5) == 0.0
    assert Histogram().quantile(0.5) is None
