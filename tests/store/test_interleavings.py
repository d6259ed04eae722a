"""Law 4: whatever comes first, the answer to a POST or the status about it, and however they interleave.

The send stands in `sends` before its POST begins, so it comes before both in every order. After that, answer
and status may cross at every statement, and leases end and people settle whenever they like.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text
from stepping import Work, both
from store_samples import (
    CLAIM,
    M1,
    NOW,
    SEND_TABLES,
    STATUS_TABLES,
    W1,
    W2,
    emptied,
    ended,
    feed_is_whole,
    message_id,
    one_row,
    rows,
    status_update,
    submitted,
    webhook,
)

from store import sends
from store.apply import apply
from store.database import Database, WriteTx
from store.records import StatusUpdate
from whatsapp import callback_data

OUTCOMES = ("accepted", "refused", "throttled", "unreachable", "unknown")
# What legitimately tells who was first: when it was settled and by whom; and when it would have been tried
# again, which nobody asks of a send that is settled.
WHO_WAS_FIRST = {"settled_by", "settled_at", "accepted_at", "message_status", "due_at"}


def about(wamid: str = W1, of: str = M1, status: str = "sent", **more: Any) -> StatusUpdate:
    """A status that carries our own id."""
    return status_update(wamid, status, callback_data=callback_data.join(of, "order-77"), **more)


def status(*updates: StatusUpdate, webhook_id: int = 1) -> Work:
    said = [webhook(webhook_id, *(updates or (about(),)), received_at=NOW + 0.5)]
    return lambda tx: apply(tx, said, NOW + 2)


def answer(outcome: str, wamid: str = W1, n: int = 1) -> Work:
    return lambda tx: sends.record_outcome(tx, message_id(n), 1, CLAIM, ended(outcome, wamid=wamid))


def lease_ends(tx: WriteTx) -> None:
    sends.end_leases(tx, CLAIM.lease_until + 1)


def done(database: Database, *works: Work) -> None:
    """One after the other, each in a transaction of its own."""
    for work in works:
        with database.write() as tx:
            work(tx)


def afresh(database: Database, *, number: int = 1) -> None:
    emptied(database, (*STATUS_TABLES, *SEND_TABLES))
    for n in range(1, number + 1):
        submitted(database, n)


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows that must not depend on the order."""
    with database.read() as tx:
        return {
            "sends": rows(tx, "sends", without=WHO_WAS_FIRST),
            "messages": rows(tx, "messages", without={"accepted_at"}),
            "status_updates": rows(tx, "status_updates", without={"batch"}, order="1, 2, 3, 4, 5"),
            "attempts": rows(tx, "send_attempts"),
            "outcomes": rows(tx, "attempt_outcomes", without={"batch"}),
            "backlog": rows(tx, "webhook_backlog"),
            "twice": rows(tx, "sent_twice"),
        }


def settled(database: Database) -> None:
    """Accepted with its wamid, joined with what Meta said, nothing twice, nothing missing from the feed."""
    send, message = one_row(database, "sends"), one_row(database, "messages")
    assert (send["state"], send["wamid"], send["claim_id"], send["lease_until"]) == (
        "accepted",
        W1,
        None,
        None,
    )
    assert (send["error"], send["refused_by"]) == (None, None)
    assert (message["wamid"], message["message_id"], message["sent_at"]) == (W1, M1, 1_800_000_000)
    assert message["accepted_at"] == send["accepted_at"]
    assert rows(database, "sent_twice") == []
    feed_is_whole(database)


# One after the other, on both databases


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_order_of_answer_status_and_end_of_lease_gives_the_same_rows(
    database: Database, outcome: str
) -> None:
    found = []
    for order in itertools.permutations([answer(outcome), status(), lease_ends]):
        afresh(database)
        done(database, *order)
        settled(database)
        found.append(everything(database))
    assert len(found) == 6
    assert all(one == found[0] for one in found)


def test_the_first_to_know_is_the_one_that_settled_it(database: Database) -> None:
    done(database, lambda tx: submitted_in(tx, 1), status(), answer("accepted"))
    send = one_row(database, "sends")
    assert (send["settled_by"], send["accepted_at"], send["message_status"]) == (
        "status",
        NOW + 0.5,
        "accepted",
    )
    afresh(database)
    done(database, answer("accepted"), status())
    send = one_row(database, "sends")
    assert (send["settled_by"], send["accepted_at"], send["message_status"]) == (
        "answer",
        NOW + 1,
        "accepted",
    )


def submitted_in(tx: WriteTx, n: int) -> None:
    from store_samples import new_send

    sends.submit(tx, new_send(n), NOW, CLAIM)


