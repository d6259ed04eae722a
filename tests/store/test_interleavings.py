"""Law 4: whatever comes first, the answer to a POST or the status about it, and however they interleave.

The send stands in `sends` before its POST begins, so it comes before both in every order. After that, answer
and status may cross at every statement, and leases end and people settle whenever they like.
"""

import itertools

import pytest
from send_works import OUTCOMES, about, afresh, answer, done, everything, lease_ends, settled, status
from stepping import Work
from store_samples import (
    CLAIM,
    M1,
    NOW,
    W1,
    W2,
    message_id,
    new_send,
    one_row,
    rows,
    status_update,
    submitted,
)

from store import sends
from store.database import Database, WriteTx


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
