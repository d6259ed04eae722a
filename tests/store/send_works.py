"""What may happen to a send, each as the work of one transaction, and the rows that must come of it."""

from typing import Any

from stepping import Work
from store_samples import (
    CLAIM,
    M1,
    NOW,
    SEND_TABLES,
    STATUS_TABLES,
    W1,
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
