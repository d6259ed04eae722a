"""Random lives of a few messages while clocks change, and their figures counted by hand."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from sqlalchemy import text

from sender.balance import BalanceKeeper
from store import ledger, rate_cards, rollups, sends
from store.apply import Understood, apply
from store.database import Database
from store.ledger import Budget
from store.outcomes import Claim
from store.rate_cards import Rate
from store.records import AttemptEnd, NewSend, Parsed, StatusUpdate
from store.replay import replay
from store.status import status
from store.tables import metadata
from store.webhooks import Incoming, keep
from whatsapp.market import market

START = int(datetime(2026, 10, 24, 12, tzinfo=UTC).timestamp())  # Berlin's clocks go back on the 25th
LATER = START + 10 * 86_400.0
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")
KEPT = {"installation", "alembic_version"}
RATES = (
    Rate("INR", "IN", "utility", "2020-01-01", 115_000, 50_000),
    Rate("INR", "IN", "marketing", "2020-01-01", 863_100, 50_000),
    Rate("INR", "*", "service", "2020-01-01", 40_000, 0),
)
SENDS: dict[int, dict[str, Any]] = {
    1: {"recipient": "919812345678", "type": "template", "template": "bill", "category": "UTILITY"},
    2: {"recipient": "4915112345678", "type": "text"},
    3: {"recipient": "919812345679", "type": "template", "template": "news"},
    4: {"recipient": "12025550123", "type": "template", "template": "bill", "category": "utility"},
}
PRICINGS = (
    None,
    '{"billable":true,"category":"utility","type":"regular"}',
    '{"billable":false,"category":"service","type":"free_customer_service"}',
)
ERRORS = (("131026", '[{"code":131026}]'), ("131049", '[{"code":131049}]'), ("", None))
STEPS = {
    "sent to delivered": ("sent_at", "delivered_at"),
    "delivered to read": ("delivered_at", "read_at"),
    "accepted to sent (two clocks, ± 1 s)": ("accepted_at", "sent_at"),
}

_hours = st.integers(0, 80)
_word = st.tuples(
    st.integers(1, 6),
    st.sampled_from(["sent", "delivered", "read", "played", "failed", "warned"]),
    st.sampled_from([0, 1, 40, 3_599, 3_600, 90_000]),
    st.sampled_from(PRICINGS),
    st.sampled_from(ERRORS),
)
_EVENTS: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "send": (
        st.integers(1, 4),
        st.sampled_from(["accepted", "accepted", "refused", "unknown", None]),
        _hours,
    ),
    "hear": (st.lists(_word, min_size=1, max_size=4), _hours),
    "again": (st.integers(0, 9),),
    "reread": (st.integers(0, 9), st.sampled_from(["delivered", "failed", "read"])),
    "settle": (st.integers(1, 4), st.booleans()),
    "cancel": (st.integers(1, 4),),
    "charge": (),
    "refresh": (st.sampled_from(ZONES),),
}
_kinds = st.sampled_from([*["send"] * 4, *["hear"] * 6, *_EVENTS])
histories = st.lists(_kinds.flatmap(lambda one: st.tuples(st.just(one), *_EVENTS[one])), max_size=14)


class World:
    """One history. What is impossible at a moment is left out."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.heard: list[Understood] = []
        with database.write() as tx:
            for table in metadata.tables.keys() - KEPT:
                tx.run(text(f"DELETE FROM {table}"))
            rate_cards.put(tx, RATES)
            ledger.enter(tx, "top-up", 10**9, currency="INR", who="", note="", now=START - 10.0)
            tx.run(text("UPDATE accounts SET opened_at = :at"), {"at": START - 10.0})  # PostgreSQL's clock

    def live(self, history: list[tuple[Any, ...]]) -> None:
        for name, *given in history:
            getattr(self, name)(*given)

    def send(self, n: int, outcome: str | None, hours: int) -> None:
        at, claim = START + hours * 3600.25, Claim("c", LATER)
        new = NewSend(
            message_id=_message_id(n),
            phone_number_id=("100", "200")[n % 2],
            recipient_typed="",
            payload=b"{}",
            payload_digest=b"d",
            expires_at=at + 86_400,
            **SENDS[n],
        )
        ends: dict[str | None, dict[str, Any]] = {
            "accepted": {"wamid": f"w-{n}"},
            "refused": {"refused_by": "meta", "error": '{"code":132001}'},
        }
        with self.database.write() as tx:
            if tx.value(text("SELECT 1 FROM sends WHERE message_id = :id"), {"id": new.message_id}):
                return
            sends.submit(tx, new, at, claim)
            if outcome:
                end = AttemptEnd(outcome, at + 1.5, answer=b"{}", http_status=200, **ends.get(outcome, {}))
                sends.record_outcome(tx, new.message_id, 1, claim, end)

    def hear(self, words: list[tuple[Any, ...]], hours: int) -> None:
        at = START + hours * 3600
        said = []
        for n, word, after, pricing, (codes, errors) in words:
            failed = word == "failed"
            said.append(
                StatusUpdate(
                    f"w-{n}",
                    "",
                    word,
                    at + after,
                    codes if failed else "",
                    phone_number_id=("100", "200")[n % 2],
                    recipient_id=SENDS.get(n, {"recipient": "971501234567"})["recipient"],
                    errors=errors if failed else None,
                    pricing=pricing,
                )
            )
        with self.database.write() as tx:
            keep(tx, [Incoming(b"{}", at + 0.5)])
            hook = tx.value(text("SELECT max(id) FROM webhooks"))
        self.heard.append(Understood(hook, at + 0.5, Parsed(updates=tuple(said))))
        self.again(-1)

    def again(self, place: int) -> None:
        if self.heard:
            with self.database.write() as tx:
                apply(tx, [self.heard[place % len(self.heard)]], LATER)

    def reread(self, place: int, without: str) -> None:
        """Replay it, as a parser that does not see one of the words any more."""
        if self.heard:
            place %= len(self.heard)
            before = self.heard[place]
            left = tuple(one for one in before.parsed.updates if one.status != without)
            self.heard[place] = Understood(before.webhook_id, before.received_at, Parsed(updates=left))
            understood = {one.webhook_id: one for one in self.heard}
            with self.database.write() as tx:
                replay(tx, before.webhook_id, lambda kept: understood[kept.webhook_id], LATER)

    def settle(self, n: int, sent: bool) -> None:
        with self.database.write() as tx:
            sends.settle_by_person(tx, _message_id(n), sent=sent, note="", now=LATER)

    def cancel(self, n: int) -> None:
        with self.database.write() as tx:
            sends.cancel(tx, _message_id(n), LATER)

    def charge(self) -> None:
        keeper = BalanceKeeper(self.database, Budget("INR"), clock=lambda: LATER, threshold=None)
        while keeper.catch_up():
            pass

    def refresh(self, zone: str, now: float = float(START)) -> None:
        """In the middle of a history at its start: what is taken in later is not of a time before."""
        rollups.refresh_all(self.database, ZoneInfo(zone), lambda: now)

    def messages(self, zone: str) -> Iterator[dict[str, Any]]:
        """Each message as its rows are now, with the parts that reports are grouped by."""
        told = {row["wamid"]: row for row in _rows(self.database, "messages")}
        charged = {row["wamid"]: row for row in _rows(self.database, "charges")}
        ours = [
            {**told.pop(one["wamid"], {"wamid": None}), "ours": one} for one in _rows(self.database, "sends")
        ]
        for row in [*ours, *({**one, "ours": None} for one in told.values())]:
            ours_row = row["ours"] or {}
            at = ours_row.get("queued_at") or row["first_seen_at"]
            pricing = json.loads(row.get("pricing") or "{}")
            recipient = ours_row.get("recipient") or row.get("recipient_id") or ""
            yield {
                **row,
                "status": status({**row, **{k: ours_row.get(k) for k in ("state", "settled_by")}}),
                "at": at,
                "accepted_at": ours_row.get("accepted_at"),
                "charge": charged.get(row["wamid"]),
                "said": pricing,
                "day": datetime.fromtimestamp(at, ZoneInfo(zone)).date().isoformat(),
                "number": ours_row.get("phone_number_id") or row.get("reported_number"),
                "template": ours_row.get("template"),
                "country": market(recipient),
                "category": (ours_row.get("category") or pricing.get("category") or "").lower() or None,
                "type": ours_row.get("type"),
            }


