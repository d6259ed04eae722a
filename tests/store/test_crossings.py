"""Law 4 on PostgreSQL: transactions about one send may cross at every statement, COMMIT included."""

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from send_works import OUTCOMES, about, afresh, answer, done, everything, lease_ends, settled, status
from sqlalchemy import text
from stepping import Work, both
from store_samples import (
    CLAIM,
    M1,
    NOW,
    W1,
    W2,
    ended,
    feed_is_whole,
    message_id,
    one_row,
    rows,
    status_update,
    submitted,
)

from store import sends
from store.database import Database, WriteTx


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


def test_an_answer_and_a_status_with_different_wamids_lose_neither(postgresql_database: Database) -> None:
    """One of them becomes the send's, the other is shown as sent twice, whoever was first."""
    database = postgresql_database
    for name in crossings(database, lambda: answer("accepted", W2), status):
        if name == "before":
            afresh(database)
            continue
        send, twice = one_row(database, "sends"), one_row(database, "sent_twice")
        assert {send["wamid"], twice["wamid"]} == {W1, W2}, name
        joined = {row["wamid"]: row["message_id"] for row in rows(database, "messages")}
        assert joined[send["wamid"]] == M1, name
        assert list(joined.values()).count(M1) == 1, name


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


def test_processors_and_senders_that_run_freely_never_deadlock(postgresql_database: Database) -> None:
    """Many messages a transaction, each in an order of its own: only sorted keys keep them apart."""
    database, number, chance = postgresql_database, 60, random.Random(7)
    numbers = range(1, number + 1)
    for n in numbers:
        submitted(database, n)
    words = ("sent", "delivered", "read")

    def processed() -> list[Work]:
        works = []
        for _ in range(6):
            said = [
                about(f"w{n}", message_id(n), chance.choice(words), participant=f"p{n % 2}") for n in numbers
            ]
            works.append(status(*chance.sample(said, number), webhook_id=chance.randrange(1, 5)))
        return works

    def answered() -> list[Work]:
        ends = [sends.Ended(message_id(n), 1, CLAIM, ended("accepted", wamid=f"w{n}")) for n in numbers]
        runs = [chance.sample(ends, 20) for _ in range(6)]
        return [partial(sends.record_outcomes, ends=run) for run in runs]

    problems: list[BaseException] = []
    together = threading.Barrier(4)

    def run(works: list[Work]) -> None:
        try:
            together.wait(30)
            done(database, *works)
        except BaseException as problem:
            problems.append(problem)

    threads = [
        threading.Thread(target=run, args=(make(),)) for make in (processed, processed, processed, answered)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    found = {row["message_id"]: (row["state"], row["wamid"]) for row in rows(database, "sends")}
    assert found == {message_id(n): ("accepted", f"w{n}") for n in numbers}
    assert rows(database, "sent_twice") == []
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
