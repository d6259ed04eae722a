"""The account and its entries: balance = top-ups and corrections - charges - holds.

The account's row is locked before any hold, charge or entry is written, and carries their sums, so two
processes never spend the same money. As long as nobody opened it there is no row and no lock.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text

from store import rates
from store.database import ReadTx, WriteTx
from store.errors import StoreError

ACCOUNT = ""  # one an installation
Kind = Literal["top-up", "correction"]


class WrongCurrency(StoreError):
    """The account was opened in another currency."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Sending spends from the account, in this currency."""

    currency: str


@dataclass(frozen=True, slots=True)
class Account:
    """Amounts in micro. `opened_at`: what was accepted before is not charged."""

    currency: str
    opened_at: float
    credited: int
    charged: int
    held: int
    feed_position: int
    low_since: float | None = None

    @property
    def balance(self) -> int:
        return self.credited - self.charged - self.held


@dataclass(frozen=True, slots=True)
class Entry:
    at: float
    kind: str
    amount: int
    who: str
    note: str


_READ = (
    "SELECT currency, opened_at, credited_micro AS credited, charged_micro AS charged, held_micro AS held,"
    " feed_position, low_since FROM accounts WHERE name = :name"
)


def peek(tx: ReadTx) -> Account | None:
    """As it stands; None when nobody opened it."""
    row = tx.first(text(_READ), {"name": ACCOUNT})
    return Account(**row._mapping) if row else None


def locked(tx: WriteTx) -> Account | None:
    """The same, and nobody else changes it until the transaction ends."""
    row = tx.first(text(_READ + (" FOR UPDATE" if tx.postgres else "")), {"name": ACCOUNT})
    return Account(**row._mapping) if row else None


def opened(tx: WriteTx, currency: str, now: float) -> Account:
    """Locked; opened if it was not. Raises WrongCurrency."""
    found = locked(tx)
    if found is None:
        statement = (
            "INSERT INTO accounts (name, currency, opened_at, credited_micro, charged_micro, held_micro,"
            " feed_position) SELECT :name, :currency, :now, 0, 0, 0, coalesce(max(position), 0) FROM feed"
            " WHERE true ON CONFLICT (name) DO NOTHING"
        )
        at = rates.clock(tx, now) / rates.MICRO
        tx.run(text(statement), {"name": ACCOUNT, "currency": currency, "now": at})
        found = locked(tx)
    assert found is not None
    require(found, currency)
    return found


def require(account: Account, currency: str) -> None:
    if account.currency != currency:
        raise WrongCurrency(
            f"The account is kept in {account.currency}, but WAMTRAIL_CURRENCY is {currency}:"
            f" set WAMTRAIL_CURRENCY={account.currency}."
        )


def move(tx: WriteTx, *, credited: int = 0, charged: int = 0, held: int = 0) -> None:
    """Change the sums by these amounts, in the transaction that changes the rows they are of."""
    if credited or charged or held:
        statement = (
            "UPDATE accounts SET credited_micro = credited_micro + :credited,"
            " charged_micro = charged_micro + :charged, held_micro = held_micro + :held WHERE name = :name"
        )
        values = {"credited": credited, "charged": charged, "held": held}
        tx.run(text(statement), {**values, "name": ACCOUNT})


def enter(tx: WriteTx, kind: Kind, amount: int, *, currency: str, who: str, note: str, now: float) -> Account:
    """Write down a top-up or a correction; the account afterwards. Raises WrongCurrency."""
    opened(tx, currency, now)
    statement = (
        "INSERT INTO ledger_entries (at, kind, amount_micro, who, note)"
        " VALUES (:now, :kind, :amount, :who, :note)"
    )
    tx.run(text(statement), {"now": now, "kind": kind, "amount": amount, "who": who, "note": note})
    move(tx, credited=amount)
    after = peek(tx)
    assert after is not None
    return after


def entries(tx: ReadTx, most: int) -> list[Entry]:
    """The newest first."""
    rows = tx.all(
        text(
            "SELECT at, kind, amount_micro, who, note FROM ledger_entries ORDER BY entry_id DESC LIMIT :most"
        ),
        {"most": most},
    )
    return [Entry(row.at, row.kind, int(row.amount_micro), row.who, row.note) for row in rows]


def counted(tx: ReadTx) -> tuple[int, int, int]:
    """What the account's sums have to be: (credited, charged, held), added up from the rows."""

    def total(table: str) -> int:
        return int(tx.value(text(f"SELECT coalesce(sum(amount_micro), 0) FROM {table}")))

    gone = text("SELECT charged_gone_micro FROM accounts WHERE name = :name")
    charged = total("charges") + int(tx.value(gone, {"name": ACCOUNT}) or 0)
    return total("ledger_entries"), charged, total("holds")


def let_go(tx: WriteTx, charged: int) -> None:
    """Charges of this sum are deleted by their age: what was charged stays. With the account locked."""
    statement = "UPDATE accounts SET charged_gone_micro = charged_gone_micro + :charged WHERE name = :name"
    tx.run(text(statement), {"charged": charged, "name": ACCOUNT})


def mark_low(tx: WriteTx, threshold: int, now: float) -> Literal["fell", "recovered"] | None:
    """What is news about the threshold: told to one process, once, until the other comes true."""
    account = locked(tx)
    if account is None or (account.balance < threshold) == (account.low_since is not None):
        return None
    since = now if account.low_since is None else None
    tx.run(
        text("UPDATE accounts SET low_since = :since WHERE name = :name"), {"since": since, "name": ACCOUNT}
    )
    return "recovered" if since is None else "fell"
