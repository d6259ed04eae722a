"""Callback URLs with secrets of their own, kept sealed."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from store.database import ReadTx, WriteTx
from store.errors import StoreError
from store.sealing import Sealer

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class BadEndpoint(StoreError):
    """An endpoint cannot be made or changed as asked; the text says why."""


@dataclass(frozen=True, slots=True)
class StoredEndpoint:
    """Unsealed; the current token and secret stand first."""

    name: str
    verify_tokens: tuple[str, ...] = field(repr=False)
    app_secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListedEndpoint:
    """As it may be shown. Times in Unix seconds."""

    name: str
    created_at: float
    changed_at: float
    disabled_at: float | None


def create(tx: WriteTx, sealer: Sealer, name: str, verify_token: str, app_secret: str, now: float) -> None:
    if not NAME.fullmatch(name):
        raise BadEndpoint("An endpoint's name is 1 to 63 of a-z, 0-9 and '-', and does not begin with '-'.")
    made = tx.run(
        text(
            "INSERT INTO endpoints (name, verify_tokens, app_secrets, created_at, changed_at)"
            " VALUES (:name, :tokens, :secrets, :now, :now) ON CONFLICT (name) DO NOTHING"
        ),
        {
            "name": name,
            "tokens": _sealed(sealer, [verify_token]),
            "secrets": _sealed(sealer, [app_secret]),
            "now": now,
        },
    )
    if not made:
        raise BadEndpoint(f"There is an endpoint {name!r} already; rotate it or choose another name.")


def rotate(
    tx: WriteTx,
    sealer: Sealer,
    name: str,
    now: float,
    *,
    verify_token: str | None = None,
    app_secret: str | None = None,
    keep_previous: bool = True,
) -> None:
    """Put new ones first. The one before stays accepted until the next rotation, or goes at once."""
    found = find(tx, sealer, name, even_disabled=True)
    if found is None:
        raise BadEndpoint(f"There is no endpoint {name!r}; `wamtrail endpoint list` shows all.")
    tokens, secrets = (
        _rotated(known, new, keep_previous)
        for known, new in ((found.verify_tokens, verify_token), (found.app_secrets, app_secret))
    )
    tx.run(
        text(
            "UPDATE endpoints SET verify_tokens = :tokens, app_secrets = :secrets, changed_at = :now,"
            " disabled_at = NULL WHERE name = :name"
        ),
        {"name": name, "tokens": _sealed(sealer, tokens), "secrets": _sealed(sealer, secrets), "now": now},
    )


def disable(tx: WriteTx, name: str, now: float) -> bool:
    statement = "UPDATE endpoints SET disabled_at = :now WHERE name = :name AND disabled_at IS NULL"
    return bool(tx.run(text(statement), {"name": name, "now": now}))


def find(tx: ReadTx, sealer: Sealer, name: str, *, even_disabled: bool = False) -> StoredEndpoint | None:
    row = tx.first(
        text("SELECT verify_tokens, app_secrets, disabled_at FROM endpoints WHERE name = :name"),
        {"name": name},
    )
    if row is None or (row.disabled_at is not None and not even_disabled):
        return None
    return StoredEndpoint(name, _unsealed(sealer, row.verify_tokens), _unsealed(sealer, row.app_secrets))


def listed(tx: ReadTx) -> list[ListedEndpoint]:
    statement = "SELECT name, created_at, changed_at, disabled_at FROM endpoints ORDER BY name"
    return [ListedEndpoint(*tuple(row)) for row in tx.all(text(statement))]


def any_enabled(tx: ReadTx) -> bool:
    return bool(tx.value(text("SELECT count(*) FROM endpoints WHERE disabled_at IS NULL")))


def _rotated(known: Sequence[str], new: str | None, keep_previous: bool) -> Sequence[str]:
    current = [new, *known] if new else list(known)
    return current[: 2 if keep_previous else 1]


def _sealed(sealer: Sealer, values: Sequence[str]) -> str:
    return sealer.seal(json.dumps(list(values)))


def _unsealed(sealer: Sealer, sealed: str) -> tuple[str, ...]:
    return tuple(json.loads(sealer.unseal(sealed)))
