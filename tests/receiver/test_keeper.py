"""Group commit: shared commits, 200 only after COMMIT, and a failure costs only the one to blame."""

import asyncio
import hashlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from time import time

import psycopg
import pytest
from held_database import held, plain, refuse_bodies_of, sqlite_path
from kept_rows import kept_bodies
from prometheus_client import CollectorRegistry
from running_door import running_door
from tcp_proxy import Moment, tcp_proxy

from receiver.admission import Overloaded
from receiver.figures import DoorFigures
from receiver.keeper import Keeper, NotKept
from store.database import Database
from store.webhooks import Incoming


class Kept:
    """A started keeper and its figures."""

    def __init__(self, database: Database, kept: Callable[[], None] = lambda: None) -> None:
        self.registry = CollectorRegistry()
        self.keeper = Keeper(database, DoorFigures(self.registry), queue_age=30, kept=kept)

    async def keep(self, body: bytes) -> None:
        await self.keeper.keep(Incoming(body, time()))

    def keeping(self, *bodies: bytes) -> list["asyncio.Task[None]"]:
        return [asyncio.create_task(self.keep(body)) for body in bodies]

    @property
    def groups(self) -> float:
        return self.registry.get_sample_value("wamtrail_keep_group_size_count") or 0

    def failures(self, kind: str) -> float:
        return self.registry.get_sample_value("wamtrail_keep_failures_total", {"kind": kind}) or 0


@asynccontextmanager
async def started(database: Database, kept: Callable[[], None] = lambda: None) -> AsyncIterator[Kept]:
    one = Kept(database, kept)
    one.keeper.start()
    try:
        yield one
    finally:
        await one.keeper.stop()


def numbered(count: int) -> list[bytes]:
    return [b"body %d" % number for number in range(count)]


async def test_many_at_once_share_few_commits(database: Database) -> None:
    bodies = numbered(400)
    async with started(database) as kept:
        await asyncio.gather(*kept.keeping(*bodies))
        assert kept.groups <= 40
    assert sorted(kept_bodies(database)) == sorted(bodies)


async def test_an_idle_door_commits_at_once_and_alone(database: Database) -> None:
    async with started(database) as kept:
        for number, body in enumerate(numbered(5), 1):
            await asyncio.wait_for(kept.keep(body), 10)
            assert kept.groups == number


async def test_the_processor_is_woken_after_the_commit(database: Database) -> None:
    seen: list[int] = []
    woken = threading.Event()

    def wake() -> None:
        seen.append(len(kept_bodies(database)))
        woken.set()

    async with started(database, wake) as kept:
        await kept.keep(b"one")
        assert await asyncio.to_thread(woken.wait, 5)
    assert seen == [1]


async def test_whoever_was_answered_finds_the_body_through_another_connection(database: Database) -> None:
    def found(body: bytes) -> bool:
        digest = hashlib.sha256(body).digest()
        if database.sqlite:
            with closing(sqlite3.connect(sqlite_path(database.url))) as other:
                return bool(other.execute("SELECT 1 FROM webhooks WHERE digest = ?", (digest,)).fetchone())
        with closing(psycopg.connect(plain(database.url))) as session:
            return bool(session.execute("SELECT 1 FROM webhooks WHERE digest = %s", (digest,)).fetchone())

    async with running_door(database) as door:

        async def posted_and_found(body: bytes) -> bool:
            assert (await door.post(body)).status_code == 200
            return await asyncio.to_thread(found, body)

        assert all(await asyncio.gather(*(posted_and_found(body) for body in numbered(60))))


async def test_nobody_is_answered_while_the_commit_itself_is_waiting(postgresql_database: Database) -> None:
    with postgresql_database.write() as tx:
        tx.driver(
            "CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_advisory_xact_lock(4242); RETURN NULL; END'"
        )
        tx.driver(
            "CREATE CONSTRAINT TRIGGER waiting AFTER INSERT ON webhook_backlog DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION wait_at_commit()"
        )
    async with started(postgresql_database) as kept:
        with closing(psycopg.connect(plain(postgresql_database.url))) as gate:
            gate.execute("SELECT pg_advisory_lock(4242)")
            (waiting,) = kept.keeping(b"one")
            waiters = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while gate.execute(waiters).fetchone() == (0,):
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
            assert not waiting.done()
            assert kept_bodies(postgresql_database) == []
            gate.execute("SELECT pg_advisory_unlock(4242)")
        await asyncio.wait_for(waiting, 5)
    assert kept_bodies(postgresql_database) == [b"one"]


async def test_a_body_that_cannot_be_stored_is_refused_and_none_of_its_siblings(database: Database) -> None:
    refuse_bodies_of(database, 666)
    poison, good = b"p" * 666, numbered(30)
    async with started(database) as kept:
        with held(database):  # so that they share a group
            siblings = kept.keeping(*good[:15])
            (poisoned,) = kept.keeping(poison)
            siblings += kept.keeping(*good[15:])
            await asyncio.sleep(0)
        await asyncio.gather(*siblings)
        with pytest.raises(NotKept):
            await poisoned
        assert kept.failures("split") > 0
        kept.keeper.admit()  # it was the body's fault: the door stays open
        await kept.keep(b"afterwards")
    assert sorted(kept_bodies(database)) == sorted([*good, b"afterwards"])