def test_a_status_without_our_id_joins_as_soon_as_the_answer_tells_the_wamid(database: Database) -> None:
    found = []
    for order in itertools.permutations([answer("accepted"), status(status_update(W1, "sent"))]):
        afresh(database)
        done(database, *order)
        settled(database)
        found.append(everything(database))
    assert found[0] == found[1]


def _cancelled(tx: WriteTx) -> None:
    assert sends.cancel(tx, M1, NOW + 1)


def _by_person(sent: bool) -> Work:
    def settle(tx: WriteTx) -> None:
        assert sends.settle_by_person(tx, M1, sent=sent, note="asked them", now=NOW + 1)

    return settle


def _given_back(tx: WriteTx) -> None:
    assert sends.give_back(tx, M1, CLAIM)


STANDS: dict[str, tuple[Work, ...]] = {
    "sending": (),
    "queued again": (answer("throttled"),),
    "given back": (_given_back,),
    "unknown": (answer("unknown"),),
    "unknown since its lease ended": (lease_ends,),
    "refused": (answer("refused"),),
    "cancelled": (answer("unreachable"), _cancelled),
    "settled as sent": (answer("unknown"), _by_person(True)),
    "settled as failed": (answer("unknown"), _by_person(False)),
    "accepted": (answer("accepted"),),
}


@pytest.mark.parametrize("before", STANDS.values(), ids=STANDS)
def test_a_status_settles_a_send_that_stands_anywhere(database: Database, before: tuple[Work, ...]) -> None:
    submitted(database)
    done(database, *before, status())
    settled(database)
    assert one_row(database, "sends")["payload"] is None
    done(database, status(), status(about(status="read", occurred_at=1_800_000_009), webhook_id=2))
    settled(database)
    assert one_row(database, "messages")["read_at"] == 1_800_000_009


@pytest.mark.parametrize("before", STANDS.values(), ids=STANDS)
def test_what_a_status_settled_nobody_unsettles(database: Database, before: tuple[Work, ...]) -> None:
    submitted(database)
    done(database, *before, status())
    after = everything(database)

    def meddle(tx: WriteTx) -> None:
        assert sends.end_leases(tx, NOW + 99_999) == 0
        assert not sends.give_back(tx, M1, CLAIM)
        assert not sends.cancel(tx, M1, NOW + 9)
        assert not sends.settle_by_person(tx, M1, sent=False, note="no", now=NOW + 9)

    done(database, meddle)
    assert everything(database) == after
    for outcome in OUTCOMES:
        done(database, answer(outcome))
    settled(database)
    assert everything(database)["sends"] == after["sends"]


@pytest.mark.parametrize("together", [True, False])
def test_a_second_wamid_is_kept_and_shown_as_sent_twice(database: Database, together: bool) -> None:
    submitted(database)
    first, second = about(W1), about(W2)
    works = [status(first, second)] if together else [status(first), status(second, webhook_id=2)]
    done(database, *works, *works)
    assert one_row(database, "sends")["wamid"] == W1
    twice = one_row(database, "sent_twice")
    assert (twice["message_id"], twice["wamid"]) == (M1, W2)
    assert [(row["wamid"], row["message_id"]) for row in rows(database, "messages")] == [(W1, M1), (W2, None)]


def test_an_answer_with_another_wamid_than_the_status_is_sent_twice(database: Database) -> None:
    for order in itertools.permutations([answer("accepted", W2), status()]):
        afresh(database)
        done(database, *order)
        assert len(rows(database, "sent_twice")) == 1
        assert {row["wamid"] for row in rows(database, "messages")} >= {W1}


def test_callback_data_that_is_not_ours_settles_nothing(database: Database) -> None:
    submitted(database)
    made_up = ["", "order-77", M1.upper(), f" {M1}", M1[:-1], f"{M1}x", message_id(404)]
    done(
        database,
        *(
            status(status_update(f"w{n}", callback_data=data), webhook_id=n + 1)
            for n, data in enumerate(made_up)
        ),
    )
    assert one_row(database, "sends")["state"] == "sending"
    assert len(rows(database, "messages")) == len(made_up)
    assert {row["message_id"] for row in rows(database, "messages")} == {None}


def test_a_strangers_callback_data_that_names_anothers_wamid_breaks_nothing(database: Database) -> None:
    """m2's own wamid is W2; somebody's status about W2 carries m1."""
    for order in itertools.permutations([answer("accepted", W1, 1), answer("accepted", W2, 2)]):
        afresh(database, number=2)
        done(database, *order, status(about(W2, of=M1)))
        assert [(row["state"], row["wamid"]) for row in rows(database, "sends")] == [
            ("accepted", W1),
            ("accepted", W2),
        ]
        assert [row["message_id"] for row in rows(database, "messages")] == [M1, message_id(2)]
        assert rows(database, "sent_twice") == []


