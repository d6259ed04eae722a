"""What one message costs by market, category and day. The rows come from a file that people import.

Of a market's own rates the newest that is valid on the day counts; where it has none, that of '*'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from store import charges_due, ledger
from store.bulk import BIGINT, TEXT, Bulk
from store.database import ReadTx, WriteTx
from store.lists import among, given

ELSEWHERE = "*"


@dataclass(frozen=True, slots=True)
class Rate:
    """A line of a rate card. Amounts in micro, both for one message."""

    currency: str
    market: str  # ISO country, or ELSEWHERE
    category: str
    valid_from: str  # day, UTC
    meta_micro: int
    fee_micro: int

    @property
    def rate_id(self) -> str:
        return "/".join(self.key)

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.currency, self.market, self.category, self.valid_from

    @property
    def amount(self) -> int:
        return self.meta_micro + self.fee_micro


class Card:
    """Rates of one currency."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._rates: dict[tuple[str, str], list[Rate]] = {}
        for one in sorted(rates, key=lambda rate: rate.valid_from, reverse=True):
            self._rates.setdefault((one.market, one.category), []).append(one)

    def find(self, market: str, category: str, day: str) -> Rate | None:
        """The rate that is valid on the day."""
        for place in (market, ELSEWHERE):
            for one in self._rates.get((place, category), ()):
                if one.valid_from <= day:
                    return one
        return None


_COLUMNS = ("currency", "market", "category", "valid_from", "meta_micro", "fee_micro")
_PUT = Bulk(
    table="rate_cards",
    columns=(
        ("rate_id", TEXT),
        *((name, TEXT) for name in _COLUMNS[:4]),
        ("meta_micro", BIGINT),
        ("fee_micro", BIGINT),
    ),
    conflict=(
        "ON CONFLICT (rate_id) DO UPDATE SET meta_micro = excluded.meta_micro, fee_micro = excluded.fee_micro"
    ),
)


def card(tx: ReadTx, currency: str, markets: Iterable[str], categories: Iterable[str]) -> Card:
    """The rates of these markets (and of all others) and categories, of every day."""
    statement = (
        f"SELECT {', '.join(_COLUMNS)} FROM rate_cards WHERE currency = :currency"
        f" AND market {among(tx, 'markets')} AND category {among(tx, 'categories')}"
    )
    values = {
        "currency": currency,
        "markets": given(tx, sorted({*markets, ELSEWHERE})),
        "categories": given(tx, sorted(set(categories))),
    }
    return Card(_rate(row) for row in tx.all(text(statement), values))


def listed(tx: ReadTx) -> list[Rate]:
    rows = tx.all(text(f"SELECT {', '.join(_COLUMNS)} FROM rate_cards ORDER BY {', '.join(_COLUMNS[:4])}"))
    return [_rate(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Put:
    new: int
    changed: int
    same: int


def put(tx: WriteTx, rates: Sequence[Rate]) -> Put:
    """Write these rates. What was charged since the first that differs is worked out again, later."""
    ledger.locked(tx)  # nobody charges by the old rates meanwhile
    known = {one.rate_id: one for one in listed(tx)}
    differing = {one.rate_id: one for one in rates if known.get(one.rate_id) != one}
    _PUT.run(tx, [(key, *_values(differing[key])) for key in sorted(differing)])
    if differing:
        charges_due.mark_since(tx, min(one.valid_from for one in differing.values()))
    changed = len(differing.keys() & known.keys())
    return Put(len(differing) - changed, changed, len({one.rate_id for one in rates}) - len(differing))


def _values(rate: Rate) -> tuple[str | int, ...]:
    return (*rate.key, rate.meta_micro, rate.fee_micro)


def _rate(row: Iterable[object]) -> Rate:
    currency, market, category, valid_from, meta_micro, fee_micro = row
    assert isinstance(meta_micro, int)
    assert isinstance(fee_micro, int)
    return Rate(str(currency), str(market), str(category), str(valid_from), meta_micro, fee_micro)
