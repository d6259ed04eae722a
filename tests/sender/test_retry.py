"""When messages are tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.outcome import ErrorInfo, Outcome
from sender.retry import DAY, HOUR, next_attempt_at

NOW = 1_800_000_000.0
CODES = st.sampled_from([None, 4, 80007, 130429, 131056, 131057, "WAV2101", "TOO_MANY"])
JITTER = st.floats(0, 1, exclude_max=True)


def throttled(code: int | str | None = None, retry_after: float | None = None) -> Outcome:
    return Outcome("throttled", error=ErrorInfo(code), retry_after=retry_after)


def waits(outcome: Outcome, jitter: float, attempts: int = 8) -> list[float]:
    return [next_attempt_at(outcome, n, 0.0, jitter) for n in range(1, attempts + 1)]


def test_the_pair_limit_waits_four_to_the_power_of_the_attempts():
    assert waits(throttled(131056), 0.5) == [1, 4, 16, 64, 256, 1024, HOUR, HOUR]


@pytest.mark.parametrize("outcome", [throttled(130429), throttled(), throttled("TOO_MANY")])
def test_the_rate_limit_waits_a_second_doubling_to_a_minute(outcome):
    assert waits(outcome, 0.0) == [1, 2, 4, 8, 16, 30, 30, 30]
    assert waits(outcome, 0.5) == [1.5, 3, 6, 12, 24, 45, 45, 45]


def test_maintenance_waits_one_to_two_minutes():
    assert set(waits(throttled(131057), 0.0)) == {60}
    assert set(waits(throttled(131057), 0.5)) == {90}


@pytest.mark.parametrize("code", [4, 80007])
def test_the_rolling_hour_is_waited_for_from_a_minute_up(code):
    assert waits(throttled(code), 0.0) == [60, 120, 240, 480, 960, 1800, 1800, 1800]


def test_an_unreachable_wrapper_is_asked_again_within_five_minutes():
    assert waits(Outcome("unreachable"), 0.0, 10) == [1, 2, 4, 8, 16, 32, 64, 128, 150, 150]


def test_retry_after_is_the_least_wait_and_bounded():
    assert next_attempt_at(throttled(130429, 20.0), 1, NOW, 0.0) == NOW + 20
    assert next_attempt_at(throttled(4, 20.0), 1, NOW, 0.0) == NOW + 60
    assert next_attempt_at(throttled(4, 1e12), 1, NOW, 0.0) == NOW + DAY


@pytest.mark.parametrize("kind", ["accepted", "refused", "unknown"])
def test_what_may_have_been_sent_is_never_tried_again(kind):
    with pytest.raises(ValueError, match=kind):
        next_attempt_at(Outcome(kind), 1, NOW, 0.0)


@given(CODES, st.integers(-5, 10_000), JITTER, st.none() | st.floats(0, 1e9))
def test_a_wait_is_never_past_and_never_beyond_a_day(code, attempt, jitter, retry_after):
    at = next_attempt_at(throttled(code, retry_after), attempt, NOW, jitter)
    assert NOW + 1 <= at <= NOW + DAY


@given(CODES, st.integers(1, 100), JITTER, st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_later_now_gives_no_earlier_attempt(code, attempt, jitter, one, other):
    early, late = sorted((one, other))
    outcome = throttled(code)
    assert next_attempt_at(outcome, attempt, early, jitter) <= next_attempt_at(outcome, attempt, late, jitter)


@given(CODES, st.integers(1, 100), JITTER)
def test_more_attempts_wait_no_shorter(code, attempt, jitter):
    outcome = throttled(code)
    assert next_attempt_at(outcome, attempt, 0.0, jitter) <= next_attempt_at(
        outcome, attempt + 1, 0.0, jitter
    )
