"""What is older than the age of message rows makes no row, whatever its order; what has one still folds."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from retention_samples import LATER, MESSAGE_AGE, cleaned, counts, followed, heard, id_of, sent, told
from sqlalchemy import text
from store_samples import NOW, rows, status_update, webhook

from store import aged, replay
from store.apply import Applied, Understood, apply
from store.database import Database
from store.kept import too_old
from store.records import InboundMessage, Parsed, Preference, StatusUpdate
from store.retention_ages import DAY

AGE = MESSAGE_AGE
YOUNG = LATER - 10 * DAY


def applied(database: Database, webhook_id: int, *updates: StatusUpdate, now: float = LATER) -> Applied:
    with database.write() as tx:
        return apply(tx, [webhook(webhook_id, *updates, received_at=now)], now, age=AGE)


def noted(database: Database, webhook_id: int) -> tuple[int, int]:
    with database.read() as tx:
        return too_old(tx, webhook_id)


def test_an_old_status_makes_no_row_and_is_counted_and_told(database: Database) -> None:
    done = applied(database, 1, status_update("w-1", "sent", int(NOW)))
    assert done.too_old == aged.Count(statuses=1)
    assert counts(database, "messages", "status_updates", "feed") == {
        "messages": 0,
        "status_updates": 0,
        "feed": 0,
    }
    assert noted(database, 1) == (1, 0)


def test_an_old_status_of_a_message_that_is_there_folds(database: Database) -> None:
    applied(database, 1, status_update("w-1", "read", int(YOUNG)))
    applied(database, 2, status_update("w-1", "sent", int(NOW)))
    (message,) = rows(database, "messages", order="1")
    assert (message["sent_at"], message["read_at"]) == (int(NOW), int(YOUNG))
    assert noted(database, 2) == (0, 0)


def test_an_age_that_nobody_set_counts_from_the_first_run_of_retention_on(database: Database) -> None:
    unset = replace(AGE, at_once=False)

    def heard_of(n: int) -> None:
        updates, texts = (status_update(f"w-{n}", "sent", int(NOW)),), (inbound(f"in-{n}", NOW),)
        one = Understood(n, LATER, Parsed(updates=updates, inbound=texts))
        with database.write() as tx:
            apply(tx, [one], LATER, age=unset)

    heard_of(1)
    assert counts(database, "messages", "inbound_messages") == {"messages": 1, "inbound_messages": 1}
    cleaned(database)
    heard_of(2)
    assert [row["wamid"] for row in rows(database, "messages") if row["wamid"] == "w-2"] == []
    assert noted(database, 2) == (1, 1)


def test_something_young_in_the_same_run_makes_the_message_young(database: Database) -> None:
    done = applied(
        database, 1, status_update("w-1", "sent", int(NOW)), status_update("w-1", "read", int(YOUNG))
    )
    assert (done.new, done.too_old) == (2, aged.Count())


def test_without_an_age_everything_makes_a_row(database: Database) -> None:
    with database.write() as tx:
        apply(tx, [webhook(1, status_update("w-1", "sent", 1_300_000_000))], LATER)
    assert counts(database, "messages") == {"messages": 1}


def test_a_young_status_of_an_old_message_of_ours_does_not_bring_it_back(database: Database) -> None:
    ours = id_of(1, NOW)
    sent(database, 1, message_id=ours)
    followed(database, NOW + 2 * DAY)
    assert cleaned(database).gone["messages"] == 1
    done = applied(
        database,
        7,
        status_update("w-1", "read", int(YOUNG), callback_data=f"{ours}:their own"),
        status_update("w-2", "read", int(YOUNG), callback_data="0000"),  # a stranger's: not ours to date
        status_update("w-3", "read", int(YOUNG), callback_data=id_of(3, YOUNG)),
    )
    assert done.too_old == aged.Count(statuses=1)
    assert [row["wamid"] for row in rows(database, "messages", order="1")] == ["w-2", "w-3"]


def test_an_old_send_that_is_unknown_is_still_settled_by_its_status(database: Database) -> None:
    ours = id_of(1, NOW)
    sent(database, 1, "unknown", message_id=ours)
    followed(database, NOW + 2 * DAY)
    cleaned(database)
    done = applied(database, 1, status_update("w-1", "sent", int(NOW), callback_data=ours))
    assert (done.settled, done.too_old) == (1, aged.Count())
    (message,) = rows(database, "messages", order="1")
    assert (message["message_id"], message["sent_at"]) == (ours, int(NOW))


def inbound(wamid: str, at: float, **more: Any) -> InboundMessage:
    return InboundMessage(wamid, int(at), "text", "100", "15550000001", **more)


def test_an_old_inbound_message_makes_no_row_but_its_opt_out_counts(database: Database) -> None:
    stop = Preference("15550000001", "marketing_messages", True, int(NOW))
    old = Understood(1, LATER, Parsed(inbound=(inbound("in-1", NOW),), preferences=(stop,)))
    with database.write() as tx:
        assert apply(tx, [old], LATER, age=AGE).too_old == aged.Count(inbound=1)
    assert counts(database, "inbound_messages", "suppressions") == {"inbound_messages": 0, "suppressions": 1}
    assert noted(database, 1) == (0, 1)


def test_an_old_inbound_message_that_is_there_stays(database: Database) -> None:
    told(database, NOW, inbound=(inbound("in-1", NOW),))
    again = Understood(9, LATER, Parsed(inbound=(inbound("in-1", NOW), inbound("in-2", YOUNG))))
    with database.write() as tx:
        assert apply(tx, [again], LATER, age=AGE).too_old == aged.Count()
    assert [row["wamid"] for row in rows(database, "inbound_messages", order="1")] == ["in-1", "in-2"]


def replayed(database: Database, webhook_id: int, parsed: Parsed, now: float = LATER) -> int:
    with database.write() as tx:
        return replay.replay(
            tx, webhook_id, lambda one: Understood(one.webhook_id, one.received_at, parsed), now, age=AGE
        )


def test_a_replay_brings_nothing_old_back(database: Database) -> None:
    said = Parsed(updates=(status_update("w-1", "sent", int(NOW)),), inbound=(inbound("in-1", NOW),))
    webhook_id = told(database, LATER - 80 * DAY, updates=said.updates, inbound=said.inbound)
    followed(database, LATER)
    with database.write() as tx:  # as if both had gone by their age
        for table in ("messages", "status_updates", "inbound_messages"):
            tx.run(text(f"DELETE FROM {table}"))
    assert replayed(database, webhook_id, said) == 0
    assert counts(database, "messages", "status_updates", "inbound_messages") == {
        "messages": 0,
        "status_updates": 0,
        "inbound_messages": 0,
    }
    assert noted(database, webhook_id) == (1, 1)
    assert replayed(database, webhook_id, Parsed()) == 0
    assert noted(database, webhook_id) == (0, 0)


def test_a_replay_keeps_what_is_old_and_there(database: Database) -> None:
    said = Parsed(updates=(status_update("w-1", "sent", int(NOW)),), inbound=(inbound("in-1", NOW),))
    webhook_id = told(database, NOW, updates=said.updates, inbound=said.inbound)
    before = [
        rows(database, table, order="1") for table in ("messages", "status_updates", "inbound_messages")
    ]
    assert replayed(database, webhook_id, said) == 0
    assert before == [
        rows(database, table, order="1") for table in ("messages", "status_updates", "inbound_messages")
    ]


def test_the_note_goes_with_its_webhook(database: Database) -> None:
    webhook_id = heard(database, "w-1", "sent", NOW, now=LATER, age=AGE)
    assert noted(database, webhook_id) == (1, 0)
    cleaned(database, LATER + 100 * DAY)
    assert counts(database, "webhooks", "too_old") == {"webhooks": 0, "too_old": 0}


_WORDS = st.sampled_from(["sent", "delivered", "read", "failed"])
_UPDATES = st.lists(st.tuples(st.integers(1, 3), _WORDS, st.integers(0, 3), st.integers(1, 3)), max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), said=_UPDATES)
def test_order_and_repeats_do_not_matter_within_the_age(
    database: Database, data: Any, said: list[Any]
) -> None:
    """With an age and without: the same rows, in any order."""
    updates = [
        (hook, status_update(f"w-{n}", word, int(LATER - 399 * DAY) + at)) for n, word, at, hook in said
    ]
    results = []
    for age in (None, AGE):
        with database.write() as tx:
            for table in ("messages", "status_updates", "webhook_repeats", "feed"):
                tx.run(text(f"DELETE FROM {table}"))
        for hook, update in data.draw(st.permutations(updates)):
            with database.write() as tx:
                apply(tx, [webhook(hook, update, received_at=NOW)], LATER, age=age)
        results.append(
            [rows(database, one, ("batch",), "1, 2, 3, 4") for one in ("messages", "status_updates")]
        )
    assert results[0] == results[1]
    assert counts(database, "too_old") == {"too_old": 0}


def test_ids_made_at_or_after_a_moment_are_greater_than_its_bound() -> None:
    bound = aged.id_at(NOW)
    assert id_of(0, NOW) > bound > id_of(2**47, NOW - 0.001)
    assert aged.oldest(NOW, None) is None
