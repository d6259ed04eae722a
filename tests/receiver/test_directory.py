"""The door's directory: cached for seconds, kind to a database that is away, never a wrong 401."""

import asyncio
from pathlib import Path

import pytest

from receiver.directory import REMEMBERED, StoredDirectory
from receiver.endpoints import DirectoryAway, Endpoint
from store import endpoints
from store.database import Database
from store.sealing import Sealer

SEALER = Sealer(["a key of enough characters"])
DEFAULT = Endpoint("", ("t",), ("s",))


def _found(directory: StoredDirectory, name: str) -> Endpoint | None:
    return asyncio.run(directory.find(name))


def test_the_nameless_endpoint_is_that_of_the_settings(sqlite_url: str) -> None:
    assert _found(StoredDirectory(DEFAULT, Database(sqlite_url), None), "") is DEFAULT


def test_a_change_counts_after_some_seconds_without_a_restart(database_url: str) -> None:
    database, now = Database(database_url), [100.0]
    directory = StoredDirectory(DEFAULT, database, SEALER, lambda: now[0])
    assert _found(directory, "shop") is None
    with database.write() as tx:
        endpoints.create(tx, SEALER, "shop", "token", "secret", 1.0)
    now[0] += REMEMBERED
    assert _found(directory, "shop") == Endpoint("shop", ("token",), ("secret",))
    with database.write() as tx:
        endpoints.disable(tx, "shop", 2.0)
    assert _found(directory, "shop") is not None
    now[0] += REMEMBERED
    assert _found(directory, "shop") is None
    database.close()


def test_what_was_known_holds_while_the_database_is_away_and_the_unknown_is_not_denied(
    sqlite_url: str,
) -> None:
    database, now = Database(sqlite_url), [100.0]
    with database.write() as tx:
        endpoints.create(tx, SEALER, "shop", "token", "secret", 1.0)
    directory = StoredDirectory(DEFAULT, database, SEALER, lambda: now[0])
    assert _found(directory, "shop") is not None
    database.close()
    for ending in ("", "-wal", "-shm"):
        Path(sqlite_url.removeprefix("sqlite:///") + ending).unlink(missing_ok=True)
    now[0] += 2 * REMEMBERED
    assert _found(directory, "shop") is not None
    with pytest.raises(DirectoryAway):
        _found(directory, "other")


def test_without_a_secret_key_no_named_endpoint_exists(sqlite_url: str) -> None:
    assert _found(StoredDirectory(DEFAULT, Database(sqlite_url), None), "shop") is None
