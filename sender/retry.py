"""When a message may be tried again. Pure; only for outcomes that certainly sent nothing."""

from collections.abc import Callable

from sender.outcome import Outcome

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


def next_attempt_at(outcome: Outcome, attempt_number: int, now: float, jitter: float) -> float:
    """When (Unix seconds) to try again after attempt `attempt_number` (from 1) ended at `now`.

    `jitter` lies in [0, 1). Waits are Meta's own where it names them (throughput page). Raises ValueError
    for an outcome that must never be repeated by itself.
    """
    if outcome.kind not in ("throttled", "unreachable"):
        raise ValueError(f"an attempt that ended as {outcome.kind} is never repeated by itself")
    wait = _delay(outcome)(max(attempt_number - 1, 0), jitter)
    return now + min(max(wait, outcome.retry_after or 0.0), DAY)


def _delay(outcome: Outcome) -> Callable[[int, float], float]:
    if outcome.kind == "unreachable":
        return _doubling(1.0, 5 * MINUTE)
    code = outcome.error.code if outcome.error else None
    return _BY_CODE.get(code, _doubling(1.0, MINUTE))


def _doubling(first: float, longest: float) -> Callable[[int, float], float]:
    """`first` to twice `first`, then doubling; at the top spread over the upper half, so that many part."""

    def wait(earlier: int, jitter: float) -> float:
        ceiling = min(first * 2.0 ** min(earlier + 1, 40), longest)
        return ceiling / 2 * (1 + jitter)

    return wait


def _pair_limit(earlier: int, _jitter: float) -> float:
    # One message in 6 s to one person, with a burst borrowed from later; other people are not affected.
    return min(4.0 ** min(earlier, 20), HOUR)


def _maintenance(_earlier: int, jitter: float) -> float:
    return MINUTE * (1 + jitter)  # the upgrade of a number's throughput takes about a minute


_BY_CODE: dict[int | str | None, Callable[[int, float], float]] = {
    4: _doubling(MINUTE, HOUR),  # rolling hour of the app, maybe shared with other customers
    80007: _doubling(MINUTE, HOUR),
    130429: _doubling(1.0, MINUTE),
    131056: _pair_limit,
    131057: _maintenance,
    "WAV2101": _doubling(HOUR, DAY),  # Kaleyra's limit of the day
}
