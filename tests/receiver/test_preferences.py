"""Opt-outs: what people say about marketing becomes suppressions, in any order, by phone and by BSUID."""

import json
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from receiver.payload import parse
from store import suppressions
from store.apply import Understood, apply
from store.database import Database

NOW = 1_763_800_000.0
BSUID = "US.13491208655302741918"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def _body(value: str, at: int, **item: Any) -> bytes:
    said = {"value": value, "category": "marketing_messages", "timestamp": at, "wa_id": "16505551234", **item}
    change = {
        "contacts": [{"wa_id": "16505551234", "user_id": BSUID}],
        "user_preferences": [said],
    }
    entry = {"id": "1", "changes": [{"field": "user_preferences", "value": change}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def _apply(database: Database, number: int, body: bytes) -> None:
    with database.write() as tx:
        apply(tx, [Understood(number, NOW, parse(body, NOW))], NOW)


def test_phone_and_business_scoped_id_are_learnt_together(database: Database) -> None:
    _apply(database, 1, _body("stop", 1_763_700_000))
    with database.write() as tx:
        assert suppressions.stopped(tx, "16505551234")
        assert suppressions.stopped(tx, BSUID)
        assert not suppressions.stopped(tx, "16505550000")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_word_counts_whatever_came_first(database: Database, order: tuple[int, ...]) -> None:
    bodies = [_body("stop", 1_763_700_000), _body("resume", 1_763_700_100), _body("stop", 1_763_700_050)]
    for place in order:
        _apply(database, place + 1, bodies[place])
    with database.write() as tx:
        assert not suppressions.stopped(tx, "16505551234")


def test_in_one_second_stop_beats_resume(database: Database) -> None:
    _apply(database, 1, _body("stop", 1_763_700_000))
    _apply(database, 2, _body("resume", 1_763_700_000))
    with database.write() as tx:
        assert suppressions.stopped(tx, "16505551234")


def test_an_item_that_cannot_be_read_stands_whole_among_the_events(database: Database) -> None:
    parsed = parse(_body("perhaps", 1_763_700_000), NOW)
    assert parsed.preferences == ()
    assert len(parsed.events) == 1
