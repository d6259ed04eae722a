"""Lists of messages, newest first, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store import status
from store.database import ReadTx
from store.lists import among, given


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of messages is narrowed to; times in Unix seconds, `until` exclusive."""

    recipient: str | None = None  # digits, BSUID or group id, whole
    status: str | None = None
    since: float | None = None
    until: float | None = None
    phone_number_id: str | None = None
    reference: str | None = None
    numbers: tuple[str, ...] = ()  # the sending numbers that the asker may see; () is all
    numbered: bool = False  # leave out what belongs to no sending number


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: after this time and key."""

    at: float
    key: str


COLUMNS = f"""s.message_id, m.wamid AS message_wamid, s.wamid, s.state, s.settled_by, s.refused_by,
 s.message_status, s.callback_data, s.error AS send_error, s.queued_at,
 coalesce(s.accepted_at, m.accepted_at) AS accepted_at, coalesce(s.reference, m.reference) AS reference,
 coalesce(s.phone_number_id, m.phone_number_id, m.reported_number) AS phone_number_id,
 coalesce(s.recipient, m.recipient, m.recipient_id) AS recipient, m.recipient_user_id,
 coalesce(s.type, m.type) AS type, coalesce(s.template, m.template) AS template,
 m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at, m.error AS message_error, m.pricing,
 m.callback_data AS reported_callback_data, {status.STATUS_SQL} AS status"""
_LISTED = f"SELECT {COLUMNS}"
# Two branches, each with an index of its own: what we were asked to send, and what strangers sent.
_OURS = (
    f"{_LISTED}, s.queued_at AS at, s.message_id AS key"
    " FROM sends AS s LEFT JOIN messages AS m ON m.wamid = s.wamid"
)
_STRANGERS = (
    f"{_LISTED}, m.first_seen_at AS at, m.wamid AS key"
    " FROM messages AS m LEFT JOIN sends AS s ON s.wamid = m.wamid"
)


def listed(tx: ReadTx, wanted: Filter, limit: int, after: Cursor | None = None) -> list[Mapping[str, Any]]:
    """Messages newest first; the row's `at` and `key` make the next page's cursor."""
    conditions, parameters = _conditions(tx, wanted, after)
    ours = f"{_OURS} WHERE {' AND '.join(['1 = 1', *conditions])}"
    strangers = f"{_STRANGERS} WHERE {' AND '.join(['s.message_id IS NULL', *conditions])}"
    page = " ORDER BY at DESC, key DESC LIMIT :limit"
    both = f"SELECT * FROM ({ours}{page}) AS a UNION ALL SELECT * FROM ({strangers}{page}) AS b"
    statement = f"SELECT * FROM ({both}) AS c"
    return [dict(row._mapping) for row in tx.all(text(statement + page), {**parameters, "limit": limit})]


def _conditions(tx: ReadTx, wanted: Filter, after: Cursor | None) -> tuple[list[str], dict[str, Any]]:
    number = "coalesce(s.phone_number_id, m.phone_number_id, m.reported_number)"
    at, key = "coalesce(s.queued_at, m.first_seen_at)", "coalesce(s.message_id, m.wamid)"
    parameters: dict[str, Any] = {}
    conditions: list[str] = []

    def add(condition: str, **values: Any) -> None:
        conditions.append(condition)
        parameters.update(values)

    if wanted.recipient is not None:
        add("(:recipient IN (s.recipient, m.recipient_id, m.recipient_user_id))", recipient=wanted.recipient)
    if wanted.status is not None:
        add(f"({status.STATUS_SQL}) = :status", status=wanted.status)
    if wanted.since is not None:
        add(f"{at} >= :since", since=wanted.since)
    if wanted.until is not None:
        add(f"{at} < :until", until=wanted.until)
    if wanted.phone_number_id is not None:
        add(f"{number} = :number", number=wanted.phone_number_id)
    if wanted.reference is not None:
        add("coalesce(s.reference, m.reference) = :reference", reference=wanted.reference)
    if wanted.numbers:
        add(f"{number} {among(tx, 'numbers')}", numbers=given(tx, wanted.numbers))
    if wanted.numbered:
        add(f"{number} IS NOT NULL")
    if after is not None:
        add(f"({at}, {key}) < (:after_at, :after_key)", after_at=after.at, after_key=after.key)
    return conditions, parameters
