"""API tokens: made, found again by what a caller shows, listed and revoked.

A token reads `wt_<token_id>_<secret part>`. Only its SHA-256 is kept. A slow hash is for passwords, which
can be guessed: 256 random bits cannot, and a slow hash would cost every request what it costs a thief.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import text

from store import own_numbers
from store.database import ReadTx, WriteTx
from store.errors import StoreError

Role = Literal["sender", "support", "reporter", "admin"]
ROLES: tuple[str, ...] = get_args(Role)

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")  # secrets.token_urlsafe(32): 256 bits
_TOKEN = re.compile(r"wt_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NOBODY = bytes(32)  # compared with when the id is unknown, so that both answers take as long


class BadToken(StoreError):
    """A token cannot be made as asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token stands for. `numbers`: the phone_number_ids it is limited to; () is all."""

    token_id: str
    role: str
    numbers: tuple[str, ...]

    @property
    def nameless(self) -> bool:
        """Whether rows that belong to no sending number are theirs to see: admins' of all numbers."""
        return self.role == "admin" and not self.numbers

    def may_see(self, number: str | None) -> bool:
        """What belongs to this sending number."""
        return number in (self.numbers or (number,)) if number else self.nameless


@dataclass(frozen=True, slots=True)
class ListedToken:
    """A token as it may be shown: without its secret part. Times in Unix seconds."""

    token_id: str
    name: str
    role: str
    numbers: tuple[str, ...]
    created_at: float
    revoked_at: float | None


def create(tx: WriteTx, name: str, role: str, numbers: Sequence[str], now: float, secret_part: str) -> str:
    """Keep a new token and return its text, which is never to be had again.

    `secret_part` is `secrets.token_urlsafe(32)`. Raises BadToken for a role, number or secret that is none.
    """
    if role not in ROLES:
        raise BadToken(f"The role is none of {', '.join(ROLES)}; choose one of them.")
    if not own_numbers.are_ids(numbers):
        raise BadToken(own_numbers.WRONG)
    if not _SECRET.fullmatch(secret_part):
        raise BadToken("The secret part of a token must be 43 random signs, as secrets.token_urlsafe makes.")
    # The public half is derived, so that one random value is all a caller has to bring.
    token_id = hashlib.sha256(f"id:{secret_part}".encode()).hexdigest()[:12]
    token = f"wt_{token_id}_{secret_part}"
    tx.run(
        text(
            "INSERT INTO api_tokens (token_id, digest, name, role, numbers, created_at)"
            " VALUES (:token_id, :digest, :name, :role, :numbers, :now)"
        ),
        {
            "token_id": token_id,
            "digest": _digest(token),
            "name": name,
            "role": role,
            "numbers": " ".join(dict.fromkeys(numbers)),
            "now": now,
        },
    )
    return token


def find(tx: ReadTx, token: str) -> Bearer | None:
    """Whom this token stands for; None for one that is unknown, misspelt or revoked."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    row = tx.first(
        text(
            "SELECT token_id, digest, role, numbers FROM api_tokens"
            " WHERE token_id = :token_id AND revoked_at IS NULL"
        ),
        {"token_id": match.group(1)},
    )
    known = hmac.compare_digest(bytes(row.digest) if row else _NOBODY, _digest(token))
    return Bearer(row.token_id, row.role, tuple(row.numbers.split())) if row and known else None


def listed(tx: ReadTx) -> list[ListedToken]:
    """Every token, revoked ones too, newest first."""
    rows = tx.all(
        text(
            "SELECT token_id, name, role, numbers, created_at, revoked_at FROM api_tokens"
            " ORDER BY created_at DESC, token_id"
        )
    )
    return [
        ListedToken(
            row.token_id, row.name, row.role, tuple(row.numbers.split()), row.created_at, row.revoked_at
        )
        for row in rows
    ]


def revoke(tx: WriteTx, token_id: str, now: float) -> bool:
    """From now on the token opens nothing; whether there was one that still did."""
    statement = "UPDATE api_tokens SET revoked_at = :now WHERE token_id = :id AND revoked_at IS NULL"
    return bool(tx.run(text(statement), {"id": token_id, "now": now}))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
