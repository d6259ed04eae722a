"""Reading the work lists for a viewer: rows, the next page's cursor, and counts.

A cursor stands in the address bar, so it names the last row by the address of its page, never by a wamid.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from store import status, strangers, suppressions, work_lists
from store.database import ReadTx
from store.work_lists import Count, Cursor
from support.viewer import Viewer
from support.work_words import AGES, LISTS, SETTLING, TOO_LONG, List
from whatsapp.masking import scrub

KINDS = {"waiting": "waiting", "conflicts": "conflict", "unmatched": "unmatched"}
PAGE = 50


def rows(tx: ReadTx, viewer: Viewer, name: str, until: float, after: str) -> tuple[list[dict[str, Any]], str]:
    """A page of messages and the cursor of the next, '' when this is the last."""
    if name == "unknown":
        found: Sequence[Mapping[str, Any]] = work_lists.unknown_page(
            tx, viewer.numbers, PAGE + 1, _cursor(after)
        )
    else:
        cursor = _cursor(after)
        if cursor is not None:
            cursor = Cursor(cursor.at, work_lists.wamid_at(tx, cursor.key) or "")
        kind, nameless = KINDS[name], viewer.may_see(None)
        found = work_lists.open_page(tx, kind, viewer.numbers, until, PAGE + 1, cursor, nameless=nameless)
    shown = [_row(one, name) for one in found[:PAGE]]
    more = f"{found[PAGE - 1]['at']!r},{shown[-1]['address']}" if len(found) > PAGE else ""
    return shown, more


def suppressed(tx: ReadTx, after: str) -> tuple[list[Mapping[str, Any]], str]:
    """Identities are numbers, so the address bar holds how many were passed instead of the last one."""
    passed = int(after) if after.isdecimal() and len(after) < 7 else 0
    last = ("", "")
    while passed > 0 and (skipped := suppressions.listed(tx, min(passed, 5000), last)):
        last, passed = (skipped[-1].identity, skipped[-1].category), passed - len(skipped)
    found = suppressions.listed(tx, PAGE + 1, last)
    start = int(after) if after.isdecimal() and len(after) < 7 else 0
    return [dict(row._mapping) for row in found[:PAGE]], str(start + PAGE) if len(found) > PAGE else ""


def quarantine(tx: ReadTx, after: str) -> tuple[list[Mapping[str, Any]], str]:
    cursor = _cursor(after)
    if cursor is not None and not _hexadecimal(cursor.key):
        cursor = None
    found = work_lists.quarantine_page(tx, PAGE + 1, cursor)
    more = f"{found[PAGE - 1]['at']!r},{found[PAGE - 1]['key']}" if len(found) > PAGE else ""
    return [
        {**one, "reason": scrub(one["reason"]), "pointer": scrub(one["pointer"])} for one in found[:PAGE]
    ], more


def counts(tx: ReadTx, viewer: Viewer, now: float) -> list[tuple[List, Count]]:
    """The lists that this person may open and that have a count of their own."""
    return [(one, _count(tx, viewer, one.name, now)) for one in LISTS.values() if _counted(one, viewer)]


def until(name: str, age: str, now: float) -> float:
    """Rows are shown that are open since before this time."""
    if name == "waiting":
        return now - AGES.get(age, AGES[TOO_LONG])
    return now - SETTLING if name == "unmatched" else now + 1.0


def _counted(one: List, viewer: Viewer) -> bool:
    return one.name != "failures" and one.open_to(viewer)


def _count(tx: ReadTx, viewer: Viewer, name: str, now: float) -> Count:
    if name == "unknown":
        return work_lists.unknown_count(tx, viewer.numbers)
    if name == "quarantine":
        return work_lists.quarantine_count(tx)
    if name == "suppressed":
        return work_lists.suppressed_count(tx)
    before, nameless = until(name, TOO_LONG, now), viewer.may_see(None)
    return work_lists.open_count(tx, KINDS[name], viewer.numbers, before, nameless=nameless)


def _row(one: Mapping[str, Any], name: str) -> dict[str, Any]:
    word = "conflict" if name == "conflicts" or status.conflict(one) else str(one["status"])
    return {
        "address": one["message_id"] or strangers.address(str(one["wamid"])),
        "word": word,
        "recipient": one["recipient"] or one.get("recipient_user_id"),
        "number": one["phone_number_id"] or "",
        "what": one["template"] or one["type"] or "",
        "reference": one["reference"] or "",
        "at": one["at"],
    }


def _cursor(after: str) -> Cursor | None:
    """`time,address`; None when it is none."""
    at, _, key = after.partition(",")
    try:
        return Cursor(float(at), key) if key and "\x00" not in key else None
    except ValueError:
        return None


def _hexadecimal(key: str) -> bool:
    try:
        return bool(bytes.fromhex(key))
    except ValueError:
        return False