async def test_through_the_door_only_the_poison_is_503(database: Database) -> None:
    refuse_bodies_of(database, 666)
    async with running_door(database) as door:
        bodies = [*numbered(20), b"p" * 666, *(b"more %d" % number for number in range(20))]
        answers = await asyncio.gather(*(door.post(body) for body in bodies))
    statuses = {body: answer.status_code for body, answer in zip(bodies, answers, strict=True)}
    assert {body for body, status in statuses.items() if status != 200} == {b"p" * 666}
    assert statuses[b"p" * 666] == 503


@pytest.mark.parametrize("state", ["40P01", "40001", "55P03"])
async def test_what_is_transient_is_tried_again_without_anybody_noticing(
    postgresql_database: Database, state: str
) -> None:
    with postgresql_database.write() as tx:
        tx.driver("CREATE SEQUENCE tries")  # sequences do not roll back
        tx.driver(
            "CREATE FUNCTION fail_twice() RETURNS trigger LANGUAGE plpgsql AS $$"
            f" BEGIN IF nextval('tries') <= 2 THEN RAISE SQLSTATE '{state}'; END IF; RETURN NEW; END $$"
        )
        tx.driver(
            "CREATE TRIGGER failing BEFORE INSERT ON webhook_backlog"
            " FOR EACH STATEMENT EXECUTE FUNCTION fail_twice()"
        )
    async with started(postgresql_database) as kept:
        await kept.keep(b"one")
        assert kept.failures("again") == 2
    assert kept_bodies(postgresql_database) == [b"one"]


async def test_another_program_that_holds_the_sqlite_file_is_waited_for(sqlite_database: Database) -> None:
    async with started(sqlite_database) as kept:
        with held(sqlite_database):
            (waiting,) = kept.keeping(b"one")
            await asyncio.sleep(0.1)
            assert not waiting.done()
        await asyncio.wait_for(waiting, 5)


@pytest.mark.parametrize(
    ("moments", "copies"),
    [
        (("after_commit",), 2),  # stored, but the keeper could not know: written again
        (("before_commit",), 1),
        (("after_commit", "after_commit", "before_commit"), 3),
    ],
)
async def test_a_connection_cut_around_the_commit_has_its_group_written_again(
    postgresql_url: str, moments: tuple[Moment, ...], copies: int
) -> None:
    async with tcp_proxy(postgresql_url) as proxy:
        database = Database(proxy.url)
        async with started(database) as kept:
            await kept.keep(b"warm")
            proxy.arm(*moments)
            await asyncio.gather(*kept.keeping(b"one"))
            assert proxy.cuts == len(moments)
            assert kept.failures("again") == len(moments)
            found = await asyncio.to_thread(kept_bodies, database)
        database.close()
    assert found == [b"warm"] + [b"one"] * copies


async def test_a_group_whose_every_try_is_cut_is_refused_and_the_door_closes_for_a_moment(
    postgresql_url: str,
) -> None:
    async with tcp_proxy(postgresql_url) as proxy:
        database = Database(proxy.url)
        async with started(database) as kept:
            await kept.keep(b"warm")
            proxy.arm(*["before_commit"] * 20)
            with pytest.raises(NotKept):
                await kept.keep(b"one")
            with pytest.raises(Overloaded):
                kept.keeper.admit()
            assert kept.failures("away") == 1
            proxy.disarm()
            assert await asyncio.to_thread(kept_bodies, database) == [b"warm"]
        database.close()


async def test_a_waiter_that_was_cancelled_neither_kills_nor_stalls_the_committer(database: Database) -> None:
    async with started(database) as kept:
        with held(database):
            tasks = kept.keeping(*numbered(10))
            await asyncio.sleep(0.02)
            for task in tasks[::2]:
                task.cancel()
        await asyncio.gather(*tasks[1::2])
        await asyncio.wait_for(kept.keep(b"afterwards"), 5)
    assert {*numbered(10)[1::2], b"afterwards"} <= set(kept_bodies(database))


async def test_stopping_commits_and_answers_what_waits_and_takes_nothing_more(database: Database) -> None:
    kept = Kept(database)
    kept.keeper.start()
    with held(database):
        tasks = kept.keeping(*numbered(50))
        await asyncio.sleep(0.02)
        stopping = asyncio.create_task(kept.keeper.stop())
        await asyncio.sleep(0.02)
        assert not stopping.done()
        with pytest.raises(NotKept):
            await kept.keep(b"too late")
    await asyncio.wait_for(stopping, 5)
    await asyncio.gather(*tasks)
    assert sorted(kept_bodies(database)) == sorted(numbered(50))
