"""Small worlds that grow old, and one run of retention over them."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from store_samples import CLAIM, NOW, ended, message_id, new_send, status_update, webhook

from store import aged, open_messages, retention, rollups, search_follow, sends, webhooks
from store.apply import apply
from store.database import Database
from store.records import Parsed
from store.retention import Outcome
from store.retention_ages import DAY, Ages, MessageAge
from store.tables import metadata
from store.webhooks import Incoming

UTC = ZoneInfo("UTC")
AGES = Ages(bodies=90 * DAY, messages=400 * DAY, events=90 * DAY, audit=730 * DAY)
MESSAGE_AGE = MessageAge(400 * DAY)
LATER = NOW + 500 * DAY
MESSAGE_TABLES = ("sends", "send_attempts", "attempt_outcomes", "messages", "participants", "status_updates")


def counts(database: Database, *tables: str) -> dict[str, int]:
    """Of these tables, or of all that hold rows."""
    with database.read() as tx:
        found = {
            table: int(tx.value(text(f"SELECT count(*) FROM {table}")))
            for table in (tables or sorted(metadata.tables))
        }
    return {table: count for table, count in found.items() if count or tables}


def followed(database: Database, at: float, *, zone: ZoneInfo = UTC) -> None:
    """Everybody who follows the feed has come to its end."""
    while open_messages.step(database) or search_follow.step(database):
        pass
    rollups.refresh_all(database, zone, lambda: at)


def cleaned(database: Database, at: float = LATER, ages: Ages = AGES, **more: Any) -> Outcome:
    return retention.run(
        database, ages, more.pop("zone", UTC), lambda: at, lambda _: None, page=more.pop("page", 3), **more
    )


def id_of(n: int, at: float) -> str:
    """An id of ours made at this moment."""
    return f"{aged.id_at(at)}7000-8000-{n:012x}"


def sent(database: Database, n: int, outcome: str | None = "accepted", at: float = NOW, **more: Any) -> str:
    """A send of ours that was posted, with its wamid `w-n`; None: it is on the wire."""
    with database.write() as tx:
        sends.submit(tx, new_send(n, **{"message_id": message_id(n), **more}), at, CLAIM)
        if outcome:
            end = ended(outcome, wamid=f"w-{n}", at=at + 1)
            sends.record_outcome(tx, more.get("message_id", message_id(n)), 1, CLAIM, end)
    return f"w-{n}"


def kept(database: Database, at: float = NOW, body: bytes = b"{}") -> int:
    """A webhook as the door keeps it; it waits."""
    with database.write() as tx:
        webhooks.keep(tx, [Incoming(body, at)])
        return int(tx.value(text("SELECT max(webhook_id) FROM webhook_backlog")))


def heard(
    database: Database,
    wamid: str,
    word: str = "delivered",
    at: float = NOW,
    *,
    now: float | None = None,
    age: MessageAge | None = None,
    **more: Any,
) -> int:
    """A webhook with one status, kept and processed; `at`: when it happened and arrived."""
    webhook_id = kept(database, at if now is None else now)
    occurred = more.pop("occurred_at", int(at))
    update = status_update(wamid, word, occurred, **{"phone_number_id": "100", **more})
    with database.write() as tx:
        arrived = at if now is None else now
        apply(tx, [webhook(webhook_id, update, received_at=arrived)], arrived, age=age)
    return webhook_id


def told(database: Database, at: float = NOW, **parts: Any) -> int:
    """A webhook with anything else, kept and processed."""
    from store.apply import Understood

    webhook_id = kept(database, at)
    with database.write() as tx:
        apply(tx, [Understood(webhook_id, at, Parsed(**parts))], at)
    return webhook_id
