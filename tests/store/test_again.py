"""Law 4 when a person sends something again while a status proves that Meta took it after all."""

import contextlib
import itertools
from dataclasses import replace
from typing import Any

import pytest
from send_works import afresh, done, status
from sqlalchemy import text
from stepping import Work, both
from store_samples import CLAIM, M1, NOW, ended, message_id, new_send, rows, submitted

from store import again, bulk_runs, sends, stories
from store.database import Database, WriteTx
from store.errors import Refused
from store.timeline import timeline

AGAIN = message_id(2)


def refused(database: Database, **more: Any) -> None:
    """Refused in the answer, its content kept."""
    submitted(database, 1, **more)
    with database.write() as tx:
        sends.record_outcome(tx, M1, 1, CLAIM, ended("refused"), keep_payload=True)


def repeat(tx: WriteTx) -> None:
    first = new_send(1)
    new = replace(first, message_id=AGAIN, idempotency_key=again.key(M1, 1), again_of=M1, bulk_run_id=None)
    with contextlib.suppress(Refused):
        again.submit(tx, new, 1, NOW + 2)


def leaves_once(database: Database) -> None:
    """The original is accepted, and what repeats it was refused or never leaves."""
    first, *others = rows(database, "sends", order="message_id")
    assert first["state"] == "accepted"
    assert [one["state"] for one in others] in ([], ["cancelled"])


@pytest.mark.parametrize("order", list(itertools.permutations([0, 1])))
def test_whichever_comes_first_the_message_leaves_once(database: Database, order: tuple[int, ...]) -> None:
    refused(database)
    works: list[Work] = [repeat, status()]
    done(database, *(works[place] for place in order))
    leaves_once(database)


def test_a_repeat_and_a_status_that_cross_at_any_statement_leave_one_message(
    postgresql_database: Database,
) -> None:
    database = postgresql_database
    for repeat_first in (True, False):
        for before in range(30):
            afresh(database, number=0)
            refused(database)
            one, other = (repeat, status()) if repeat_first else (status(), repeat)
            did, _ = both(database, one, other, before, 1)
            leaves_once(database)
            if did < before:
                break
        else:
            raise AssertionError("the first transaction has more statements than were tried")


def test_a_repeat_that_has_left_already_stays_as_it_is(database: Database) -> None:
    refused(database)
    done(database, repeat)
    with database.write() as tx:
        claimed = "UPDATE sends SET state = 'sending', claim_id = 'c' WHERE message_id = :id"
        tx.run(text(claimed), {"id": AGAIN})
    done(database, status())
    assert [row["state"] for row in rows(database, "sends", order="message_id")] == ["accepted", "sending"]


def test_the_page_of_the_repeat_says_why_it_was_cancelled(database: Database) -> None:
    refused(database)
    done(database, repeat, status())
    with database.read() as tx:
        story = stories.story(tx, AGAIN)
    assert story is not None
    assert "Meta took the message that it repeats" in timeline(story)[-1].text


def test_the_line_of_a_retried_list_is_cancelled_when_a_status_proves_the_first(database: Database) -> None:
    run = bulk_runs.NewRun("run", "list.csv", "/list.csv", "digest", "100")
    with database.write() as tx:
        bulk_runs.begin(tx, run, NOW)
        bulk_runs.begin(tx, replace(run, bulk_run_id="retry", digest="other", retry_of="run"), NOW)
    refused(database, bulk_run_id="run", row_number=7)
    submitted(database, 2, claimed=False, bulk_run_id="retry", row_number=7)
    submitted(database, 3, claimed=False, bulk_run_id="retry", row_number=8)
    done(database, status())
    states = [row["state"] for row in rows(database, "sends", order="message_id")]
    assert states == ["accepted", "cancelled", "queued"]
