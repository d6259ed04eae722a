"""How fast may be sent, exact across processes: a throttle's whole state is one GCRA arrival time in a row.

Whole microseconds throughout. Deciding (`Bucket`, `Pace`) is pure; the rows are locked while it is decided:
first the account's and the numbers' cells, sorted, and under a number's lock the cells of its pairs. On
PostgreSQL the database's clock is read after the lock, so no process with a wrong clock sends too fast.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

from sqlalchemy import text

from store.bulk import BIGINT, TEXT, Bulk
from store.database import ReadTx, WriteTx
from store.lists import among, given

MICRO = 1_000_000
PACE = 0.97  # of the limit: clocks and networks stretch and squeeze what we send
ACCOUNT = "a"
Why = Literal["number", "pair", "account"]


@dataclass(frozen=True, slots=True)
class Bucket:
    """At most `burst` at once, and one more every `period` microseconds. `arrival` is its only state."""

    period: int
    burst: int = 1

    def earliest(self, arrival: int, now: int) -> int:
        return max(now, arrival - (self.burst - 1) * self.period)

    def taken(self, arrival: int, at: int) -> int:
        """The arrival time after one was taken `at`."""
        return max(arrival, at) + self.period


@dataclass(frozen=True, slots=True)
class Limits:
    """Meta's and Kaleyra's limits, as they are documented; what is kept is `PACE` of them."""

    rate: float = 80.0  # messages a second, of a number that has none of its own
    pair_burst: int = 45
    pair_seconds: float = 6.0
    account: int | None = None  # messages in `account_seconds` over all numbers; Kaleyra: 50,000
    account_seconds: float = 300.0

    def of_number(self, rate: float | None) -> Bucket:
        return Bucket(ceil(MICRO / (PACE * (rate or self.rate))))

    @property
    def of_pair(self) -> Bucket:
        return Bucket(ceil(MICRO * self.pair_seconds / PACE), self.pair_burst)

    @property
    def of_account(self) -> Bucket | None:
        if self.account is None:
            return None
        # What pacing leaves free of the window may come at once, so no window ever holds more than the limit.
        spare = int(self.account * (1 - PACE))
        return Bucket(ceil(MICRO * self.account_seconds / (PACE * self.account)), max(spare, 1))


def number_key(phone_number_id: str) -> str:
    return f"n:{phone_number_id}"


def pair_key(phone_number_id: str, recipient: str) -> str:
    return f"p:{phone_number_id}:{recipient}"


def line_key(phone_number_id: str, recipient: str) -> str:
    """Where the line ends of what waits for this recipient."""
    return f"q:{phone_number_id}:{recipient}"


class Pace:
    """The throttles of one number while their cells are locked; `cells` is shared by numbers of one claim."""

    def __init__(
        self, limits: Limits, phone_number_id: str, rate: float | None, cells: dict[str, int]
    ) -> None:
        self._number = limits.of_number(rate)
        self._pair = limits.of_pair
        self._account = limits.of_account
        self._phone_number_id = phone_number_id
        self._cells = cells

    def earliest(self, recipient: str, now: int) -> tuple[int, Why]:
        """When the next message to this recipient may leave (microseconds), and which limit says so."""
        cells = self._cells
        slot, why = self._number.earliest(cells.get(number_key(self._phone_number_id), 0), now), "number"
        if self._account is not None:
            account = self._account.earliest(cells.get(ACCOUNT, 0), now)
            slot, why = (account, "account") if account > slot else (slot, why)
        pair = self._pair.earliest(cells.get(pair_key(self._phone_number_id, recipient), 0), now)
        return (pair, "pair") if pair > slot else (slot, why)  # type: ignore[return-value]

    def take(self, recipient: str, slot: int) -> None:
        number, pair = number_key(self._phone_number_id), pair_key(self._phone_number_id, recipient)
        cells = self._cells
        cells[number] = self._number.taken(cells.get(number, 0), slot)
        cells[pair] = self._pair.taken(cells.get(pair, 0), slot)
        if self._account is not None:
            cells[ACCOUNT] = self._account.taken(cells.get(ACCOUNT, 0), slot)

    def queue_up(self, recipient: str, moment: int) -> int:
        """When to look again at what its recipient's limit puts off: each later than the one before, so that
        a long line for one recipient is not turned over again and again in front of all others."""
        line = line_key(self._phone_number_id, recipient)
        moment = max(moment, self._cells.get(line, 0))
        self._cells[line] = moment + self._pair.period
        return moment


CLOCK = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"  # microseconds; PostgreSQL only
_CLOCK = text(f"SELECT {CLOCK}")
_PAIRS = text(f"SELECT key, arrival FROM rate_cells WHERE key = ANY(:keys) UNION ALL SELECT '', {CLOCK}")
_WRITE = Bulk(
    table="rate_cells",
    columns=(("key", TEXT), ("arrival", BIGINT)),
    conflict="ON CONFLICT (key) DO UPDATE SET arrival = excluded.arrival",
)


def clock(tx: ReadTx, now: float) -> int:
    """Unix microseconds: PostgreSQL's own clock; on SQLite `now`, because there is one machine."""
    return int(tx.value(_CLOCK)) if tx.postgres else round(now * MICRO)


