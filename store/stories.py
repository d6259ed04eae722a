"""One message's whole story, gathered out of all tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from store import status
from store.database import ReadTx
from store.lists import among, given
from whatsapp.erased import erased_on

SEND_COLUMNS = (
    "message_id",
    "state",
    "recipient_typed",
    "recipient",
    "type",
    "template",
    "language",
    "callback_data",
    "reference",
    "phone_number_id",
    "priority",
    "queued_at",
    "due_at",
    "expires_at",
    "attempts",
    "wamid",
    "accepted_at",
    "message_status",
    "refused_by",
    "settled_by",
    "settled_at",
    "note",
    "error",
)


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of one message; rows as plain mappings, `send` and `message` may be absent."""

    send: Mapping[str, Any] | None
    message: Mapping[str, Any] | None
    participants: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    updates: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    attempts: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    replies: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def status(self) -> str:
        return status.status({**(self.send or {}), **_known(self.message)})

    @property
    def erased_on(self) -> str | None:
        """The day (UTC) on which whom it was sent to was erased; None when nobody was."""
        send, message = self.send or {}, self.message or {}
        names = (send.get("recipient"), message.get("recipient_id"), message.get("wamid"))
        return next((day for name in names if (day := erased_on(name))), None)

    @property
    def conflict(self) -> bool:
        if self.participants:
            return any(status.conflict(one) for one in self.participants)
        return self.message is not None and status.conflict(self.message)

    @property
    def delivered_implied(self) -> bool:
        return self.message is not None and status.delivered_implied(self.message)


def _known(row: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (row or {}).items() if value is not None}


def find(tx: ReadTx, typed: str, numbers: Sequence[str] = ()) -> list[str]:
    """Keys for `story` of what `typed` names, newest first: a wamid or message_id one, a reference many.

    `numbers`: whose messages a reference names, () is all; an id names what it names.
    """
    by_id = tx.first(text("SELECT message_id FROM sends WHERE message_id = :id"), {"id": typed.lower()})
    if by_id:
        return [by_id.message_id]
    if tx.first(text("SELECT 1 FROM messages WHERE wamid = :id"), {"id": typed}):
        return [typed]
    mine = f" AND phone_number_id {among(tx, 'numbers')}" if numbers else ""
    rows = tx.all(
        text(
            f"SELECT message_id FROM sends WHERE reference = :id{mine}"
            " ORDER BY queued_at DESC, message_id DESC LIMIT 50"
        ),
        {"id": typed, **({"numbers": given(tx, numbers)} if numbers else {})},
    )
    return [row.message_id for row in rows]


def story(tx: ReadTx, key: str) -> Story | None:
    """The story of a message_id or wamid."""
    columns = ", ".join(SEND_COLUMNS)
    send = tx.first(
        text(f"SELECT {columns} FROM sends WHERE message_id = :key OR wamid = :key"), {"key": key}
    )
    wamid = send.wamid if send else key
    message = (
        tx.first(text("SELECT * FROM messages WHERE wamid = :wamid"), {"wamid": wamid}) if wamid else None
    )
    if send is None and message is None:
        return None
    return Story(
        send=dict(send._mapping) if send else None,
        message=dict(message._mapping) if message else None,
        participants=_rows(tx, "SELECT * FROM participants WHERE wamid = :key ORDER BY participant", wamid),
        updates=_rows(tx, _UPDATES, wamid),
        attempts=_rows(tx, _ATTEMPTS, send.message_id if send else None),
        replies=_rows(tx, _REPLIES, wamid),
    )


_UPDATES = (
    "SELECT status, occurred_at, received_at, participant, errors, error_codes, pricing, webhook_id"
    " FROM status_updates WHERE wamid = :key ORDER BY occurred_at, received_at, status, participant"
)
_ATTEMPTS = (
    "SELECT a.number, a.started_at, o.ended_at, o.outcome, o.http_status, o.error FROM send_attempts AS a"
    " LEFT JOIN attempt_outcomes AS o ON o.message_id = a.message_id AND o.number = a.number"
    " WHERE a.message_id = :key ORDER BY a.number"
)
_REPLIES = (
    "SELECT wamid, type, occurred_at, received_at FROM inbound_messages"
    " WHERE replies_to = :key ORDER BY occurred_at"
)


def _rows(tx: ReadTx, statement: str, key: str | None) -> list[Mapping[str, Any]]:
    return [dict(row._mapping) for row in tx.all(text(statement), {"key": key})] if key else []
