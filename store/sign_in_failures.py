"""How often signing in failed of late, per account and address, so that guessing gets nowhere.

An attempt is counted before the password is looked at, and taken back when it was right: many attempts at
once cannot slip through between counting and looking.
"""

import hashlib
from collections.abc import Sequence

from sqlalchemy import text

from store.database import WriteTx
from store.lists import among, given

WINDOW = 15 * 60.0  # seconds
FOR_BOTH = 5  # of one account from one address
FOR_ADDRESS = 30  # of one address, whatever the account
FOR_ACCOUNT = 100  # of one account, whatever the address: a stranger should not lock a person out with ease


def attempt(tx: WriteTx, account: str, address: str, now: float, *, trusted: bool = False) -> float | None:
    """Count an attempt; or seconds to wait, and then it is not counted and must not be tried.

    `trusted`: this account has been signed in to from this address of late. What others try from elsewhere
    then keeps nobody out, however long they go on.
    """
    limits = dict(zip(_keys(account, address), (FOR_BOTH, FOR_ADDRESS, FOR_ACCOUNT), strict=True))
    if tx.postgres:  # SQLite has one writer
        for key in sorted(limits):
            tx.value(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
    asked = list(limits.items())[: 2 if trusted else 3]
    waits = [wait for key, most in asked if (wait := _wait(tx, key, most, now)) is not None]
    if waits:
        return max(waits)
    forget_old(tx, now)
    for key in limits:
        tx.run(text("INSERT INTO sign_in_failures (key, at) VALUES (:key, :at)"), {"key": key, "at": now})
    return None


def forget_old(tx: WriteTx, now: float) -> int:
    """What is out of the window."""
    return tx.run(text("DELETE FROM sign_in_failures WHERE at <= :before"), {"before": now - WINDOW})


def succeeded(tx: WriteTx, account: str, address: str, at: float) -> None:
    """Take the attempt at this time back; what failed from here for this account is forgiven."""
    both, *others = _keys(account, address)
    tx.run(text("DELETE FROM sign_in_failures WHERE key = :key"), {"key": both})
    tx.run(
        text(f"DELETE FROM sign_in_failures WHERE at = :at AND key {among(tx, 'keys')}"),
        {"keys": given(tx, others), "at": at},
    )


def first_kept_out(tx: WriteTx, account: str, address: str, now: float) -> bool:
    """Whether this account was not kept out from this address before within the window; then it is now."""
    key = hashlib.sha256("\0".join(("kept out", account, address)).encode(errors="replace")).hexdigest()
    if _wait(tx, key, 1, now) is not None:
        return False
    tx.run(text("INSERT INTO sign_in_failures (key, at) VALUES (:key, :at)"), {"key": key, "at": now})
    return True


def _wait(tx: WriteTx, key: str, most: int, now: float) -> float | None:
    """Until the oldest of the last `most` failures is out of the window."""
    oldest = tx.value(
        text(
            "SELECT at FROM sign_in_failures WHERE key = :key AND at > :since"
            " ORDER BY at DESC LIMIT 1 OFFSET :most"
        ),
        {"key": key, "since": now - WINDOW, "most": most - 1},
    )
    return None if oldest is None else max(1.0, float(oldest) + WINDOW - now)


def _keys(account: str, address: str) -> Sequence[str]:
    """Digests: a password typed into the wrong field must not stand in a table."""
    parts = (("both", account, address), ("address", address), ("account", account))
    return [hashlib.sha256("\0".join(part).encode(errors="replace")).hexdigest() for part in parts]
