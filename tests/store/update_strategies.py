"""Random webhooks about very few messages and moments, so that everything ties and collides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from store_samples import W1

from store.apply import Understood
from store.records import Parsed, StatusUpdate

MOMENTS = (1_800_000_000, 1_800_000_001)
ARRIVALS = (1_800_000_000.25, 1_800_000_000.5, 1_800_000_007.0)


def _maybe(*values: str) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(values)


def _errors() -> st.SearchStrategy[tuple[str, str | None]]:
    """(error_codes, errors): one code in two wordings, and another."""
    return st.sampled_from(
        [
            ("", None),
            ("", None),
            ("131026", '[{"code":131026,"title":"Undeliverable"}]'),
            ("131026", '[{"code":131026,"title":"é"}]'),
            ("131026", None),
            ("131049", '[{"code":131049}]'),
        ]
    )


STATUS_WORDS = ("sent", "delivered", "read", "played", "failed", "warned", "Sent")

updates = st.builds(
    lambda wamid, who, word, at, errors, number, recipient, user, pricing, data, rest: StatusUpdate(
        wamid, who, word, at, errors[0], number, recipient, user, errors[1], pricing, data, rest
    ),
    st.sampled_from([W1, W1.swapcase()]),
    st.sampled_from(["", "", "15550000001", "15550000002"]),
    st.sampled_from(STATUS_WORDS),
    st.sampled_from(MOMENTS),
    _errors(),
    _maybe("100", "200"),
    _maybe("15550000001", "15550000002"),
    _maybe("US.13"),
    _maybe('{"category":"utility"}', '{"category":"Z"}', '{"category":"é"}', '{"category":"\U0001f600"}'),
    _maybe("", "order-77", "order-78"),
    _maybe('{"conversation":1}', '{"conversation":2}'),
)


@st.composite
def webhooks(draw: st.DrawFn) -> list[Understood]:
    """Up to five webhooks, with arrival times in any order of their ids and with ties."""
    said = draw(st.lists(st.lists(updates, max_size=4), min_size=1, max_size=5))
    times = [draw(st.sampled_from(ARRIVALS)) for _ in said]
    return [
        Understood(n, at, Parsed(updates=tuple(of_one)))
        for n, (of_one, at) in enumerate(zip(said, times, strict=True), start=1)
    ]


@dataclass(frozen=True)
class Delivery:
    """Transactions, each a run of webhooks."""

    transactions: list[list[Understood]]


def _yes(draw: Any) -> bool:
    return bool(draw(st.booleans()))


@st.composite
def deliveries(draw: st.DrawFn, of: Sequence[Understood]) -> Delivery:
    """Every webhook at least once, in any order, some again, cut into transactions anywhere."""
    again = draw(st.lists(st.sampled_from(of), max_size=2))
    order = draw(st.permutations([*of, *again]))
    transactions: list[list[Understood]] = [[]]
    for one in order:
        if transactions[-1] and _yes(draw):
            transactions.append([])
        transactions[-1].append(one)
    return Delivery(transactions)


@st.composite
def regrouped(draw: st.DrawFn, of: Sequence[Understood]) -> list[Understood]:
    """The same updates, some of them twice, in other webhooks."""
    said = [update for one in of for update in one.parsed.updates]
    again = draw(st.lists(st.sampled_from(said), max_size=2)) if said else []
    groups: list[list[StatusUpdate]] = [[]]
    for update in draw(st.permutations([*said, *again])):
        if groups[-1] and _yes(draw):
            groups.append([])
        groups[-1].append(update)
    return [Understood(n, ARRIVALS[0], Parsed(updates=tuple(group))) for n, group in enumerate(groups, 1)]
