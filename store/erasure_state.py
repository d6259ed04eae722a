"""An erasure under way: who, under which names, and the secret that makes what stands for them.

Kept until everything is done, so that a run that was killed is gone on with and ends the same; then it is
deleted, secret and names alike, and nobody can tell any more who was meant.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import text

from store.database import Database, ReadTx, WriteTx, is_transient
from whatsapp.person import Person

_PREFIX = "erasure:"
_TRIES = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """What becomes of one body: None when it stays, and what it told that was not known."""

    body: bytes | None
    names: frozenset[str] = frozenset()
    wamids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Words:
    """How what Meta said is freed of a person; the receiver knows. All pure."""

    body: Callable[[Person, bytes], Found]
    part: Callable[[Person, str], str]  # a stored text, JSON or not
    about: Callable[[Person, str], str]  # the same of something of the person's
    data: Callable[[str], str]  # the callback data of a message of theirs


def begun(tx: WriteTx, name: str, day: str, secret: bytes) -> tuple[str, Person]:
    """(its key, who): the erasure of whoever bears this name, gone on with or new with `day` and `secret`."""
    tx.run(text("UPDATE installation SET value = value WHERE name = 'needs_code'"))  # one at a time
    for key, person in open_ones(tx):
        if name in person.names:
            return key, person
    key = _PREFIX + secret.hex()[:16]
    person = Person(frozenset({name}), frozenset(), secret, day)
    tx.run(
        text("INSERT INTO installation (name, value) VALUES (:name, :value)"),
        {"name": key, "value": _json(person)},
    )
    return key, person


def peeked(tx: ReadTx, name: str) -> Person | None:
    return next((person for _, person in open_ones(tx) if name in person.names), None)


def open_ones(tx: ReadTx) -> list[tuple[str, Person]]:
    rows = tx.all(
        text("SELECT name, value FROM installation WHERE name >= :low AND name < :high ORDER BY name"),
        {"low": _PREFIX, "high": "erasure;"},
    )
    return [(row.name, _read(row.value)) for row in rows]


def learnt(tx: WriteTx, key: str, names: Iterable[str], wamids: Iterable[str]) -> Person:
    """Remember more of them, together with what other runs have learnt; who it is now."""
    lock = " FOR UPDATE" if tx.postgres else ""
    value = tx.value(text(f"SELECT value FROM installation WHERE name = :name{lock}"), {"name": key})
    person = _read(value).also(names, wamids)
    tx.run(
        text("UPDATE installation SET value = :value WHERE name = :name"),
        {"name": key, "value": _json(person)},
    )
    return person


def ended(tx: WriteTx, key: str) -> None:
    tx.run(text("DELETE FROM installation WHERE name = :name"), {"name": key})


def _json(person: Person) -> str:
    return json.dumps(
        {
            "names": sorted(person.names),
            "wamids": sorted(person.wamids),
            "secret": person.secret.hex(),
            "day": person.day,
        }
    )


def _read(value: str) -> Person:
    found = json.loads(value)
    secret = bytes.fromhex(found["secret"])
    return Person(frozenset(found["names"]), frozenset(found["wamids"]), secret, found["day"])


def written(database: Database, work: Callable[[WriteTx], T]) -> T:
    """In one transaction; again when another writer crossed it."""
    for _ in range(_TRIES - 1):
        try:
            with database.write() as tx:
                return work(tx)
        except Exception as problem:
            if not is_transient(problem):
                raise
    with database.write() as tx:
        return work(tx)
