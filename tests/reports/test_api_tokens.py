"""Tokens: shown once, kept as a hash, found only while they are not revoked."""

import secrets

import pytest
from sqlalchemy import text
from story_seeds import START, Seeds

from store import tokens
from store.tokens import BadToken, Bearer


def created(seeds: Seeds, role: str = "reporter", *numbers: str) -> str:
    with seeds.database.write() as tx:
        return tokens.create(tx, "nightly job", role, numbers, START, secrets.token_urlsafe(32))


def found(seeds: Seeds, token: str) -> Bearer | None:
    with seeds.database.read() as tx:
        return tokens.find(tx, token)


def test_a_token_stands_for_its_role_and_numbers(seeds: Seeds):
    token = created(seeds, "support", "111", "222", "111")
    bearer = found(seeds, token)
    assert bearer == Bearer(token.split("_")[1], "support", ("111", "222"))


def test_only_a_hash_of_it_is_kept(seeds: Seeds):
    token = created(seeds)
    with seeds.database.read() as tx:
        row = tx.first(text("SELECT * FROM api_tokens"))
    assert row is not None
    assert len(bytes(row.digest)) == 32
    assert not any(token[20:] in str(value) for value in row)


@pytest.mark.parametrize("spoilt", ["", "wt_", "wt_abc_def", "x" * 60, "wt_0123456789ab_" + "A" * 43])
def test_an_unknown_token_is_nobody(seeds: Seeds, spoilt: str):
    created(seeds)
    assert found(seeds, spoilt) is None


def test_the_right_id_with_another_secret_is_nobody(seeds: Seeds):
    token = created(seeds)
    other = "A" if token[-1] != "A" else "B"
    assert found(seeds, token[:-1] + other) is None
    assert found(seeds, token + "\n") is None


def test_a_revoked_token_is_nobody_and_is_revoked_once(seeds: Seeds):
    token = created(seeds)
    token_id = token.split("_")[1]
    with seeds.database.write() as tx:
        assert tokens.revoke(tx, token_id, START + 9)
    assert found(seeds, token) is None
    with seeds.database.write() as tx:
        assert not tokens.revoke(tx, token_id, START + 10)
        assert not tokens.revoke(tx, "nobody", START + 10)
        (listed,) = tokens.listed(tx)
    assert listed.revoked_at == START + 9
    assert (listed.name, listed.role, listed.numbers) == ("nightly job", "reporter", ())


def test_what_cannot_be_a_token_is_refused(seeds: Seeds):
    with seeds.database.write() as tx:
        with pytest.raises(BadToken, match="role"):
            tokens.create(tx, "x", "root", (), START, secrets.token_urlsafe(32))
        for number in ("1 2", "abc", "+911234567"):
            with pytest.raises(BadToken, match="digits alone"):
                tokens.create(tx, "x", "sender", (number,), START, secrets.token_urlsafe(32))
        with pytest.raises(BadToken, match="43"):
            tokens.create(tx, "x", "sender", (), START, "short")
