"""Rows for exports, in keyset pages: a short transaction each, so that no long snapshot holds up vacuum.

Each row comes once while others go on writing. Pages walk along keys that never change: sends by the time
they were asked for, and after them the messages of strangers by wamid. A message that becomes known as ours
in between has its send's place only. What came after `until` is left out, so a walk ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store import status
from store.database import Database, ReadTx
from store.lists import among, given

KINDS = ("messages", "updates", "attempts")
Page = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Span:
    """What an export holds; times in Unix seconds, `until` exclusive. `numbers`: () is all."""

    until: float
    since: float | None = None
    phone_number_id: str | None = None
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """One table along its key. `k` are the keys of the page, from which the rest is joined.

    `time` narrows the walk itself when it is a key, otherwise what is taken out of it.
    """

    table: str
    key: tuple[str, ...]
    columns: str
    joins: str
    time: str  # of the joined row
    number: str
    key_time: str | None = None  # the key that is the time
    only: str = "1 = 1"
    within: str = "1 = 1"  # of the keys: what `only` would leave out is mostly not read at all


_NUMBER = "coalesce(s.phone_number_id, m.phone_number_id, m.reported_number)"
_MESSAGE = f"""s.message_id, coalesce(m.wamid, s.wamid) AS wamid, m.wamid AS message_wamid,
 coalesce(s.reference, m.reference) AS reference, {_NUMBER} AS phone_number_id,
 coalesce(s.recipient, m.recipient, m.recipient_id) AS recipient, m.recipient_user_id,
 coalesce(s.type, m.type) AS type, coalesce(s.template, m.template) AS template, s.language, s.category,
 s.bulk_run_id, s.row_number, s.callback_data, m.callback_data AS reported_callback_data, s.state,
 {status.STATUS_SQL} AS status, coalesce(s.queued_at, m.first_seen_at) AS queued_at,
 coalesce(s.accepted_at, m.accepted_at) AS accepted_at, m.sent_at, m.delivered_at, m.read_at, m.played_at,
 m.failed_at, s.error AS send_error, m.error AS message_error, s.refused_by, s.settled_by, s.attempts,
 m.pricing, {status.MEMBER_CONFLICT_SQL} AS group_conflict"""
_SENDS = Walk(
    table="sends",
    key=("queued_at", "message_id"),
    columns=_MESSAGE,
    joins="JOIN sends AS s ON s.message_id = k.message_id LEFT JOIN messages AS m ON m.wamid = s.wamid",
    time="s.queued_at",
    number=_NUMBER,
    key_time="queued_at",
)
_STRANGERS = Walk(
    table="messages",
    key=("wamid",),
    columns=_MESSAGE,
    joins="JOIN messages AS m ON m.wamid = k.wamid LEFT JOIN sends AS s ON s.wamid = m.wamid",
    time="m.first_seen_at",
    number=_NUMBER,
    only="s.message_id IS NULL",
    within="message_id IS NULL",
)
_UPDATES = Walk(
    table="status_updates",
    key=("wamid", "participant", "status", "occurred_at", "error_codes"),
    columns="""u.wamid, m.message_id, u.participant, u.phone_number_id, u.recipient_id, u.recipient_user_id,
 u.status, u.occurred_at, u.received_at, u.error_codes, u.errors, u.pricing, u.webhook_id""",
    joins="""JOIN status_updates AS u ON u.wamid = k.wamid AND u.participant = k.participant
 AND u.status = k.status AND u.occurred_at = k.occurred_at AND u.error_codes = k.error_codes
 LEFT JOIN messages AS m ON m.wamid = u.wamid""",
    time="u.received_at",
    number="u.phone_number_id",
)
_ATTEMPTS = Walk(
    table="send_attempts",
    key=("message_id", "number"),
    columns="""a.message_id, a.number, s.phone_number_id, a.started_at, o.ended_at, o.outcome, o.http_status,
 o.error""",
    joins="""JOIN send_attempts AS a ON a.message_id = k.message_id AND a.number = k.number
 LEFT JOIN sends AS s ON s.message_id = a.message_id
 LEFT JOIN attempt_outcomes AS o ON o.message_id = a.message_id AND o.number = a.number""",
    time="a.started_at",
    number="s.phone_number_id",
)
WALKS = {"messages": (_SENDS, _STRANGERS), "updates": (_UPDATES,), "attempts": (_ATTEMPTS,)}


def pages(database: Database, kind: str, span: Span, size: int = 5_000) -> Iterator[Page]:
    """All rows of a kind; a page may be empty when nothing of its keys is wanted."""
    for walk in WALKS[kind]:
        after: tuple[Any, ...] | None = None
        while True:
            with database.read() as tx:
                found = _page(tx, walk, span, size, after)
            yield [row for row in found if row["wanted"]]
            if len(found) < size:
                break
            after = tuple(found[-1][f"key_{name}"] for name in walk.key)


def count(tx: ReadTx, kind: str, span: Span, most: int) -> int:
    """How many rows an export would have, counted no further than `most`."""
    found = 0
    for walk in WALKS[kind]:
        condition, parameters = _wanted(tx, walk, span)
        joins = walk.joins.partition(" ON ")[0].removeprefix("JOIN ")
        rest = "".join(f" LEFT JOIN{part}" for part in walk.joins.split("LEFT JOIN")[1:])
        statement = f"SELECT count(*) FROM (SELECT 1 FROM {joins}{rest} WHERE {condition} LIMIT :most) AS c"
        found += int(tx.value(text(statement), {**parameters, "most": most - found}))
        if found >= most:
            return most
    return found


def _page(tx: ReadTx, walk: Walk, span: Span, size: int, after: tuple[Any, ...] | None) -> Page:
    """`size` keys after that one with their rows; fewer only at the end of the walk."""
    keys = ", ".join(walk.key)
    within = [walk.within]
    condition, parameters = _wanted(tx, walk, span)
    if after is not None:
        within.append(f"({keys}) > ({', '.join(f':after_{name}' for name in walk.key)})")
        parameters |= {f"after_{name}": value for name, value in zip(walk.key, after, strict=True)}
    if walk.key_time is not None:
        within.append(f"{walk.key_time} < :until")
        if span.since is not None:
            within.append(f"{walk.key_time} >= :since")
    page = f"SELECT {keys} FROM {walk.table} WHERE {' AND '.join(within)} ORDER BY {keys} LIMIT :size"
    own = ", ".join(f"k.{name} AS key_{name}" for name in walk.key)
    statement = (
        f"SELECT {walk.columns}, {own}, CASE WHEN {condition} THEN 1 ELSE 0 END AS wanted"
        f" FROM ({page}) AS k {walk.joins} ORDER BY {', '.join(f'k.{name}' for name in walk.key)}"
    )
    return [dict(row._mapping) for row in tx.all(text(statement), {**parameters, "size": size})]


def _wanted(tx: ReadTx, walk: Walk, span: Span) -> tuple[str, dict[str, Any]]:
    conditions = [walk.only, f"{walk.time} < :until"]
    parameters: dict[str, Any] = {"until": span.until}
    if span.since is not None:
        conditions.append(f"{walk.time} >= :since")
        parameters["since"] = span.since
    if span.phone_number_id is not None:
        conditions.append(f"{walk.number} = :number")
        parameters["number"] = span.phone_number_id
    if span.numbers:
        conditions.append(f"{walk.number} {among(tx, 'numbers')}")
        parameters["numbers"] = given(tx, span.numbers)
    return " AND ".join(conditions), parameters
