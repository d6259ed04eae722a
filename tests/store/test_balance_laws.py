"""The ledger's law: whatever happens in whatever order, the sums are those of the rows, and the rows are what
the facts say. Worked out here from the status updates and the sends, not with the store's own pricing.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from balance_samples import (
    ELSEWHERE,
    FEE,
    INR,
    MARKETING,
    MONEY_TABLES,
    SERVICE,
    UTILITY,
    adds_up,
    asked,
    caught_up,
    charged_anew,
    charges,
    held,
    rated,
    topped_up,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from store_samples import NOW, SEND_TABLES, STATUS_TABLES, emptied, ended, message_id, new_send, rows, webhook

from store import sends
from store.apply import Understood, apply
from store.claims import claim_one, submit_claimed
from store.database import Database
from store.outcomes import Claim, record_outcome
from store.records import StatusUpdate
from store.replay import replay
from store.webhooks import Incoming, keep
from whatsapp import callback_data

pytestmark = pytest.mark.timeout(400)  # thousands of small transactions
TABLES = (*STATUS_TABLES, *SEND_TABLES, *MONEY_TABLES, "webhooks", "rate_cells")
LAW = settings(max_examples=25, deadline=None, derandomize=True, database=None)
DAYS = {1_800_000_000: "2027-01-15", 1_800_100_000: "2027-01-16"}
MESSAGES: dict[int, dict[str, Any]] = {
    1: {"recipient": "919812345678", "type": "text"},
    2: {"recipient": "919812345679", "type": "template", "template": "t", "category": "UTILITY"},
    3: {"recipient": "4915112345678", "type": "template", "template": "t"},
}
GUESSES = {1: ("IN", "service"), 2: ("IN", "utility"), 3: ("DE", "marketing")}
PRICES = {
    ("IN", "service"): SERVICE + FEE,
    ("IN", "utility"): UTILITY + FEE,
    ("IN", "marketing"): MARKETING + FEE,
    ("DE", "service"): ELSEWHERE + FEE,
    ("DE", "marketing"): ELSEWHERE + FEE,
}
PRICINGS = (
    None,
    '{"category":"utility","type":"regular"}',
    '{"category":"marketing","type":"regular"}',
    '{"category":"service","type":"free_customer_service"}',
    '{"category":"utility","subtype":"paid_exempt","type":"regular"}',
    '{"category":"new_word","type":"regular"}',
)

numbers = st.sampled_from([1, 1, 1, 2, 3])
statuses = st.tuples(
    numbers,
    st.sampled_from(["delivered", "delivered", "sent", "read", "failed", "warned"]),
    st.sampled_from(sorted(DAYS)),
    st.sampled_from(PRICINGS),
    st.booleans(),
)
STEPS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "hear": (st.lists(statuses, min_size=1, max_size=3),),
    "again": (st.integers(0, 9),),
    "reread": (st.integers(0, 9), st.sampled_from(["delivered", "failed", "read"])),
    "reprice": (st.integers(0, 9), st.sampled_from(PRICINGS)),
    "claim": (numbers,),
    "end": (numbers, st.sampled_from(["accepted", "refused", "throttled", "unknown"])),
    "give back": (numbers,),
    "settle": (numbers, st.booleans()),
    "cancel": (numbers,),
    "correct": (st.integers(-3_000_000, 3_000_000),),
}
# What Meta says comes oftener than anything else, as in life.
kinds = st.sampled_from([*["hear"] * 8, *["reread", "reprice"] * 4, *STEPS])
steps = kinds.flatmap(lambda name: st.tuples(st.just(name), *STEPS[name]))
# Each with whether the charges catch up after it.
lives = st.lists(st.tuples(steps, st.booleans()), min_size=6, max_size=12)
beginnings = st.lists(
    st.sampled_from(["accepted", "accepted", "refused", "unknown", ""]), min_size=3, max_size=3
)


def wamid(n: int) -> str:
    return f"wamid.{n}=="


def spoken(n: int, word: str, at: int, pricing: str | None, names_us: bool) -> StatusUpdate:
    data = callback_data.join(message_id(n), None) if names_us else None
    return StatusUpdate(wamid(n), "", word, at, "", pricing=pricing, callback_data=data)


class World:
    """One run of random steps. What is impossible at a moment is left out."""

    def __init__(self, database: Database) -> None:
        emptied(database, TABLES)
        rated(database)
        topped_up(database, 6_000_000)
        self.database = database
        self.heard: list[Understood] = []
        self.claims: dict[int, tuple[Claim, int]] = {}
        self.serial = 0

    def take(self, step: tuple[Any, ...]) -> None:
        name, *given = step
        getattr(self, name.replace(" ", "_"))(*given)
        adds_up(self.database)

    def claim(self, n: int) -> None:
        self.serial += 1
        wanted = asked(f"claim-{self.serial}")
        with self.database.write() as tx:
            if tx.value(text("SELECT 1 FROM sends WHERE message_id = :id"), {"id": message_id(n)}):
                placed = claim_one(tx, message_id(n), NOW, wanted)
            else:
                placed = submit_claimed(tx, new_send(n, **MESSAGES[n]), NOW, wanted)
        if placed.claim is not None:
            self.claims[n] = placed.claim, placed.attempt

    def end(self, n: int, outcome: str) -> None:
        if n in self.claims:
            claim, number = self.claims[n]
            with self.database.write() as tx:
                record_outcome(tx, message_id(n), number, claim, ended(outcome, wamid=wamid(n)))

    def hear(self, said: list[tuple[Any, ...]]) -> None:
        self.hear_all([spoken(*one) for one in said])

    def reprice(self, place: int, pricing: str | None) -> None:
        """A copy of what was said already, with another price."""
        said = [update for one in self.heard for update in one.parsed.updates]
        if said:
            self.hear_all([replace(said[place % len(said)], pricing=pricing)])

    def hear_all(self, updates: list[StatusUpdate]) -> None:
        with self.database.write() as tx:
            keep(tx, [Incoming(b"{}", NOW)])
            webhook_id = tx.value(text("SELECT max(id) FROM webhooks"))
        self.heard.append(webhook(webhook_id, *updates))
        self.again(len(self.heard) - 1)

    def again(self, place: int) -> None:
        if self.heard:
            with self.database.write() as tx:
                apply(tx, [self.heard[place % len(self.heard)]], NOW)

    def reread(self, place: int, without: str) -> None:
        """Replay it, as a parser that does not see one of the words any more."""
        if not self.heard:
            return
        place %= len(self.heard)
        before = self.heard[place]
        left = [one for one in before.parsed.updates if one.status != without]
        self.heard[place] = webhook(before.webhook_id, *left)
        understood = {one.webhook_id: one for one in self.heard}
        with self.database.write() as tx:
            replay(tx, before.webhook_id, lambda kept: understood[kept.webhook_id], NOW)

    def give_back(self, n: int) -> None:
        if n in self.claims:
            with self.database.write() as tx:
                sends.give_back(tx, message_id(n), self.claims.pop(n)[0])

    def settle(self, n: int, sent: bool) -> None:
        with self.database.write() as tx:
            sends.settle_by_person(tx, message_id(n), sent=sent, note="asked", now=NOW)

    def cancel(self, n: int) -> None:
        with self.database.write() as tx:
            sends.cancel(tx, message_id(n), NOW)

    def correct(self, amount: int) -> None:
        topped_up(self.database, amount, "correction")

    def charge(self) -> None:
        caught_up(self.database)
        adds_up(self.database)


def expected(database: Database) -> tuple[dict[str, tuple[Any, ...]], set[str]]:
    """(wamid -> charge, message_ids held for), out of what was said and what we know of the sends."""
    told = rows(database, "status_updates", order="1, 2, 3, 4, 5")
    due: dict[str, tuple[Any, ...]] = {}
    under_way: set[str] = set()
    for send in rows(database, "sends"):
        n = next(n for n in MESSAGES if message_id(n) == send["message_id"])
        mine = [one for one in told if send["wamid"] is not None and one["wamid"] == send["wamid"]]
        arrived = [one["occurred_at"] for one in mine if one["status"] in ("delivered", "read")]
        failed = any(one["status"] == "failed" for one in mine)
        if send["state"] in ("sending", "unknown") or (
            send["state"] == "accepted" and not arrived and not failed
        ):
            under_way.add(send["message_id"])
        if arrived:
            due[send["wamid"]] = (*price(n, mine), DAYS[min(arrived)])
    return due, under_way


def price(n: int, told: list[dict[str, Any]]) -> tuple[str, int, str]:
    rank = {"sent": 1, "delivered": 2, "read": 3, "failed": 5}
    ordered = sorted(
        (one["occurred_at"] * 8 + rank[one["status"]], one["pricing"])
        for one in told
        if one["pricing"] is not None and one["status"] in rank  # an unknown word has no effect
    )
    words = json.loads(ordered[-1][1]) if ordered else {}
    market, guess = GUESSES[n]
    category = words.get("category", guess)
    if words.get("type", "").startswith("free_") or "subtype" in words:
        return "free", 0, category
    return "billable", PRICES.get((market, category), PRICES[market, guess]), category


def test_sums_always_add_up_and_charges_are_what_meta_said(database: Database) -> None:
    @LAW
    @given(beginnings, lives)
    def law(begun: list[str], life: list[tuple[tuple[Any, ...], bool]]) -> None:
        world = World(database)
        for n, outcome in enumerate(begun, 1):
            world.claim(n)
            if outcome:
                world.end(n, outcome)
        for step, catch_up in life:
            world.take(step)
            if catch_up:
                world.charge()
        world.charge()
        due, under_way = expected(database)
        found = charges(database)
        assert {
            one["wamid"]: (one["kind"], one["amount_micro"], one["category"], one["charged_on"])
            for one in found
        } == due
        assert set(held(database)) == under_way
        account = adds_up(database)
        credited = sum(one["amount_micro"] for one in rows(database, "ledger_entries"))
        spent = sum(amount for _, amount, *_ in due.values())
        assert account.balance == credited - spent - sum(held(database).values())
        charged_anew(database)
        assert charges(database) == found
        assert adds_up(database) == account

    law()


def test_the_order_of_what_meta_says_does_not_change_what_is_charged(database: Database) -> None:
    @LAW
    @given(st.lists(statuses, min_size=2, max_size=6), st.data())
    def law(said: list[tuple[Any, ...]], data: st.DataObject) -> None:
        told = []
        for order in (said, data.draw(st.permutations(said))):
            world = World(database)
            for n in MESSAGES:
                world.claim(n)
                world.end(n, "accepted")
            for one in order:
                world.take(("hear", [one]))
                if data.draw(st.booleans()):
                    world.charge()
            for place in range(len(order)):
                world.take(("again", place))
            world.charge()
            told.append((charges(database), held(database), adds_up(database).balance))
        assert told[0] == told[1]

    law()


def test_no_claim_ever_holds_what_is_not_there(database: Database) -> None:
    @LAW
    @given(st.lists(st.tuples(numbers, st.integers(0, 2_000_000)), min_size=1, max_size=8))
    def law(wanted: list[tuple[int, int]]) -> None:
        world = World(database)
        topped_up(database, -6_000_000, "correction")
        for serial, (n, more) in enumerate(wanted, 10):
            topped_up(database, more)
            before = adds_up(database).balance
            with database.write() as tx:
                placed = submit_claimed(tx, new_send(serial, **MESSAGES[n]), NOW, asked("claim-1", INR))
            needed = PRICES[GUESSES[n]]
            assert placed.kind == ("claimed" if needed <= before else "unpaid")
            assert adds_up(database).balance == before - (needed if placed.kind == "claimed" else 0) >= 0
        assert world.claims == {}

    law()
