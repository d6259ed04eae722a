"""Both databases do the same: taking messages in, ending leases, giving back, cancelling, settling."""

import dataclasses

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from store_samples import (
    CLAIM,
    M1,
    M2,
    NOW,
    ended,
    message_id,
    new_send,
    one_row,
    rows,
    submitted,
)

from store import sends
from store.database import Database
from store.errors import IdempotencyConflict
from store.records import AttemptEnd

OUTCOMES = ("accepted", "refused", "throttled", "unreachable", "unknown")
FREE = {"claim_id": None, "lease_until": None}


def recorded(database: Database, end: AttemptEnd, n: int = 1, number: int = 1, *, keep: bool = False) -> str:
    with database.write() as tx:
        return sends.record_outcome(tx, message_id(n), number, CLAIM, end, keep_payload=keep)


def holds(row: dict[str, object], **expected: object) -> None:
    assert {name: row[name] for name in expected} == expected


# Taking in


def test_a_message_is_taken_in_as_it_was_given(database: Database) -> None:
    new = new_send(
        template="hello", language="de", callback_data="c", idempotency_key="k", bulk_run_id="r", row_number=3
    )
    with database.write() as tx:
        assert sends.submit(tx, new, NOW) == sends.Submitted(M1, True, "queued")
    row = one_row(database, "sends")
    holds(row, **dataclasses.asdict(new))
    holds(row, state="queued", queued_at=NOW, due_at=NOW, attempts=0, wamid=None, settled_by=None, **FREE)
    assert rows(database, "send_attempts") == []


def test_who_posts_it_at_once_takes_it_in_claimed_with_its_first_attempt(database: Database) -> None:
    with database.write() as tx:
        assert sends.submit(tx, new_send(), NOW, CLAIM).state == "sending"
    holds(one_row(database, "sends"), state="sending", attempts=1, claim_id="claim-1", lease_until=NOW + 30)
    holds(one_row(database, "send_attempts"), message_id=M1, number=1, claim_id="claim-1", started_at=NOW)


def test_the_same_key_with_the_same_body_is_the_earlier_send(database: Database) -> None:
    submitted(database, 1, idempotency_key="k")
    with database.write() as tx:
        assert sends.submit(tx, new_send(2, idempotency_key="k"), NOW + 9, CLAIM) == sends.Submitted(
            M1, False, "sending"
        )
    recorded(database, ended("accepted"))
    with database.write() as tx:
        assert sends.submit(tx, new_send(3, idempotency_key="k"), NOW).state == "accepted"
    assert one_row(database, "sends")["message_id"] == M1
    assert len(rows(database, "send_attempts")) == 1


def test_the_same_key_with_another_body_is_refused(database: Database) -> None:
    submitted(database, 1, idempotency_key="k")
    with pytest.raises(IdempotencyConflict, match=r"^This idempotency key .*\.$"), database.write() as tx:
        sends.submit(tx, new_send(2, idempotency_key="k", payload_digest=b"e" * 32), NOW)
    assert len(rows(database, "sends")) == 1


@pytest.mark.parametrize(
    ("number", "key"), [("200", "k"), ("100", "K"), ("100", "k "), ("100", "k\u0301"), ("100", None)]
)
def test_keys_are_of_one_number_and_compare_exactly(database: Database, number: str, key: str | None) -> None:
    submitted(database, 1, idempotency_key="k")
    with database.write() as tx:
        other = new_send(2, phone_number_id=number, idempotency_key=key, payload_digest=b"e" * 32)
        assert sends.submit(tx, other, NOW).created


def test_without_a_key_every_message_is_its_own(database: Database) -> None:
    assert submitted(database, 1) != submitted(database, 2)
    assert len(rows(database, "sends")) == 2


