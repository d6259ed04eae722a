"""Both databases do the same: keeping webhooks byte for byte, and claiming what waits."""

import random
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from store_samples import NOW, cut_off, one_row, rows, status_update, webhook

from store import backlog
from store.apply import apply
from store.backlog import Marker
from store.database import Database, WriteTx
from store.webhooks import WORTH_COMPRESSING, Incoming, Kept, keep, load

BODIES = {
    "empty": b"",
    "small": b'{"entry":[]}',
    "every byte": bytes(range(256)),
    "one less than worth compressing": b"a" * (WORTH_COMPRESSING - 1),
    "compressible": b'{"id":"wamid.x"}' * 5_000,
    "not compressible": random.Random(7).randbytes(5_000),
}


def kept(database: Database, *bodies: bytes, received_at: float = NOW) -> list[int]:
    """Keep these bodies; their ids."""
    with database.write(urgent=True) as tx:
        before = tx.value(text("SELECT coalesce(max(webhook_id), 0) FROM webhook_backlog"))
        keep(tx, [Incoming(body, received_at) for body in bodies])
        found = tx.all(
            text("SELECT webhook_id FROM webhook_backlog WHERE webhook_id > :n ORDER BY 1"), {"n": before}
        )
    return [row.webhook_id for row in found]


def claimed(database: Database, *, after: int = 0, most: int = 100, most_bytes: int = 10**9) -> list[Marker]:
    with database.write() as tx:
        return backlog.claim(tx, after=after, most=most, most_bytes=most_bytes)


def loaded(database: Database, ids: Sequence[int]) -> list[Kept]:
    with database.read() as tx:
        return load(tx, [(webhook_id, NOW) for webhook_id in ids])


# Keeping


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_comes_back_byte_for_byte(database: Database, body: bytes) -> None:
    (webhook_id,) = kept(database, body)
    (found,) = loaded(database, [webhook_id])
    assert found == Kept(webhook_id, NOW, "", body)
    row = one_row(database, "webhooks")
    assert row["size"] == len(body)
    assert bool(row["compressed"]) == (len(row["body"]) < len(body))


def test_a_large_body_lies_compressed(database: Database) -> None:
    kept(database, BODIES["compressible"])
    row = one_row(database, "webhooks")
    assert row["compressed"]
    assert len(row["body"]) * 20 < row["size"]


def test_a_body_that_compressing_would_not_make_smaller_lies_as_it_came(database: Database) -> None:
    kept(database, BODIES["not compressible"])
    row = one_row(database, "webhooks")
    assert not row["compressed"]
    assert row["body"] == BODIES["not compressible"]


def test_many_webhooks_are_kept_together_each_with_its_marker(database: Database) -> None:
    with database.write() as tx:
        keep(tx, [Incoming(b"%d" % n, NOW + n / 8, f"e{n}", "previous-1") for n in range(50)])
    webhooks, markers = rows(database, "webhooks"), rows(database, "webhook_backlog")
    assert [row["body"] for row in webhooks] == [b"%d" % n for n in range(50)]
    assert [(row["id"], row["received_at"], row["size"]) for row in webhooks] == [
        (row["webhook_id"], row["received_at"], row["size"]) for row in markers
    ]
    assert {row["tries"] for row in markers} == {0}
    assert {(row["endpoint"], row["secret"]) for row in webhooks} == {
        (f"e{n}", "previous-1") for n in range(50)
    }


def test_the_same_body_again_is_another_webhook(database: Database) -> None:
    ids = kept(database, b"{}", b"{}") + kept(database, b"{}")
    assert len(set(ids)) == 3
    assert len({row["digest"] for row in rows(database, "webhooks")}) == 1


def test_keeping_nothing_is_nothing(database: Database) -> None:
    assert kept(database) == []


def test_what_was_rolled_back_was_never_kept(database: Database) -> None:
    cut_off(database, lambda tx: keep(tx, [Incoming(b"{}", NOW)]))
    assert rows(database, "webhooks") == rows(database, "webhook_backlog") == []
    assert len(kept(database, b"{}")) == 1
    assert len(rows(database, "webhook_backlog")) == 1


def test_bodies_of_several_days_are_loaded_in_the_order_of_their_ids(database: Database) -> None:
    ids = [kept(database, b"%d" % n, received_at=NOW + n * 86_400)[0] for n in range(3)]
    with database.read() as tx:
        found = load(tx, [(ids[2], NOW + 2 * 86_400), (ids[0], NOW)])
        assert load(tx, []) == []
    assert [(one.webhook_id, one.body) for one in found] == [(ids[0], b"0"), (ids[2], b"2")]


