"""Both databases do the same: writing down how each POST ended."""

import pytest
from store_samples import (
    CLAIM,
    M1,
    M2,
    NOW,
    W1,
    W2,
    ended,
    feed_is_whole,
    message_id,
    new_send,
    one_row,
    rows,
    status_update,
    submitted,
    webhook,
)

from store import sends
from store.apply import apply
from store.database import Database
from store.records import AttemptEnd

OUTCOMES = ("accepted", "refused", "throttled", "unreachable", "unknown")
FREE = {"claim_id": None, "lease_until": None}


def recorded(database: Database, end: AttemptEnd, n: int = 1, number: int = 1, *, keep: bool = False) -> str:
    with database.write() as tx:
        return sends.record_outcome(tx, message_id(n), number, CLAIM, end, keep_payload=keep)


def holds(row: dict[str, object], **expected: object) -> None:
    assert {name: row[name] for name in expected} == expected


def test_an_accepted_message_gets_its_wamid_and_a_row_that_meta_knows(database: Database) -> None:
    submitted(database)
    assert recorded(database, ended("accepted")) == "accepted"
    row = one_row(database, "sends")
    holds(
        row, state="accepted", wamid=W1, accepted_at=NOW + 1, settled_by="answer", settled_at=NOW + 1, **FREE
    )
    holds(row, message_status="accepted", refused_by=None, error=None, payload=None)
    holds(
        one_row(database, "messages"),
        wamid=W1,
        message_id=M1,
        reference="order-77",
        phone_number_id="100",
        recipient="15550000001",
        type="text",
        template=None,
        accepted_at=NOW + 1,
        first_seen_at=None,
    )


def test_a_refused_message_keeps_the_reason_and_is_final(database: Database) -> None:
    submitted(database)
    assert recorded(database, ended("refused")) == "refused"
    row = one_row(database, "sends")
    holds(
        row,
        state="refused",
        refused_by="meta",
        error='{"code":100}',
        settled_by="answer",
        payload=None,
        **FREE,
    )
    assert rows(database, "messages") == []


@pytest.mark.parametrize(("outcome", "again_at"), [("throttled", NOW + 5), ("unreachable", NOW + 3)])
def test_what_surely_did_not_reach_meta_is_queued_again_with_a_time(
    database: Database, outcome: str, again_at: float
) -> None:
    submitted(database)
    assert recorded(database, ended(outcome)) == "queued"
    row = one_row(database, "sends")
    holds(row, state="queued", due_at=again_at, attempts=1, settled_by=None, settled_at=None, **FREE)
    holds(row, payload=new_send().payload, refused_by=None)


def test_what_may_have_reached_meta_is_unknown_and_keeps_its_payload(database: Database) -> None:
    submitted(database)
    assert recorded(database, ended("unknown")) == "unknown"
    holds(one_row(database, "sends"), state="unknown", settled_by=None, payload=new_send().payload, **FREE)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_end_of_an_attempt_is_written_down_once_and_shown_in_the_feed(
    database: Database, outcome: str
) -> None:
    submitted(database)
    end = ended(outcome)
    recorded(database, end)
    row = one_row(database, "attempt_outcomes")
    holds(row, message_id=M1, number=1, outcome=outcome, ended_at=NOW + 1, answer=b"{}")
    holds(row, http_status=end.http_status, error=end.error)
    feed_is_whole(database)
    with database.read() as tx:
        found = sends.stored_answer(tx, M1)
        assert sends.stored_answer(tx, M2) is None
    assert found is not None
    assert (found.outcome, bytes(found.answer)) == (outcome, b"{}")


@pytest.mark.parametrize("outcome", ["accepted", "refused"])
def test_a_payload_stays_when_that_is_configured(database: Database, outcome: str) -> None:
    submitted(database)
    recorded(database, ended(outcome), keep=True)
    assert one_row(database, "sends")["payload"] == new_send().payload


@pytest.mark.parametrize("outcome", [one for one in OUTCOMES if one != "accepted"])
def test_without_the_claim_only_acceptance_counts(database: Database, outcome: str) -> None:
    submitted(database)
    with database.write() as tx:
        state = sends.record_outcome(tx, M1, 1, sends.Claim("other", NOW), ended(outcome))
    assert state == "sending"
    holds(one_row(database, "sends"), claim_id="claim-1", lease_until=NOW + 30)
    assert len(rows(database, "attempt_outcomes")) == 1


