"""Which index a search walks: the most telling of its conditions, on what we sent and on what strangers sent.

Every select gives (at, key, message_id, wamid, twin) and walks one index newest first: a LIMIT bounds it.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from store.database import ReadTx
from store.listing import Cursor
from store.lists import among, given
from store.search_wanted import Wanted


@dataclass(frozen=True, slots=True)
class Sources:
    selects: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Walk:
    """A table with the names of its time and key."""

    select: str
    at: str
    key: str


# `twin` is not null where the message is found by another row already. It stands among the columns, as scalar
# subqueries, so that PostgreSQL asks it of the rows walked and never joins a whole table for it.
_OURS = _Walk(
    "SELECT s.queued_at AS at, s.message_id AS key, s.message_id AS message_id, s.wamid AS wamid,"
    " NULL AS twin FROM sends AS s WHERE ",
    "s.queued_at",
    "s.message_id",
)
_OWNER = "(SELECT owner.message_id FROM sends AS owner WHERE owner.wamid = {0}.wamid)"
_STRANGERS = _Walk(
    "SELECT t.seen_at AS at, t.wamid AS key, nullif(t.wamid, t.wamid) AS message_id, t.wamid AS wamid,"
    f" {_OWNER.format('t')} AS twin FROM strangers AS t WHERE ",
    "t.seen_at",
    "t.wamid",
)
# Of several failures with the code (repeats, members of a group, beside other codes) the newest stands for
# the message.
_FAILURES = _Walk(
    f"SELECT u.received_at AS at, u.wamid AS key, {_OWNER.format('u')} AS message_id, u.wamid AS wamid,"
    " (SELECT n.wamid FROM status_updates AS n WHERE n.wamid = u.wamid"
    " AND (n.error_codes = :by_code OR (n.error_codes > :by_code_from AND n.error_codes < :by_code_to))"
    " AND (n.received_at, n.participant, n.status, n.occurred_at, n.error_codes)"
    " > (u.received_at, u.participant, u.status, u.occurred_at, u.error_codes) LIMIT 1) AS twin"
    " FROM status_updates AS u WHERE u.error_codes <> '' AND ",
    "u.received_at",
    "u.wamid",
)
_MARKS = _Walk(
    f"SELECT o.since AS at, o.wamid AS key, {_OWNER.format('o')} AS message_id, o.wamid AS wamid,"
    " NULL AS twin FROM open_messages AS o WHERE ",
    "o.since",
    "o.wamid",
)
_BY_WAMID = _Walk(
    f"SELECT coalesce(m.accepted_at, m.first_seen_at, 0) AS at, m.wamid AS key,"
    f" {_OWNER.format('m')} AS message_id, m.wamid AS wamid, NULL AS twin FROM messages AS m WHERE ",
    "coalesce(m.accepted_at, m.first_seen_at, 0)",
    "m.wamid",
)


def sources(tx: ReadTx, wanted: Wanted, after: Cursor | None) -> Sources:
    walks, parameters = _chosen(tx, wanted)
    selects = []
    for walk, condition in walks:
        conditions = [condition]
        if wanted.since is not None:
            conditions.append(f"{walk.at} >= :since")
        if wanted.until is not None:
            conditions.append(f"{walk.at} < :until")
        if after is not None:
            conditions.append(
                f"{walk.at} <= :after_at AND ({walk.at} < :after_at OR {walk.key} < :after_key)"
            )
        selects.append(walk.select + " AND ".join(conditions))
    if wanted.since is not None:
        parameters["since"] = wanted.since
    if wanted.until is not None:
        parameters["until"] = wanted.until
    if after is not None:
        parameters.update(after_at=after.at, after_key=after.key)
    return Sources(selects, parameters)


def _chosen(tx: ReadTx, wanted: Wanted) -> tuple[list[tuple[_Walk, str]], dict[str, Any]]:
    if wanted.wamid is not None:
        return [(_BY_WAMID, "m.wamid = :wamid")], {"wamid": wanted.wamid}
    if wanted.message_id is not None:
        return [(_OURS, "s.message_id = :message_id")], {"message_id": wanted.message_id}
    if wanted.reference is not None:
        return [(_OURS, "s.reference = :by_reference")], {"by_reference": wanted.reference}
    if wanted.recipients:
        return _of_person(tx, wanted)
    if wanted.error is not None:
        return _of_error(wanted.error)
    if wanted.work in ("waiting", "conflict"):
        return [(_MARKS, "o.kind = :kind")], {"kind": wanted.work}
    if wanted.template is not None:
        return [(_OURS, "s.template = :by_template")], {"by_template": wanted.template}
    if wanted.work == "unknown" or wanted.status == "unknown":
        return [(_OURS, "s.state = 'unknown'")], {}
    if wanted.status == "refused":
        return [(_OURS, "s.state = 'refused'")], {}
    return _of_numbers(wanted)


def _of_person(tx: ReadTx, wanted: Wanted) -> tuple[list[tuple[_Walk, str]], dict[str, Any]]:
    """A walk a name: what we sent to it or to whom Meta calls so, and what strangers sent to it."""
    called = tx.all(
        text(f"SELECT recipient FROM known_as WHERE name {among(tx, 'names')} LIMIT 20"),
        {"names": given(tx, wanted.recipients)},
    )
    names = sorted({*wanted.recipients, *(row.recipient for row in called)})
    walks: list[tuple[_Walk, str]] = []
    parameters: dict[str, Any] = {}
    for n, name in enumerate(names):
        parameters[f"name{n}"] = name
        walks.append((_OURS, f"s.recipient = :name{n}"))
        walks.append((_STRANGERS, f"t.recipient = :name{n}"))
        # Found by their phone they are left to the walk of that name.
        walks.append(
            (_STRANGERS, f"t.user_id = :name{n} AND NOT (coalesce(t.recipient, '') {among(tx, 'all_names')})")
        )
    parameters["all_names"] = given(tx, names)
    return walks, parameters


def _of_error(code: str) -> tuple[list[tuple[_Walk, str]], dict[str, Any]]:
    """Reported by Meta, alone or as the first of several; or the answer to a send, tested afterwards."""
    return [
        (_FAILURES, "u.error_codes = :by_code"),
        (_FAILURES, "u.error_codes > :by_code_from AND u.error_codes < :by_code_to"),
        (_OURS, "s.state = 'refused'"),
        (_OURS, "s.state = 'unknown'"),
    ], {"by_code": code, "by_code_from": f"{code},", "by_code_to": f"{code}-"}


def _of_numbers(wanted: Wanted) -> tuple[list[tuple[_Walk, str]], dict[str, Any]]:
    """Nothing telling: all that there is, of the numbers that are asked for or allowed."""
    strangers_only = wanted.work == "unmatched"
    numbers = (wanted.phone_number_id,) if wanted.phone_number_id is not None else wanted.numbers
    if not numbers:
        return [(_STRANGERS, "1 = 1"), *([] if strangers_only else [(_OURS, "1 = 1")])], {}
    walks: list[tuple[_Walk, str]] = []
    for n in range(len(numbers)):
        walks.append((_STRANGERS, f"t.phone_number_id = :number{n}"))
        if not strangers_only:
            walks.append((_OURS, f"s.phone_number_id = :number{n}"))
    return walks, {f"number{n}": number for n, number in enumerate(numbers)}
