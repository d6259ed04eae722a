"""Endpoints with sealed secrets, on both databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from store import endpoints
from store.database import Database
from store.endpoints import BadEndpoint
from store.sealing import CannotUnseal, Sealer

NOW = 1_763_800_000.0
SEALER = Sealer(["a key of enough characters"])


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def _made(database: Database, name: str = "shop") -> None:
    with database.write() as tx:
        endpoints.create(tx, SEALER, name, "token-1", "secret-1", NOW)


def test_secrets_are_sealed_at_rest(database: Database) -> None:
    _made(database)
    with database.read() as tx:
        row = tx.first(text("SELECT * FROM endpoints"))
        found = endpoints.find(tx, SEALER, "shop")
    assert row is not None
    assert "secret-1" not in str(row)
    assert "token-1" not in str(row)
    assert found is not None
    assert (found.verify_tokens, found.app_secrets) == (("token-1",), ("secret-1",))
    assert "secret-1" not in repr(found)


def test_rotation_keeps_the_previous_one_until_the_next(database: Database) -> None:
    _made(database)
    for number in (2, 3):
        with database.write() as tx:
            endpoints.rotate(tx, SEALER, "shop", NOW, app_secret=f"secret-{number}")
    with database.write() as tx:
        found = endpoints.find(tx, SEALER, "shop")
        assert found is not None
        assert found.app_secrets == ("secret-3", "secret-2")
        assert found.verify_tokens == ("token-1",)
        endpoints.rotate(tx, SEALER, "shop", NOW, keep_previous=False)
        dropped = endpoints.find(tx, SEALER, "shop")
    assert dropped is not None
    assert dropped.app_secrets == ("secret-3",)


def test_a_disabled_one_does_not_exist_until_it_is_rotated(database: Database) -> None:
    _made(database)
    with database.write() as tx:
        assert endpoints.any_enabled(tx)
        assert endpoints.disable(tx, "shop", NOW)
        assert not endpoints.disable(tx, "shop", NOW)
        assert endpoints.find(tx, SEALER, "shop") is None
        assert not endpoints.any_enabled(tx)
        endpoints.rotate(tx, SEALER, "shop", NOW, verify_token="token-2")
        assert endpoints.find(tx, SEALER, "shop") is not None


@pytest.mark.parametrize("name", ["", "Shop", "-shop", "a/b", "x" * 64, "ü"])
def test_a_name_that_is_no_part_of_an_address_is_refused(database: Database, name: str) -> None:
    with pytest.raises(BadEndpoint), database.write() as tx:
        endpoints.create(tx, SEALER, name, "t", "s", NOW)


def test_a_name_is_given_once(database: Database) -> None:
    _made(database)
    with pytest.raises(BadEndpoint, match="already"):
        _made(database)


def test_keys_rotate_and_a_lost_key_is_told(database: Database) -> None:
    _made(database)
    with database.read() as tx:
        assert endpoints.find(tx, Sealer(["a newer key of length", "a key of enough characters"]), "shop")
        with pytest.raises(CannotUnseal, match="another WAMTRAIL_SECRET_KEY"):
            endpoints.find(tx, Sealer(["a newer key of length"]), "shop")


def test_without_a_key_or_with_a_short_one_nothing_is_sealed() -> None:
    with pytest.raises(CannotUnseal, match="not set"):
        Sealer([])
    with pytest.raises(CannotUnseal, match="shorter"):
        Sealer(["short"])
