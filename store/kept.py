"""Kept webhooks as people look at them: lists, and which of them to replay."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store.database import ReadTx
from store.lists import among, given
from store.webhooks import Kept, load


@dataclass(frozen=True, slots=True)
class Which:
    """Which webhooks; every part narrows. Times in Unix seconds, `until` exclusive."""

    ids: tuple[int, ...] = ()
    since: float | None = None
    until: float | None = None
    endpoint: str | None = None
    quarantined: bool = False  # those with an open quarantine row


@dataclass(frozen=True, slots=True)
class Line:
    """One kept webhook in a list."""

    webhook_id: int
    received_at: float
    endpoint: str
    secret: str
    size: int
    waiting: bool
    quarantined: int


def lines(tx: ReadTx, which: Which, limit: int) -> list[Line]:
    """Newest first."""
    conditions, parameters = _conditions(tx, which)
    statement = (
        "SELECT w.id, w.received_at, w.endpoint, w.secret, w.size,"
        " (SELECT count(*) FROM webhook_backlog AS b WHERE b.webhook_id = w.id) AS waiting,"
        " (SELECT count(*) FROM quarantine AS q"
        " WHERE q.webhook_id = w.id AND q.closed_at IS NULL) AS quarantined"
        f" FROM webhooks AS w WHERE {conditions} ORDER BY w.id DESC LIMIT :limit"
    )
    return [
        Line(row.id, row.received_at, row.endpoint, row.secret, row.size, bool(row.waiting), row.quarantined)
        for row in tx.all(text(statement), {**parameters, "limit": limit})
    ]


def page_of_ids(tx: ReadTx, which: Which, after: int, limit: int) -> list[int]:
    """The next ids above `after`, oldest first, for replay."""
    conditions, parameters = _conditions(tx, which)
    statement = (
        f"SELECT w.id FROM webhooks AS w WHERE {conditions} AND w.id > :after ORDER BY w.id LIMIT :limit"
    )
    return [row.id for row in tx.all(text(statement), {**parameters, "after": after, "limit": limit})]


def one(tx: ReadTx, webhook_id: int) -> tuple[Line, Kept] | None:
    """The webhook with its body, unpacked."""
    found = lines(tx, Which(ids=(webhook_id,)), 1)
    if not found:
        return None
    bodies = load(tx, [(webhook_id, found[0].received_at)])
    return (found[0], bodies[0]) if bodies else None  # by its age it may go in between


def too_old(tx: ReadTx, webhook_id: int) -> tuple[int, int]:
    """How many of its statuses and inbound messages made no row, because they were too old for one."""
    row = tx.first(text("SELECT statuses, inbound FROM too_old WHERE webhook_id = :id"), {"id": webhook_id})
    return (int(row.statuses), int(row.inbound)) if row else (0, 0)


def quarantine_of(tx: ReadTx, webhook_id: int) -> list[Any]:
    statement = "SELECT pointer, reason, closed_at FROM quarantine WHERE webhook_id = :id ORDER BY pointer"
    return list(tx.all(text(statement), {"id": webhook_id}))


def _conditions(tx: ReadTx, which: Which) -> tuple[str, dict[str, Any]]:
    conditions, parameters = ["1 = 1"], dict[str, Any]()
    if which.ids:
        conditions.append(f"w.id {among(tx, 'ids')}")
        parameters["ids"] = given(tx, which.ids)
    if which.since is not None:
        conditions.append("w.received_at >= :since")
        parameters["since"] = which.since
    if which.until is not None:
        conditions.append("w.received_at < :until")
        parameters["until"] = which.until
    if which.endpoint is not None:
        conditions.append("w.endpoint = :endpoint")
        parameters["endpoint"] = which.endpoint
    if which.quarantined:
        conditions.append("w.id IN (SELECT webhook_id FROM quarantine WHERE closed_at IS NULL)")
    return " AND ".join(conditions), parameters
