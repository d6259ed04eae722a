"""The balance beside real sending: nothing leaves unpaid, and one process tells of a low balance once."""

import asyncio
import time
from collections.abc import Iterator
from random import Random

import pytest
from prometheus_client import CollectorRegistry
from sending import (
    SCENARIO,
    new_send,
    opened,
    queue_all,
    rows,
    single_for,
    states,
    worked,
    worker_for,
    wrapper_for,
)
from structlog.testing import capture_logs

from sender.balance import BalanceFigures, BalanceKeeper
from sender.single import send_now
from simulator.running import RunningSimulator
from store import ledger, rate_cards
from store.apply import Understood, apply
from store.database import Database
from store.ledger import Budget
from store.rate_cards import Rate
from store.records import Parsed, StatusUpdate

INR = Budget("INR")
PRICE = 250_000


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator(SCENARIO) as running:
        yield running


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        with database.write() as tx:
            rate_cards.put(tx, [Rate("INR", "*", "service", "2020-01-01", PRICE, 0)])
        yield database


def topped_up(database: Database, amount: int) -> None:
    with database.write() as tx:
        ledger.enter(tx, "correction", amount, currency="INR", who="Asha", note="test", now=time.time())


def keeper(database: Database, **more: int) -> BalanceKeeper:
    return BalanceKeeper(database, INR, clock=time.time, every=0.01, **more)


async def test_a_single_send_without_money_never_leaves_and_says_what_is_needed(
    database: Database, simulator: RunningSimulator
):
    async with wrapper_for(simulator) as wrapper:
        sent = await send_now(
            database, wrapper, new_send(), wait_at_most=5, clock=time.time, rng=Random(), budget=INR
        )
    assert (sent.state, sent.refused_by) == ("refused", "wamtrail")
    assert sent.sentence.startswith(
        "Refused here: The balance is not enough. 0.25 INR are needed and 0.00 INR are available: top up"
    )
    assert simulator.posts() == []


async def test_a_single_send_is_held_for_and_charged_when_delivered(
    database: Database, simulator: RunningSimulator
):
    topped_up(database, PRICE)
    async with wrapper_for(simulator) as wrapper:
        single = single_for(database, wrapper, budget=INR)
        first, second = [await single.send(new_send(), wait_at_most=5) for _ in range(2)]
    assert (first.state, second.state) == ("accepted", "refused")
    assert rows(database, "SELECT message_id, amount_micro FROM holds") == [
        {"message_id": first.message_id, "amount_micro": PRICE}
    ]
    assert first.wamid is not None
    update = StatusUpdate(first.wamid, "", "delivered", int(time.time()), "")
    with database.write() as tx:
        apply(tx, [Understood(1, time.time(), Parsed(updates=(update,)))], time.time())
    stopping = asyncio.Event()
    task = asyncio.create_task(keeper(database).run(stopping))
    while not await asyncio.to_thread(rows, database, "SELECT 1 FROM charges"):
        await asyncio.sleep(0.01)
    stopping.set()
    await task
    assert rows(database, "SELECT charged_micro, held_micro FROM accounts") == [
        {"charged_micro": PRICE, "held_micro": 0}
    ]


async def test_a_worker_sends_as_much_as_there_is_money_for(database: Database, simulator: RunningSimulator):
    topped_up(database, 3 * PRICE)
    queue_all(database, [new_send() for _ in range(8)])
    async with wrapper_for(simulator) as wrapper:
        worker = worker_for(database, wrapper, budget=INR)
        await worked(worker, lambda: set(states(database).values()) == {"accepted", "refused"})
    assert sorted(states(database).values()) == ["accepted"] * 3 + ["refused"] * 5
    assert len(simulator.posts()) == 3


def test_a_low_balance_is_warned_of_once_however_many_processes_and_starts(database: Database):
    with capture_logs() as logged:
        for amount in (1_000_000, -500_000, 0, 2_000_000, -2_000_000):
            topped_up(database, amount)
            for _ in range(2):
                while keeper(database, threshold=800_000).catch_up():
                    pass
    assert [(one["log_level"], one["event"]) for one in logged] == [
        ("warning", "balance_low"),
        ("info", "balance_recovered"),
        ("warning", "balance_low"),
    ]
    assert logged[0]["balance"] == "0.50 INR"


def test_the_first_round_opens_the_account(database: Database):
    assert keeper(database).catch_up()
    assert not keeper(database).catch_up()
    with database.read() as tx:
        account = ledger.peek(tx)
    assert account is not None
    assert (account.currency, account.balance) == ("INR", 0)


def test_the_figures_are_in_the_currencys_units(database: Database):
    registry = CollectorRegistry()
    figures = BalanceFigures(registry)
    topped_up(database, 1_500_000)
    while keeper(database, threshold=2_000_000).catch_up():
        pass
    with database.read() as tx:
        figures.measure(tx)
    names = ("balance", "balance_held", "balance_charged", "balance_low")
    assert [registry.get_sample_value(f"wamtrail_{name}") for name in names] == [1.5, 0.0, 0.0, 1.0]
