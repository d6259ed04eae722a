"""Sign-ins that still stand. The browser holds 256 random bits; here is only their SHA-256.

A session ends by itself when it is not used for a while, at the latest some hours after the sign-in, and at
once when it is ended, when its user is disabled, or when the password changes.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from store.database import ReadTx, WriteTx

IDLE = 8 * 3600.0  # seconds without a page
AT_MOST = 24 * 3600.0  # seconds from sign-in
SEEN_EVERY = 60.0  # seconds between two notes that a session is still used
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")  # secrets.token_urlsafe(32)
_AGENT = 200  # signs of the browser's own words that are kept
_STANDS = "s.created_at > :created AND s.seen_at > :seen"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that stands, and whose it is. `numbers`: what they are limited to; () is all."""

    session_id: str
    user_id: str
    name: str
    role: str
    numbers: tuple[str, ...]
    seen_at: float


@dataclass(frozen=True, slots=True)
class ListedSession:
    session_id: str
    agent: str
    created_at: float
    seen_at: float


def begin(tx: WriteTx, user_id: str, secret: str, agent: str, now: float) -> str:
    """A new session under `secrets.token_urlsafe(32)`; its public id. What has run out is forgotten."""
    if not _SECRET.fullmatch(secret):
        raise ValueError("the secret of a session is 43 random signs")
    forget_ended(tx, now)
    session_id = public_id(secret)
    tx.run(
        text(
            "INSERT INTO sessions (session_id, digest, user_id, agent, created_at, seen_at)"
            " VALUES (:session_id, :digest, :user_id, :agent, :now, :now)"
        ),
        {
            "session_id": session_id,
            "digest": _digest(secret),
            "user_id": user_id,
            "agent": agent[:_AGENT],
            "now": now,
        },
    )
    return session_id


def forget_ended(tx: WriteTx, now: float) -> int:
    """What has run out."""
    return tx.run(text("DELETE FROM sessions AS s WHERE NOT (" + _STANDS + ")"), _limits(now))


def find(tx: ReadTx, secret: str, now: float) -> SignedIn | None:
    """Whose session this is; None when it never was, has run out or was ended, or its user is disabled."""
    if not _SECRET.fullmatch(secret):
        return None
    row = tx.first(
        text(
            "SELECT s.session_id, s.digest, s.seen_at, u.user_id, u.name, u.role, u.numbers"
            " FROM sessions AS s JOIN users AS u ON u.user_id = s.user_id AND u.disabled_at IS NULL"
            " WHERE s.session_id = :session_id AND " + _STANDS
        ),
        {"session_id": public_id(secret), **_limits(now)},
    )
    if row is None or not hmac.compare_digest(bytes(row.digest), _digest(secret)):
        return None
    return SignedIn(
        row.session_id, row.user_id, row.name, row.role, tuple(row.numbers.split()), float(row.seen_at)
    )


def seen(tx: WriteTx, session_id: str, now: float) -> None:
    """The session was used just now."""
    tx.run(
        text("UPDATE sessions SET seen_at = :now WHERE session_id = :id AND seen_at < :now"),
        {"id": session_id, "now": now},
    )


def end(tx: WriteTx, user_id: str, session_id: str) -> bool:
    """End one session of this user; whether there was one."""
    return bool(
        tx.run(
            text("DELETE FROM sessions WHERE session_id = :id AND user_id = :user_id"),
            {"id": session_id, "user_id": user_id},
        )
    )


def end_others(tx: WriteTx, user_id: str, *, keep: str = "") -> int:
    """End all sessions of this user but one; how many there were."""
    return tx.run(
        text("DELETE FROM sessions WHERE user_id = :user_id AND session_id <> :keep"),
        {"user_id": user_id, "keep": keep},
    )


def listed(tx: ReadTx, user_id: str, now: float) -> Sequence[ListedSession]:
    """The sessions of a user that stand, the last used first."""
    rows = tx.all(
        text(
            "SELECT s.session_id, s.agent, s.created_at, s.seen_at FROM sessions AS s"
            " WHERE s.user_id = :user_id AND " + _STANDS + " ORDER BY s.seen_at DESC, s.session_id"
        ),
        {"user_id": user_id, **_limits(now)},
    )
    return [ListedSession(**row._mapping) for row in rows]


def public_id(secret: str) -> str:
    """Derived, so that one random value is all a caller has to bring; nothing leads back from it."""
    return hashlib.sha256(f"id:{secret}".encode()).hexdigest()[:32]


def _limits(now: float) -> dict[str, float]:
    return {"created": now - AT_MOST, "seen": now - IDLE}


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