def test_one_row_of_a_bulk_run_is_taken_in_once(database: Database) -> None:
    submitted(database, 1, bulk_run_id="r", row_number=1, claimed=False)
    submitted(database, 2, bulk_run_id="r", row_number=2, claimed=False)
    with pytest.raises(IntegrityError):
        submitted(database, 3, bulk_run_id="r", row_number=1, claimed=False)


# Leases, giving back, cancelling, settling


def test_a_lease_that_ended_makes_unknown_never_queued(database: Database) -> None:
    for n in (1, 2, 3):
        submitted(database, n, claimed=n != 3)
    with database.write() as tx:
        tx.run(text("UPDATE sends SET lease_until = :at WHERE message_id = :id"), {"at": NOW + 90, "id": M2})
    with database.write() as tx:
        assert sends.end_leases(tx, NOW + 30) == 0
        assert sends.end_leases(tx, NOW + 30.5) == 1
        assert sends.end_leases(tx, NOW + 30.5) == 0
    first, second, third = rows(database, "sends")
    holds(first, state="unknown", payload=new_send().payload, **FREE)
    assert (second["state"], third["state"]) == ("sending", "queued")


def test_leases_end_without_waiting_for_who_is_just_recording(postgresql_database: Database) -> None:
    submitted(postgresql_database, 1)
    submitted(postgresql_database, 2)
    with postgresql_database.write() as recording:
        sends.record_outcome(recording, M1, 1, CLAIM, ended("accepted"))
        with postgresql_database.write() as tx:
            assert sends.end_leases(tx, NOW + 60) == 1
    assert [row["state"] for row in rows(postgresql_database, "sends")] == ["accepted", "unknown"]


def test_a_claim_whose_post_was_not_begun_is_given_back_as_if_it_had_not_been(database: Database) -> None:
    submitted(database, claimed=False)
    before = one_row(database, "sends")
    with database.write() as tx:
        tx.run(
            text("UPDATE sends SET state = 'sending', attempts = 1, claim_id = 'claim-1', lease_until = :at"),
            {"at": NOW + 30},
        )
        tx.run(text("INSERT INTO send_attempts VALUES (:id, 1, 'claim-1', 1.5)"), {"id": M1})
    with database.write() as tx:
        assert not sends.give_back(tx, M1, sends.Claim("other", NOW))
        assert len(rows(tx, "send_attempts")) == 1
        assert sends.give_back(tx, M1, CLAIM)
        assert not sends.give_back(tx, M1, CLAIM)
    assert one_row(database, "sends") == before
    assert rows(database, "send_attempts") == []


def test_only_what_is_queued_can_be_cancelled(database: Database) -> None:
    submitted(database, 1, claimed=False)
    submitted(database, 2)
    with database.write() as tx:
        assert sends.cancel(tx, M1, NOW + 2)
        assert not sends.cancel(tx, M1, NOW + 3)
        assert not sends.cancel(tx, M2, NOW + 2)
        assert not sends.cancel(tx, message_id(3), NOW + 2)
    cancelled, sending = rows(database, "sends")
    holds(cancelled, state="cancelled", settled_by="person", settled_at=NOW + 2, payload=None)
    assert sending["state"] == "sending"


@pytest.mark.parametrize(("sent", "state"), [(True, "accepted"), (False, "refused")])
def test_a_person_settles_what_is_unknown_and_nothing_else(
    database: Database, sent: bool, state: str
) -> None:
    submitted(database)
    with database.write() as tx:
        assert not sends.settle_by_person(tx, M1, sent=sent, note="too early", now=NOW)
    recorded(database, ended("unknown"))
    with database.write() as tx:
        assert sends.settle_by_person(tx, M1, sent=sent, note="they called", now=NOW + 9)
        assert not sends.settle_by_person(tx, M1, sent=not sent, note="again", now=NOW + 10)
    row = one_row(database, "sends")
    holds(
        row,
        state=state,
        settled_by="person",
        settled_at=NOW + 9,
        note="they called",
        wamid=None,
        payload=None,
    )
