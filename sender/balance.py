"""A task beside the worker: charges follow what Meta says, late holds end, a low balance is told once.

Any number of processes may do it on one database: each slice is worked out anew under the account's lock.
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry, Gauge

from store import charges, charges_due, followers, holds, ledger, money
from store.database import Database, ReadTx, is_transient
from store.errors import DatabaseAway
from store.ledger import Budget

EVERY = 1.0  # seconds between two looks
LATE_EVERY = 60.0  # seconds between two looks for holds that nothing can end any more

log = structlog.get_logger("sender.balance")


class BalanceKeeper:
    """`await run(stopping)` until the event is set."""

    def __init__(
        self,
        database: Database,
        budget: Budget,
        *,
        clock: Callable[[], float],
        threshold: int | None = None,
        every: float = EVERY,
    ) -> None:
        """`threshold` in micro: below it the balance is low."""
        self._database, self._budget, self._clock = database, budget, clock
        self._threshold = threshold
        self._every = every
        self._late_due = 0.0

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            more = await self._round()
            if not more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), self._every)

    async def _round(self) -> bool:
        try:
            return await asyncio.to_thread(self.catch_up)
        except DatabaseAway as problem:
            log.warning("database_away", sentence=str(problem))
        except Exception as problem:  # the next round begins where this one did
            if not is_transient(problem):
                log.error("charging_failed", error=type(problem).__name__, exc_info=True)
        return False

    def catch_up(self) -> bool:
        """Blocks; whether there may be more to do at once."""
        with self._database.read() as tx:
            account = ledger.peek(tx)
            found = followers.news(tx, account.feed_position, charges.BATCHES) if account else None
            marked = charges_due.any_marked(tx)
        if account is None or found is None:
            with self._database.write() as writing:
                ledger.opened(writing, self._budget.currency, self._clock())
            return True
        fresh = found.position > account.feed_position
        if fresh:
            self._charge(found)
        settled = self._charge_marked() if marked else 0
        self._end_late()
        self._tell_low()
        return fresh or settled > 0

    def _charge(self, found: followers.News) -> None:
        for start in range(0, len(found.wamids), charges.SLICE):
            with self._database.write() as tx:
                charges.settle(tx, found.wamids[start : start + charges.SLICE], self._clock())
        with self._database.write() as tx:
            charges.advance(tx, found.position)

    def _charge_marked(self) -> int:
        with self._database.write() as tx:
            return charges.settle_marked(tx, self._clock())

    def _end_late(self) -> None:
        now = self._clock()
        if now < self._late_due:
            return
        with self._database.write() as tx:
            ended = holds.release_late(tx, now)
        if ended:
            log.info("late_holds_ended", count=ended)
        else:
            self._late_due = now + LATE_EVERY

    def _tell_low(self) -> None:
        if self._threshold is None:
            return
        with self._database.read() as reading:
            account = ledger.peek(reading)
        if account is None or (account.balance < self._threshold) == (account.low_since is not None):
            return
        with self._database.write() as tx:
            news = ledger.mark_low(tx, self._threshold, self._clock())
        if news is None:
            return
        amounts = {
            "balance": money.shown(account.balance, account.currency),
            "threshold": money.shown(self._threshold, account.currency),
        }
        if news == "fell":
            log.warning("balance_low", **amounts, sentence="Top up with `wamtrail balance top-up AMOUNT`.")
        else:
            log.info("balance_recovered", **amounts)


class BalanceFigures:
    """What the account says; `measure` before each scrape. In the currency's units."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, about: str) -> Gauge:
            return Gauge(f"wamtrail_{name}", about, registry=registry)

        self._balance = gauge("balance", "Top-ups and corrections less charges and holds.")
        self._held = gauge("balance_held", "Held for messages under way.")
        self._charged = gauge("balance_charged", "Charged since the account was opened.")
        self._low = gauge("balance_low", "1 while the balance is below WAMTRAIL_LOW_BALANCE.")

    def measure(self, tx: ReadTx) -> None:
        account = ledger.peek(tx)
        if account is None:
            return
        self._balance.set(account.balance / money.MICRO)
        self._held.set(account.held / money.MICRO)
        self._charged.set(account.charged / money.MICRO)
        self._low.set(int(account.low_since is not None))
