"""Small values for the store's tests, and reading back what it wrote."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import text

from store.apply import Understood
from store.database import Database, ReadTx, WriteTx
from store.records import AttemptEnd, NewSend, Parsed, StatusUpdate
from store.sends import Claim, submit

NOW = 1_800_000_000.25
CLAIM = Claim("claim-1", NOW + 30)
W1 = "wamid.HBgLMTU1NTAwMDAwMDE1AgARGBI1+/Q=="
W2 = "wamid.HBgLMTU1NTAwMDAwMDE1AgARGBI2+/Q=="
STATUS_TABLES = ("messages", "participants", "status_updates", "webhook_repeats", "webhook_backlog", "feed")
SEND_TABLES = ("sends", "send_attempts", "attempt_outcomes", "sent_twice")


def message_id(n: int) -> str:
    return f"0197a0b1-c2d3-7000-8000-{n:012x}"


M1, M2 = message_id(1), message_id(2)


def new_send(n: int = 1, **changes: Any) -> NewSend:
    values: dict[str, Any] = {
        "message_id": message_id(n),
        "phone_number_id": "100",
        "recipient_typed": "+1 555 000 0001",
        "recipient": "15550000001",
        "type": "text",
        "payload": b'{"to":"15550000001"}',
        "payload_digest": b"d" * 32,
        "expires_at": NOW + 86_400,
        "reference": "order-77",
        **changes,
    }
    return NewSend(**values)


def status_update(
    wamid: str = W1, status: str = "sent", occurred_at: int = 1_800_000_000, **more: Any
) -> StatusUpdate:
    return StatusUpdate(
        wamid, more.pop("participant", ""), status, occurred_at, more.pop("codes", ""), **more
    )


def webhook(webhook_id: int, *updates: StatusUpdate, received_at: float = NOW) -> Understood:
    return Understood(webhook_id, received_at, Parsed(updates=updates))


def ended(outcome: str, *, wamid: str | None = None, at: float = NOW + 1) -> AttemptEnd:
    """How attempts of each outcome look when the sender hands them over."""
    by_outcome: dict[str, dict[str, Any]] = {
        "accepted": {"http_status": 200, "wamid": wamid or W1, "message_status": "accepted"},
        "refused": {"http_status": 400, "refused_by": "meta", "error": '{"code":100}'},
        "throttled": {"http_status": 429, "error": '{"code":130429}', "again_at": at + 4},
        "unreachable": {"error": '{"code":null}', "again_at": at + 2},
        "unknown": {"error": '{"code":null}'},
    }
    return AttemptEnd(outcome, at, answer=b"{}", **by_outcome[outcome])


def submitted(database: Database, n: int = 1, *, claimed: bool = True, **changes: Any) -> str:
    with database.write() as tx:
        return submit(tx, new_send(n, **changes), NOW, CLAIM if claimed else None).message_id


class CutOff(Exception):
    """What ends a transaction before its commit."""


def cut_off(database: Database, work: Callable[[WriteTx], object]) -> None:
    """Do the work in a transaction that does not come to its commit."""
    try:
        with database.write() as tx:
            work(tx)
            raise CutOff
    except CutOff:
        return


def rows(
    source: Database | ReadTx, table: str, without: Iterable[str] = (), order: str = "1, 2"
) -> list[dict[str, Any]]:
    """The table's rows in the order of its first two columns, bytes as bytes."""
    if isinstance(source, Database):
        with source.read() as tx:
            return rows(tx, table, without, order)
    left_out = set(without)
    found = source.all(text(f"SELECT * FROM {table} ORDER BY {order}"))
    return [
        {
            name: bytes(value) if isinstance(value, memoryview) else value
            for name, value in row._mapping.items()
            if name not in left_out
        }
        for row in found
    ]


def one_row(source: Database | ReadTx, table: str) -> dict[str, Any]:
    (row,) = rows(source, table)
    return row


def emptied(database: Database, tables: Sequence[str]) -> None:
    with database.write() as tx:
        for table in tables:
            tx.run(text(f"DELETE FROM {table}"))


def feed_is_whole(database: Database) -> None:
    """Every batch that a row carries stands in the feed, once."""
    with database.read() as tx:
        stamped = [row.batch for row in tx.all(text("SELECT batch FROM feed ORDER BY position"))]
        carried = tx.all(
            text("SELECT batch FROM status_updates UNION SELECT batch FROM attempt_outcomes ORDER BY batch")
        )
    assert len(stamped) == len(set(stamped))
    assert {row.batch for row in carried} <= set(stamped)