def locked(tx: WriteTx, keys: Iterable[str]) -> dict[str, int]:
    """The cells of the account and of numbers, locked until the transaction ends; missing ones are made."""
    wanted = sorted(set(keys))
    cells = _read(tx, wanted, lock=True)
    if missing := [key for key in wanted if key not in cells]:
        for key in missing:
            statement = "INSERT INTO rate_cells (key, arrival) VALUES (:key, 0) ON CONFLICT DO NOTHING"
            tx.run(text(statement), {"key": key})
        cells = _read(tx, wanted, lock=True)
    return cells


def pairs(tx: WriteTx, keys: Iterable[str], now: float) -> tuple[dict[str, int], int]:
    """The cells of pairs, whose lock is that of their number's cell; and the clock after it was taken."""
    wanted = sorted(set(keys))
    if not tx.postgres:
        return _read(tx, wanted, lock=False), clock(tx, now)
    cells = {row.key: int(row.arrival) for row in tx.all(_PAIRS, {"keys": wanted})}
    return cells, cells.pop("")


def write(tx: WriteTx, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    _WRITE.run(tx, [(key, after[key]) for key in sorted(after) if before.get(key) != after[key]])


def peek(tx: ReadTx, keys: Iterable[str]) -> dict[str, int]:
    return _read(tx, sorted(set(keys)), lock=False)


def hold(tx: WriteTx, phone_number_id: str, seconds: float, now: float) -> None:
    """Nothing leaves this number for `seconds`: Meta said that it is too fast, whatever we count."""
    until = clock(tx, now) + round(seconds * MICRO)
    key = number_key(phone_number_id)
    cells = locked(tx, [key])
    write(tx, cells, {key: max(cells[key], until)})


def sweep(tx: WriteTx, after: str, now: float, most: int = 2_000) -> str:
    """Take away cells of pairs that are full again, in slices; the key to go on after, '' at the end."""
    rows = tx.all(
        text("SELECT key FROM rate_cells WHERE key > :after AND key >= 'p:' ORDER BY key LIMIT :most"),
        {"after": after, "most": most},
    )
    if not rows:
        return ""
    keys = [row.key for row in rows]
    statement = f"DELETE FROM rate_cells WHERE key {among(tx, 'keys')} AND arrival < :now"
    tx.run(text(statement), {"keys": given(tx, keys), "now": clock(tx, now)})
    return str(keys[-1]) if len(keys) == most else ""


def _read(tx: ReadTx, keys: list[str], *, lock: bool) -> dict[str, int]:
    if not keys:
        return {}
    ending = " ORDER BY key FOR UPDATE" if lock and tx.postgres else ""
    statement = f"SELECT key, arrival FROM rate_cells WHERE key {among(tx, 'keys')}{ending}"
    return {row.key: int(row.arrival) for row in tx.all(text(statement), {"keys": given(tx, keys)})}
