"""Finding messages for the search box: newest first, page by page, each page with a bounded cost.

One condition, the most telling, chooses the index that is walked (store/search_sources.py); at most SCAN rows
of it are looked at, and the other conditions are tested on them. Where that was not all, `Found` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store import status
from store.database import ReadTx
from store.listing import COLUMNS, Cursor
from store.lists import among, given
from store.search_sources import Sources, sources
from store.search_wanted import Wanted

__all__ = ["SCAN", "Found", "Wanted", "find", "number_at"]

SCAN = 5_000  # rows; so many take some tens of milliseconds
FIRST = 5  # times the page: so many are looked at first


@dataclass(frozen=True, slots=True)
class Found:
    """A page. `older`: where the next begins, if there may be more; `searched_to`: how far back this page
    looked, when it is shorter than it could be and older messages were not looked at.
    """

    rows: list[Mapping[str, Any]]
    older: Cursor | None = None
    older_message_id: str | None = None  # of the row that `older` points to, for store/search_cursor.py
    searched_to: float | None = None


def find(tx: ReadTx, wanted: Wanted, limit: int, after: Cursor | None = None, scan: int = SCAN) -> Found:
    """The newest messages that meet every condition, older than the cursor."""
    from_here = sources(tx, wanted, after)
    candidates = _candidates(from_here)
    conditions, values = _conditions(tx, wanted)
    statement = text(
        f"SELECT {COLUMNS}, c.at, c.key FROM ({candidates}) AS c"
        " LEFT JOIN sends AS s ON s.message_id = c.message_id LEFT JOIN messages AS m ON m.wamid = c.wamid"
        f" WHERE {' AND '.join(['c.twin IS NULL', *conditions])} ORDER BY c.at DESC, c.key DESC LIMIT :limit"
    )
    rows: list[Mapping[str, Any]] = []
    for size in sorted({min(scan, FIRST * (limit + 1)), scan}):  # mostly the first few fill the page
        parameters = {**from_here.parameters, **values, "scan": size, "limit": limit + 1}
        rows = [dict(row._mapping) for row in tx.all(statement, parameters)]
        if len(rows) > limit:
            last = rows[limit - 1]
            return Found(rows[:limit], Cursor(last["at"], last["key"]), last["message_id"])
    end = tx.first(
        text(
            f"SELECT at, key, message_id FROM ({candidates}) AS c"
            " ORDER BY at DESC, key DESC LIMIT 1 OFFSET :last"
        ),
        {**from_here.parameters, "scan": scan, "last": scan - 1},
    )
    return Found(rows) if end is None else Found(rows, Cursor(end.at, end.key), end.message_id, end.at)


def number_at(tx: ReadTx, found: Found) -> str | None:
    """The sending number of the message that `older` names."""
    if found.older is None:
        return None
    table, name, key = "strangers", "wamid", found.older.key
    if found.older_message_id is not None:
        table, name, key = "sends", "message_id", found.older_message_id
    number = tx.value(text(f"SELECT phone_number_id FROM {table} WHERE {name} = :key"), {"key": key})
    return number and str(number)


def _candidates(from_here: Sources) -> str:
    page = " ORDER BY at DESC, key DESC LIMIT :scan"
    parts = (f"SELECT * FROM ({select}{page}) AS part{n}" for n, select in enumerate(from_here.selects))
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS parts{page}"


_NUMBER = "coalesce(s.phone_number_id, m.phone_number_id, m.reported_number)"
_ERROR = (
    "(EXISTS (SELECT 1 FROM status_updates AS u WHERE u.wamid = m.wamid"
    " AND (u.error_codes = :error OR (u.error_codes > :error_from AND u.error_codes < :error_to)))"
    " OR (s.state IN ('refused', 'unknown') AND (s.error LIKE :error_number OR s.error LIKE :error_word)))"
)
_WORK = {
    "unknown": "s.state = 'unknown'",
    "unmatched": "s.message_id IS NULL",
    "waiting": "EXISTS (SELECT 1 FROM open_messages AS o WHERE o.kind = 'waiting' AND o.wamid = m.wamid)",
    "conflict": "EXISTS (SELECT 1 FROM open_messages AS o WHERE o.kind = 'conflict' AND o.wamid = m.wamid)",
}


def _conditions(tx: ReadTx, wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    """All of them, also the one that chose the index: what it walks need not be exact."""
    names = ("s.recipient", "m.recipient_id", "m.recipient_user_id")
    given_names = " OR ".join(f"{name} {among(tx, 'recipients')}" for name in names)
    error = wanted.error if wanted.error and wanted.error.isalnum() else "!"  # no wildcards of LIKE
    table: tuple[tuple[bool, str, dict[str, Any]], ...] = (
        (bool(wanted.recipients), f"({given_names})", {"recipients": given(tx, wanted.recipients)}),
        (wanted.status is not None, f"({status.STATUS_SQL}) = :status", {"status": wanted.status}),
        (
            wanted.reference is not None,
            "coalesce(s.reference, m.reference) = :reference",
            {"reference": wanted.reference},
        ),
        (
            wanted.template is not None,
            "coalesce(s.template, m.template) = :template",
            {"template": wanted.template},
        ),
        (wanted.phone_number_id is not None, f"{_NUMBER} = :number", {"number": wanted.phone_number_id}),
        (wanted.numbered, f"{_NUMBER} IS NOT NULL", {}),
        (bool(wanted.numbers), f"{_NUMBER} {among(tx, 'numbers')}", {"numbers": given(tx, wanted.numbers)}),
        (wanted.work is not None, _WORK.get(wanted.work or "", "1 = 0"), {}),
        (
            wanted.error is not None,
            _ERROR,
            {
                "error": error,
                "error_from": f"{error},",
                "error_to": f"{error}-",  # the sign after the comma
                "error_number": f'%"code":{error}_%',
                "error_word": f'%"code":"{error}"%',
            },
        ),
    )
    conditions = [condition for asked, condition, _values in table if asked]
    values = {name: value for asked, _condition, held in table if asked for name, value in held.items()}
    return conditions, values