def test_acceptance_counts_after_the_lease_and_after_a_person(database: Database) -> None:
    submitted(database)
    with database.write() as tx:
        sends.end_leases(tx, NOW + 60)
        sends.settle_by_person(tx, M1, sent=False, note="gave up", now=NOW + 90)
    assert recorded(database, ended("accepted", at=NOW + 99)) == "accepted"
    holds(one_row(database, "sends"), wamid=W1, settled_by="answer", refused_by=None, note="gave up")


def test_an_answer_with_a_second_wamid_is_kept_as_sent_twice(database: Database) -> None:
    submitted(database)
    recorded(database, ended("accepted"))
    recorded(database, ended("accepted", wamid=W2), number=2)
    assert one_row(database, "sends")["wamid"] == W1
    holds(one_row(database, "sent_twice"), message_id=M1, wamid=W2)


def test_an_answer_that_is_recorded_twice_changes_nothing(database: Database) -> None:
    submitted(database)
    recorded(database, ended("accepted"))
    before = [rows(database, table) for table in ("sends", "messages", "attempt_outcomes")]
    assert recorded(database, ended("accepted", at=NOW + 7)) == "accepted"
    assert [rows(database, table) for table in ("sends", "messages", "attempt_outcomes")] == before
    assert rows(database, "sent_twice") == []


def test_an_answer_whose_wamid_another_send_owns_breaks_nothing_and_waits_for_a_person(
    database: Database,
) -> None:
    submitted(database, 1)
    submitted(database, 2)
    recorded(database, ended("accepted"), 1)
    assert recorded(database, ended("accepted"), 2) == "unknown"
    first, second = rows(database, "sends")
    assert (first["wamid"], second["wamid"]) == (W1, None)
    holds(second, state="unknown", settled_by=None, payload=new_send().payload, **FREE)
    assert "belongs to another message" in second["error"]
    assert one_row(database, "messages")["message_id"] == M1


def test_an_accepted_send_stays_so_when_a_later_answer_names_anothers_wamid(database: Database) -> None:
    for n, wamid in ((1, W1), (2, W2)):
        submitted(database, n)
        recorded(database, ended("accepted", wamid=wamid), n)
    assert recorded(database, ended("accepted", wamid=W2), 1, number=2) == "accepted"
    holds(rows(database, "sends")[0], state="accepted", wamid=W1, settled_by="answer")
    holds(one_row(database, "sent_twice"), message_id=M1, wamid=W2)


def test_the_ends_of_many_attempts_are_written_down_together(database: Database) -> None:
    for n, _ in enumerate(OUTCOMES, start=1):
        submitted(database, n)
    ends = [
        sends.Ended(message_id(n), 1, CLAIM, ended(one, wamid=f"w{n}")) for n, one in enumerate(OUTCOMES, 1)
    ]
    with database.write() as tx:
        states = sends.record_outcomes(tx, ends[::-1])
    assert list(states.values()) == ["accepted", "refused", "queued", "queued", "unknown"]
    assert [row["state"] for row in rows(database, "sends")] == list(states.values())
    assert [row["outcome"] for row in rows(database, "attempt_outcomes")] == list(OUTCOMES)
    assert len(rows(database, "feed")) == 1


def test_wamids_that_differ_in_case_or_at_the_end_are_different(database: Database) -> None:
    alike = [W1, W1.swapcase(), W1[:-1], W1 + " ", W1 + "=", " " + W1, W1.replace("/", "-")]
    for n, wamid in enumerate(alike, start=1):
        submitted(database, n)
        recorded(database, ended("accepted", wamid=wamid), n)
    with database.write() as tx:
        apply(
            tx,
            [webhook(n, status_update(wamid, "read", 1_800_000_000 + n)) for n, wamid in enumerate(alike)],
            NOW,
        )
    found = {row["wamid"]: (row["message_id"], row["read_at"]) for row in rows(database, "messages")}
    assert found == {wamid: (message_id(n + 1), 1_800_000_000 + n) for n, wamid in enumerate(alike)}
    assert rows(database, "sent_twice") == []
