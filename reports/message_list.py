"""A page of messages: as the search box finds them, by one index and no further than a page may cost."""

from collections.abc import Mapping
from itertools import count
from typing import Any

from reports.message_json import listed_json
from reports.query import MessagesQuery
from reports.values import write_cursor
from store import group_rows, search
from store.database import ReadTx
from store.search import Found
from store.tokens import Bearer

STEPS = 10  # so that a page of the API takes a second at most, where a rare status is asked for


def found(
    tx: ReadTx, query: MessagesQuery, bearer: Bearer, *, steps: int | None = STEPS, scan: int = search.SCAN
) -> Found:
    """What the bearer may see of it, newest first. `steps`: looks of `scan` rows each that it may take; then
    the page may be shorter than asked, or empty, and `older` tells where to go on. None: as many as it needs.
    """
    wanted = query.wanted(bearer.numbers, nameless=bearer.nameless)
    rows: list[Mapping[str, Any]] = []
    after = query.cursor
    for step in count(1):
        part = search.find(tx, wanted, query.limit - len(rows), after, scan)
        rows += part.rows
        after = part.older
        if after is None or len(rows) == query.limit:
            break
        # A cursor names the message at which a look ended: it has to be one that the bearer may see.
        if steps is not None and step >= steps and bearer.may_see(search.number_at(tx, part)):
            break
    return Found(rows, after)


def as_json(tx: ReadTx, page: Found) -> dict[str, Any]:
    """{messages, next}: `next` is the cursor of the next page, null on the last."""
    conflicts = group_rows.conflicts(tx, page.rows)
    return {
        "messages": [listed_json(row, conflicts) for row in page.rows],
        "next": write_cursor(page.older.at, page.older.key) if page.older else None,
    }