def delivery(found: Iterator[dict[str, Any]], by: tuple[str, ...]) -> dict[Any, Counter[str]]:
    counted: dict[Any, Counter[str]] = defaultdict(Counter)
    for one in found:
        word = one["status"]
        names = {"queued": "waiting", "sending": "waiting", "accepted": "waiting", "sent": "sent_only"}
        names |= {"delivered": "delivered_only", "read": "read_only"}
        arrived = any(one.get(f"{name}_at") is not None for name in ("delivered", "read", "played"))
        counted[_key(one, by)].update(
            [
                "total",
                names.get(word, word),
                *(["delivered_implied"] if arrived and one.get("delivered_at") is None else []),
                *(["conflicts"] if arrived and one.get("failed_at") is not None else []),
                *(["strangers"] if one["ours"] is None else []),
            ]
        )
    return counted


def failures(found: Iterator[dict[str, Any]], by: tuple[str, ...]) -> dict[Any, tuple[int, float]]:
    """(group, code) -> messages, first seen."""
    counted: dict[Any, tuple[int, float]] = {}
    for one in found:
        if one["status"] not in ("failed", "refused"):
            continue
        error = one.get("error") if one["status"] == "failed" else one["ours"]["error"]
        told = json.loads(error) if error else {}
        first = told[0] if isinstance(told, list) else told
        code = None if first.get("code") is None else str(first["code"])
        at = one["failed_at"] if one.get("failed_at") is not None else one["at"]
        count, earliest = counted.get((_key(one, by), code), (0, at))
        counted[_key(one, by), code] = count + 1, min(earliest, at)
    return counted


