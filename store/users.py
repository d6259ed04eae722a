"""Users: made, found, listed, given another password and disabled. The hash is made and checked outside."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from store import own_numbers, sessions
from store.database import ReadTx, WriteTx
from store.errors import StoreError

ROLES = ("admin", "support", "reporter")
_NAME = re.compile(r"[^\s:\x00-\x1f\x7f]{1,64}")  # no colon: the audit log writes "token:<id>"
_COLUMNS = "user_id, name, role, numbers, password, created_at, disabled_at"


class BadUser(StoreError):
    """A user cannot be made or changed as asked; the text says why."""


@dataclass(frozen=True, slots=True)
class User:
    """`password`: the argon2id hash. `numbers`: the phone_number_ids they are limited to; () is all."""

    user_id: str
    name: str
    role: str
    numbers: tuple[str, ...]
    password: str
    created_at: float
    disabled_at: float | None


def spelled(name: str) -> str:
    """One person has one spelling: case and blanks around do not matter."""
    return name.strip().casefold()


def checked(name: str, role: str, numbers: Sequence[str]) -> str:
    """The name as it is kept. Raises BadUser when it is none, or the role or a number is none."""
    name = spelled(name)
    if not _NAME.fullmatch(name) or name == "command":
        raise BadUser("A name has 1 to 64 signs, no blank and no colon, and is not 'command'.")
    if role not in ROLES:
        raise BadUser(f"The role is none of {', '.join(ROLES)}; choose one of them.")
    if not own_numbers.are_ids(numbers):
        raise BadUser(own_numbers.WRONG)
    return name


def create(
    tx: WriteTx, *, user_id: str, name: str, role: str, numbers: Sequence[str], password: str, now: float
) -> None:
    """Raises BadUser, also when the name is taken."""
    name = checked(name, role, numbers)
    made = tx.run(
        text(
            "INSERT INTO users (user_id, name, role, numbers, password, created_at)"
            " VALUES (:user_id, :name, :role, :numbers, :password, :now) ON CONFLICT (name) DO NOTHING"
        ),
        {
            "user_id": user_id,
            "name": name,
            "role": role,
            "numbers": " ".join(dict.fromkeys(numbers)),
            "password": password,
            "now": now,
        },
    )
    if not made:
        raise BadUser(f"There is a user {name} already; `wamtrail user list` shows all.")


def find(tx: ReadTx, name: str) -> User | None:
    """A disabled one, too."""
    row = tx.first(text(f"SELECT {_COLUMNS} FROM users WHERE name = :name"), {"name": spelled(name)})
    return _user(row) if row else None


def unchanged(tx: WriteTx, user: User) -> bool:
    """Whether this user still may enter with this password; nobody changes that before we commit."""
    lock = " FOR NO KEY UPDATE" if tx.postgres else ""
    row = tx.first(
        text(f"SELECT password FROM users WHERE user_id = :id AND disabled_at IS NULL{lock}"),
        {"id": user.user_id},
    )
    return row is not None and row.password == user.password


def listed(tx: ReadTx) -> list[User]:
    return [_user(row) for row in tx.all(text(f"SELECT {_COLUMNS} FROM users ORDER BY name"))]


def set_password(tx: WriteTx, user_id: str, password: str, *, keep: str = "") -> None:
    """Another hash; every session but `keep` ends."""
    tx.run(
        text("UPDATE users SET password = :password WHERE user_id = :id"),
        {"id": user_id, "password": password},
    )
    sessions.end_others(tx, user_id, keep=keep)


def rehash(tx: WriteTx, user_id: str, old: str, new: str) -> None:
    """The same password under today's parameters, unless it was changed meanwhile."""
    tx.run(
        text("UPDATE users SET password = :new WHERE user_id = :id AND password = :old"),
        {"id": user_id, "old": old, "new": new},
    )


def disable(tx: WriteTx, name: str, now: float) -> bool:
    """Nobody enters under this name any more, and their sessions end; whether somebody could."""
    found = find(tx, name)
    if found is None or found.disabled_at is not None:
        return False
    tx.run(text("UPDATE users SET disabled_at = :now WHERE user_id = :id"), {"id": found.user_id, "now": now})
    sessions.end_others(tx, found.user_id)
    return True


def enable(tx: WriteTx, name: str) -> bool:
    """Somebody disabled may sign in again; whether there was one."""
    return bool(
        tx.run(
            text("UPDATE users SET disabled_at = NULL WHERE name = :name AND disabled_at IS NOT NULL"),
            {"name": spelled(name)},
        )
    )


def change(
    tx: WriteTx,
    name: str,
    *,
    role: str | None = None,
    numbers: Sequence[str] | None = None,
    password: str | None = None,
) -> str:
    """What is given is another from now on, and every session ends; in words what changed. Raises BadUser."""
    found = find(tx, name)
    if found is None:
        raise BadUser("There is no user of this name; `wamtrail user list` shows all.")
    new = found.numbers if numbers is None else tuple(dict.fromkeys(numbers))
    checked(found.name, role or found.role, new)
    tx.run(
        text("UPDATE users SET role = :role, numbers = :numbers, password = :password WHERE user_id = :id"),
        {
            "id": found.user_id,
            "role": role or found.role,
            "numbers": " ".join(new),
            "password": password or found.password,
        },
    )
    sessions.end_others(tx, found.user_id)
    before, after = " ".join(found.numbers) or "all", " ".join(new) or "all"
    said = (
        (role not in (None, found.role), f"role {found.role} to {role}"),
        (before != after, f"numbers {before} to {after}"),
        (password is not None, "password"),
    )
    return "; ".join(words for true, words in said if true)


def _user(row: Row[Any]) -> User:
    numbers = tuple(row.numbers.split())
    return User(row.user_id, row.name, row.role, numbers, row.password, row.created_at, row.disabled_at)