# The backlog


def test_a_claim_takes_the_oldest_first_and_no_more_than_it_may(database: Database) -> None:
    ids = kept(database, *[b"x" * 10] * 7)
    assert [one.webhook_id for one in claimed(database)] == ids
    assert [one.webhook_id for one in claimed(database, most=3)] == ids[:3]
    assert [one.webhook_id for one in claimed(database, after=ids[4])] == ids[5:]
    assert claimed(database, after=ids[-1]) == []
    assert claimed(database, most=1) == [Marker(ids[0], NOW, 10, 0)]


@pytest.mark.parametrize(("most_bytes", "number"), [(40, 4), (39, 3), (41, 4), (10, 1), (9, 1), (0, 1)])
def test_a_claim_is_bounded_by_bytes_but_takes_at_least_one(
    database: Database, most_bytes: int, number: int
) -> None:
    ids = kept(database, *[b"x" * 10] * 5)
    assert [one.webhook_id for one in claimed(database, most_bytes=most_bytes)] == ids[:number]


def test_a_body_that_is_larger_than_the_bound_does_not_stop_what_follows(database: Database) -> None:
    small, large, last = kept(database, b"x", b"x" * 100, b"x")
    assert [one.webhook_id for one in claimed(database, most_bytes=50)] == [small]
    assert [one.webhook_id for one in claimed(database, most_bytes=50, after=small)] == [large]
    assert [one.webhook_id for one in claimed(database, most_bytes=50, after=large)] == [last]


def test_what_is_done_is_claimed_no_more_and_what_is_put_back_is(database: Database) -> None:
    ids = kept(database, b"a", b"b", b"c")
    with database.write() as tx:
        backlog.done(tx, ids[:2])
    assert [one.webhook_id for one in claimed(database)] == ids[2:]
    with database.write() as tx:
        assert backlog.count_try(tx, ids[2]) == 1
        backlog.put_back(tx, [(ids[0], NOW, 1), (ids[2], NOW, 1)])
    assert claimed(database) == [Marker(ids[0], NOW, 1, 0), Marker(ids[2], NOW, 1, 1)]
    with database.write() as tx:
        backlog.done(tx, [])
        assert backlog.count_try(tx, ids[2]) == 2
        assert backlog.count_try(tx, ids[1]) == 0


def test_the_depth_says_how_much_waits_and_since_when(database: Database) -> None:
    with database.read() as tx:
        assert backlog.depth(tx) == backlog.Depth(0, None)
    first, *_ = kept(database, b"a", b"b", received_at=NOW) + kept(database, b"c", received_at=NOW + 5)
    with database.read() as tx:
        assert backlog.depth(tx) == backlog.Depth(3, NOW)
        assert backlog.depth(tx, most=2) == backlog.Depth(2, NOW)
    with database.write() as tx:
        backlog.done(tx, [first, first + 1])
    with database.read() as tx:
        assert backlog.depth(tx) == backlog.Depth(1, NOW + 5)


def test_two_claims_at_once_never_overlap_and_never_wait(postgresql_database: Database) -> None:
    ids = kept(postgresql_database, *[b"x"] * 6)
    with postgresql_database.write() as one:
        mine = backlog.claim(one, after=0, most=2, most_bytes=100)
        with postgresql_database.write() as other:
            theirs = backlog.claim(other, after=0, most=3, most_bytes=100)
            rest = claimed(postgresql_database)
    found = [[marker.webhook_id for marker in run] for run in (mine, theirs, rest)]
    assert found == [ids[:2], ids[2:5], ids[5:]]


def test_a_processor_that_dies_gives_its_run_back(postgresql_database: Database) -> None:
    ids = kept(postgresql_database, b"a", b"b")

    def take(tx: WriteTx) -> None:
        assert len(backlog.claim(tx, after=0, most=9, most_bytes=100)) == 2
        backlog.done(tx, ids)

    cut_off(postgresql_database, take)
    assert [one.webhook_id for one in claimed(postgresql_database)] == ids


def test_what_was_applied_is_off_the_backlog_in_the_same_transaction(database: Database) -> None:
    ids = kept(database, b"a", b"b")
    cut_off(database, lambda tx: apply(tx, [webhook(ids[0], status_update())], NOW))
    assert [one.webhook_id for one in claimed(database)] == ids
    assert rows(database, "messages") == rows(database, "feed") == []
    with database.write() as tx:
        done = apply(tx, [webhook(ids[0], status_update(), status_update())], NOW)
    assert (done.webhooks, done.updates, done.new) == (1, 2, 1)
    assert [one.webhook_id for one in claimed(database)] == ids[1:]