def latency(found: Iterator[dict[str, Any]], by: tuple[str, ...]) -> dict[Any, list[float]]:
    """(group, step) -> how long each took, the shortest first."""
    taken: dict[Any, list[float]] = defaultdict(list)
    for one in found:
        for step, (begun, ended) in STEPS.items():
            if one.get(begun) is not None and one.get(ended) is not None:
                taken[_key(one, by), step].append(max(0.0, one[ended] - one[begun]))
    return {key: sorted(took) for key, took in taken.items()}


def cost(found: Iterator[dict[str, Any]], by: tuple[str, ...], zone: str) -> dict[Any, Counter[str]]:
    counted: dict[Any, Counter[str]] = defaultdict(Counter)
    for one in found:
        times = [at for name in ("delivered_at", "read_at", "played_at") if (at := one.get(name)) is not None]
        charge, said = one["charge"], one["said"]
        if not times or (one["ours"] is None and not charge and not said):
            continue
        free = str(said.get("type")).startswith("free")
        day = datetime.fromtimestamp(min(times), ZoneInfo(zone)).date().isoformat()
        assumed = "service" if one["type"] != "template" else "marketing"
        category = (charge or {}).get("category") or said.get("category") or one["category"] or assumed
        parts = {**one, "day": day, "category": category}
        sums = counted[_key(parts, by)]
        sums["messages"] += 1
        sums[charge["kind"] if charge else "free" if free else "uncharged"] += 1
        sums["meta_silent" if not said else "meta_free" if free else "meta_billable"] += 1
        if charge:
            sums["estimated"] += charge["kind"] == "billable" and bool(charge["estimated"])
            sums["amount"] += charge["amount_micro"]
            sums["fee"] += charge["fee_micro"]
            sums["estimated_amount"] += charge["amount_micro"] if charge["estimated"] else 0
    return counted


def _key(one: dict[str, Any], by: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(one[name] for name in by)


def _message_id(n: int) -> str:
    return f"0197a0b1-c2d3-7000-8000-{n:012x}"


def _rows(database: Database, table: str) -> list[dict[str, Any]]:
    with database.read() as tx:
        return [dict(row._mapping) for row in tx.all(text(f"SELECT * FROM {table}"))]