@pytest.mark.parametrize("together", [True, False])
def test_one_wamid_that_names_two_of_our_sends_goes_to_one_and_breaks_nothing(
    database: Database, together: bool
) -> None:
    afresh(database, number=2)
    first = about(W1, of=M1)
    second = about(W1, of=message_id(2), status="delivered", occurred_at=1_800_000_005)
    done(database, *([status(first, second)] if together else [status(first), status(second, webhook_id=2)]))
    assert [(row["state"], row["wamid"]) for row in rows(database, "sends")] == [
        ("accepted", W1),
        ("sending", None),
    ]
    message = one_row(database, "messages")
    assert (message["message_id"], message["sent_at"], message["delivered_at"]) == (
        M1,
        1_800_000_000,
        1_800_000_005,
    )
    done(database, answer("accepted", W2, 2))
    assert rows(database, "sends")[1]["wamid"] == W2


# Statement by statement, on PostgreSQL


def crossings(database: Database, one: Callable[[], Work], other: Callable[[], Work]) -> Iterator[str]:
    """Both works at every pair of cut points; a name for each, after it was done."""
    for first, second in ((one, other), (other, one)):
        for before_other in itertools.count():
            for before_one in itertools.count():
                yield "before"
                reached = both(database, first(), second(), before_other, before_one)
                who = "the first" if first is one else "the second"
                yield f"{who} begins: {before_other} statements, then {before_one} of the other"
                if reached[1] < before_one:
                    break
            if reached[0] < before_other:
                break


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_answer_and_status_may_cross_at_every_statement(postgresql_database: Database, outcome: str) -> None:
    database = postgresql_database
    afresh(database)
    done(database, answer(outcome), status())
    expected = everything(database)
    crossed = 0
    for name in crossings(database, lambda: answer(outcome), status):
        if name == "before":
            afresh(database)
            continue
        settled(database)
        assert everything(database) == expected, name
        crossed += 1
    assert crossed > 50


def test_the_end_of_a_lease_and_a_status_may_cross_at_every_statement(postgresql_database: Database) -> None:
    crossed = 0
    for name in crossings(postgresql_database, lambda: lease_ends, status):
        if name == "before":
            afresh(postgresql_database)
            continue
        settled(postgresql_database)
        crossed += 1
    assert crossed > 10


def test_a_persons_word_and_a_status_may_cross_at_every_statement(postgresql_database: Database) -> None:
    database = postgresql_database

    def by_person() -> Work:
        return lambda tx: sends.settle_by_person(tx, M1, sent=False, note="asked them", now=NOW + 1)

    for name in crossings(database, by_person, status):
        if name == "before":
            afresh(database)
            done(database, answer("unknown"))
            continue
        settled(database)


def test_two_processors_with_the_same_messages_may_cross_at_every_statement(
    postgresql_database: Database,
) -> None:
    """They hear of the same messages and members, in opposite order, and share one update."""
    database = postgresql_database
    shared = status_update(W2, "delivered", participant="15550000002", callback_data="x")
    early = [about(W1), shared, status_update(W2, "read", 1_800_000_003, participant="15550000001")]
    late = [status_update(W2, "sent"), about(W1, status="read", occurred_at=1_800_000_009), shared]

    def one() -> Work:
        return status(*early, webhook_id=1)

    def other() -> Work:
        return status(*late[::-1], webhook_id=2)

    afresh(database)
    done(database, one(), other())
    expected = everything(database), rows(database, "participants"), rows(database, "webhook_repeats")
    for name in crossings(database, one, other):
        if name == "before":
            afresh(database)
            continue
        settled_message = rows(database, "sends")[0]
        assert settled_message["wamid"] == W1
        found = everything(database), rows(database, "participants"), rows(database, "webhook_repeats")
        assert found == expected, name
        feed_is_whole(database)


def test_the_stepping_sees_a_deadlock(postgresql_database: Database) -> None:
    """Two that lock in opposite order: were the store's lock order wrong, these tests would tell."""
    from sqlalchemy.exc import OperationalError

    afresh(postgresql_database, number=2)

    def locks(*numbers: int) -> Work:
        def work(tx: WriteTx) -> None:
            for n in numbers:
                tx.run(text("UPDATE sends SET note = 'x' WHERE message_id = :id"), {"id": message_id(n)})

        return work

    with pytest.raises(OperationalError, match="deadlock detected"):
        both(postgresql_database, locks(1, 2), locks(2, 1), 1, 1)
