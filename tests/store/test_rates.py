"""The throttle: its arithmetic against a brute-force model, and its rows under concurrency."""

import itertools
import threading
import time
from fractions import Fraction

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store import rates
from store.database import Database
from store.rates import MICRO, PACE, Limits, Pace

RATE, BURST, SECONDS, ACCOUNT = 20, 4, 6.0, 300
LIMITS = Limits(rate=RATE, pair_burst=BURST, pair_seconds=SECONDS, account=ACCOUNT, account_seconds=10.0)
NUMBER = "106540352242922"


class Tokens:
    """A bucket as textbooks have it: tokens that come back steadily. Exact, and slow."""

    def __init__(self, period: int, burst: int) -> None:
        self.period, self.burst = period, burst
        self.tokens, self.at = Fraction(burst), 0

    def earliest(self, now: int) -> int:
        missing = 1 - self._level(now)
        return now if missing <= 0 else now + -(-missing * self.period // 1)

    def take(self, at: int) -> None:
        level = self._level(at)
        assert level >= 1
        self.tokens, self.at = level - 1, at

    def _level(self, now: int) -> Fraction:
        return min(Fraction(self.burst), self.tokens + Fraction(now - self.at, self.period))


class Throttled(RuleBasedStateMachine):
    @initialize(start=st.integers(0, 2**40))
    def begin(self, start: int) -> None:
        self.now = MICRO * 1_000_000 + start
        self.cells: dict[str, int] = {}
        self.pace = Pace(LIMITS, NUMBER, None, self.cells)
        account = LIMITS.of_account
        assert account is not None
        self.number = Tokens(LIMITS.of_number(None).period, 1)
        self.account = Tokens(account.period, account.burst)
        self.pairs = {one: Tokens(LIMITS.of_pair.period, BURST) for one in "abc"}
        self.slots: list[int] = []
        self.by_pair: dict[str, list[int]] = {one: [] for one in "abc"}

    @rule(seconds=st.floats(0, 20))
    def time_passes(self, seconds: float) -> None:
        self.now += round(seconds * MICRO)

    @rule(recipient=st.sampled_from("abc"), times=st.integers(1, 30))
    def send(self, recipient: str, times: int) -> None:
        for _ in range(times):
            asked = max([self.now, *self.slots[-1:]])  # a wait for a pair has passed for the number, too
            slot, why = self.pace.earliest(recipient, asked)
            model = {
                "number": self.number.earliest(asked),
                "account": self.account.earliest(asked),
                "pair": self.pairs[recipient].earliest(asked),
            }
            assert slot == max(model.values()) == model[why]
            self.pace.take(recipient, slot)
            for bucket in (self.number, self.account, self.pairs[recipient]):
                bucket.take(slot)
            self.slots.append(slot)
            self.by_pair[recipient].append(slot)

    @invariant()
    def no_window_holds_more_than_the_limit(self) -> None:
        slots = getattr(self, "slots", [])
        for window, most in ((MICRO, RATE), (10 * MICRO, ACCOUNT)):
            for first in range(len(slots) - most):
                assert slots[first + most] - slots[first] >= window
        for sent in getattr(self, "by_pair", {}).values():
            for first in range(len(sent) - BURST):
                assert sent[first + BURST] - sent[first] >= SECONDS * MICRO


TestThrottled = Throttled.TestCase
TestThrottled.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)


def test_a_number_is_paced_below_its_limit():
    assert Limits().of_number(None).period == pytest.approx(MICRO / (PACE * 80), abs=1)
    assert Limits().of_number(1000.0).period == pytest.approx(MICRO / (PACE * 1000), abs=1)


def test_forty_five_may_go_to_one_person_at_once_and_then_one_in_six_seconds():
    cells: dict[str, int] = {}
    pace = Pace(Limits(rate=1e6), NUMBER, None, cells)
    for _ in range(45):
        slot, why = pace.earliest("a", 0)
        assert why == "number"
        pace.take("a", slot)
    slot, why = pace.earliest("a", 0)
    assert (why, round(slot / MICRO)) == ("pair", 6)
    assert pace.earliest("b", 0)[1] == "number"


def test_concurrent_reservations_never_share_a_slot(database_url: str):
    """Two opened databases stand for two processes; each reservation is a transaction of its own."""
    key, period, each = rates.number_key(NUMBER), 10_000, 20
    slots: list[int] = []
    now = time.time()

    def reserve(database: Database) -> None:
        for _ in range(each):
            with database.write() as tx:
                before = rates.locked(tx, [key])
                bucket = rates.Bucket(period)
                slot = bucket.earliest(before[key], rates.clock(tx, now))
                rates.write(tx, before, {key: bucket.taken(before[key], slot)})
            slots.append(slot)

    databases = [Database(database_url), Database(database_url)]
    threads = [threading.Thread(target=reserve, args=[databases[n % 2]]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()
    slots.sort()
    assert len(slots) == 6 * each
    assert all(later - earlier >= period for earlier, later in itertools.pairwise(slots))


def test_a_hold_moves_the_number_but_no_other(database_url: str):
    database, now = Database(database_url), time.time()
    with database.write() as tx:
        rates.hold(tx, NUMBER, 5.0, now)
        rates.hold(tx, NUMBER, 1.0, now)  # a shorter one takes nothing away
    with database.read() as tx:
        held = rates.peek(tx, [rates.number_key(NUMBER), rates.number_key("999")])
        assert 4.0 < held[rates.number_key(NUMBER)] / MICRO - rates.clock(tx, now) / MICRO <= 5.0
    assert rates.number_key("999") not in held
    database.close()


def test_only_buckets_that_are_full_again_are_swept(database_url: str):
    database, now = Database(database_url), time.time()
    past, future = round((now - 60) * MICRO), round((now + 60) * MICRO)
    cells = {
        rates.number_key("1"): past,
        rates.pair_key("1", "a"): past,
        rates.line_key("1", "a"): past,
        rates.pair_key("1", "b"): future,
    }
    with database.write() as tx:
        rates.write(tx, {}, cells)
        after = rates.sweep(tx, "", now, most=2)
        assert after != ""
        assert rates.sweep(tx, after, now, most=2) == ""
        left = rates.peek(tx, cells)
    assert sorted(left) == [rates.number_key("1"), rates.pair_key("1", "b")]
    database.close()
