"""What Meta says of a template in its answer, held or paused, stands in the message's story."""

import json
import os
import time

import pytest
from typer.testing import CliRunner

from sender.message_id import message_id
from sender.payload_build import template
from sender.prepare import prepare
from store.database import Database
from store.outcomes import Claim, record_outcome
from store.records import AttemptEnd
from store.sends import submit
from wamtrail.main import app


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("held_for_quality_assessment", "held until Meta has assessed the template's quality"),
        ("paused", "waits there, because its template is paused"),
        ("a_newer_word", "a_newer_word"),
        ("accepted", None),
        (None, None),
    ],
)
def test_what_meta_said_in_its_answer_is_shown(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, word: str | None, sentence: str | None
) -> None:
    monkeypatch.setenv("WAMTRAIL_DATABASE_URL", sqlite_url)
    now = time.time()
    new = prepare(
        template("+919812340022", "order_update", "en", []),
        phone_number_id="106540352242922",
        message_id=message_id(now, os.urandom(10)),
        now=now,
        reference="r",
    )
    claim = Claim("c" * 32, now + 60)
    database = Database(sqlite_url)
    try:
        with database.write() as tx:
            submit(tx, new, now, claim)
        with database.write() as tx:
            record_outcome(
                tx, new.message_id, 1, claim, AttemptEnd("accepted", now, 200, "wamid.A", message_status=word)
            )
    finally:
        database.close()
    shown = CliRunner().invoke(app, ["message", "show", "r"], env={"COLUMNS": "200"}).stdout
    assert ("at Meta" in shown) == (sentence is not None)
    assert sentence is None or sentence in shown
    told = json.loads(CliRunner().invoke(app, ["message", "show", "r", "--json"]).stdout)
    assert told["message_status"] == word
