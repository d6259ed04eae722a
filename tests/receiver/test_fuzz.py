"""Bodies that nobody thought of, through the door and the processor: never a 5xx, always kept, none lost."""

import asyncio
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_rows import OUTCOMES, count, processor
from mutated import broken, encoded, with_sibling
from prometheus_client import CollectorRegistry
from running_door import ENDPOINTS, PATH, signed
from sqlalchemy import text

from receiver import app as receiver_app
from receiver.endpoints import FixedDirectory
from store.database import Database
from store.verify import verify
from store.webhooks import load_by_id

RECEIVED_AT = 1_795_305_600.0
FUZZED = settings(deadline=None, suppress_health_check=list(HealthCheck))


class Receiver:
    """Door and processor in this process, without a socket; one for all examples."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._app = receiver_app.create(
            database, FixedDirectory(ENDPOINTS), lambda: RECEIVED_AT, CollectorRegistry()
        )
        self._processor = processor(database)
        self._runner = asyncio.Runner()
        self._numbers = itertools.count()

    def start(self) -> None:
        self._runner.run(self._begin())

    def stop(self) -> None:
        self._runner.run(self._end())
        self._runner.close()

    async def _begin(self) -> None:
        """The ASGI lifespan, as a server would lead it."""
        self._events, self._said = asyncio.Queue[Any](), asyncio.Queue[Any]()
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._life = asyncio.create_task(self._app(scope, self._events.get, self._said.put))
        await self._events.put({"type": "lifespan.startup"})
        assert (await self._said.get())["type"] == "lifespan.startup.complete"
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://door")

    async def _end(self) -> None:
        await self._client.aclose()
        await self._events.put({"type": "lifespan.shutdown"})
        await self._life

    def new_wamid(self) -> str:
        return f"wamid.sibling.{next(self._numbers)}"

    def takes(self, body: bytes) -> None:
        """Asserts that the body is answered 200, kept as it came, and processed without a fault."""
        answer = self._runner.run(self._client.post(PATH, content=body, headers=signed(body)))
        assert answer.status_code == 200
        with self.database.read() as tx:
            (kept,) = load_by_id(tx, [tx.value(text("SELECT max(id) FROM webhooks"))])
        assert kept.body == body
        before = sum(count(self.database, table) for table in OUTCOMES)
        assert self._processor.drain() == 1
        assert count(self.database, "webhook_backlog") == 0
        assert count(self.database, "quarantine WHERE reason LIKE 'Processing%'") == 0
        self.added = sum(count(self.database, table) for table in OUTCOMES) - before


@pytest.fixture(scope="module")
def fuzzed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    path = tmp_path_factory.mktemp("fuzz") / "fuzz.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    one = Receiver(database)
    one.start()
    yield one
    one.stop()
    assert verify(database).good
    database.close()


@settings(FUZZED, max_examples=150)
@given(tree=broken(), escaped=st.booleans(), first=st.booleans())
def test_a_broken_sample_loses_no_good_sibling(
    fuzzed: Receiver, tree: object, escaped: bool, first: bool
) -> None:
    wamid = fuzzed.new_wamid()
    body = encoded(with_sibling(tree, wamid, first=first), escaped=escaped)
    fuzzed.takes(body)
    assert count(fuzzed.database, f"messages WHERE wamid = '{wamid}' AND delivered_at > 0") == 1


@settings(FUZZED, max_examples=60)
@given(tree=broken(), escaped=st.booleans(), data=st.data())
def test_a_sample_with_broken_bytes_is_kept_all_the_same(
    fuzzed: Receiver, tree: object, escaped: bool, data: st.DataObject
) -> None:
    body = bytearray(encoded(tree, escaped=escaped))
    for _ in range(data.draw(st.integers(1, 4))):
        if not body:
            break
        place = data.draw(st.integers(0, len(body) - 1))
        how = data.draw(st.sampled_from(["flip", "cut", "drop", "repeat"]))
        if how == "flip":
            body[place] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "cut":
            del body[place:]
        elif how == "drop":
            del body[place : place + data.draw(st.integers(1, 20))]
        else:
            body[place:place] = body[place : place + 50] * 3
    fuzzed.takes(bytes(body))


@settings(FUZZED, max_examples=60)
@given(body=st.binary(max_size=300) | st.text(max_size=60).map(lambda said: said.encode("utf-16")))
def test_bytes_of_no_sense_at_all_are_kept_and_put_aside(fuzzed: Receiver, body: bytes) -> None:
    seen = count(fuzzed.database, "webhooks")
    fuzzed.takes(body)
    assert count(fuzzed.database, "webhooks") == seen + 1
    assert count(fuzzed.database, "quarantine") > 0
