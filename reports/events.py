"""GET /api/v1/events: what changed since a cursor, each row once, for jobs that poll."""

import base64
import binascii
import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from reports.access import PATIENCE, reader
from reports.message_json import error_json
from reports.problems import Problem
from reports.query import read
from reports.values import Whole, bad, described
from store import events
from store.database import Database
from store.event_rows import ATTEMPT_KEY, UPDATE_KEY
from store.events import After, Page
from store.explained import explain
from store.times import rfc3339
from store.tokens import Bearer

_GREATEST = 2**63 - 1


def write_after(after: After) -> str:
    key = None if after.key is None else list(after.key)
    return base64.urlsafe_b64encode(json.dumps([after.position, key, after.erasures]).encode()).decode()


def _after(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        position, key, *more = json.loads(base64.b64decode(value, altchars=b"-_", validate=True))
        erasures = more[0] if len(more) == 1 else 0
        fine = _number(position) and (key is None or _key(key)) and len(more) < 2 and _number(erasures)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        fine = False
    if not fine:
        raise bad("is not a cursor of this feed; take `next` of the page before, unchanged")
    return After(position, None if key is None else tuple(key), erasures)


def _number(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _GREATEST


def _key(key: Any) -> bool:
    if not isinstance(key, list) or len(key) not in (len(UPDATE_KEY), len(ATTEMPT_KEY)):
        return False
    counted = 3 if len(key) == len(UPDATE_KEY) else 1
    return all(
        _number(one) if place == counted else isinstance(one, str) and _storable(one)
        for place, one in enumerate(key)
    )


def _storable(value: str) -> bool:
    """An id of Meta's may hold any sign that both databases take."""
    return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)


class EventsQuery(BaseModel):
    """Parameters of `GET /api/v1/events`."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    after: Annotated[After, BeforeValidator(_after), described("feed-cursor", minLength=1)] | None = Field(
        None, description="`next` of the page before, unchanged; without it from the oldest kept event."
    )
    limit: Whole = Field(500, ge=1, le=5000, description="How many events a page holds at most.")


def routes(database: Database) -> list[BaseRoute]:
    async def feed(request: Request) -> Response:
        bearer = await reader(database, request)
        query = read(request.query_params, EventsQuery)
        found = await run_in_threadpool(_page, database, query, bearer)
        return JSONResponse(_json(found))

    return [Route("/v1/events", feed)]


def _page(database: Database, query: EventsQuery, bearer: Bearer) -> Page:
    with database.read(patience=PATIENCE) as tx:
        try:
            return events.page(tx, query.after, query.limit, bearer.numbers, nameless=bearer.nameless)
        except events.Pruned:
            raise _gone(
                "too old", "Events after it were deleted by age, or some are of an erased person."
            ) from None
        except events.Ahead:
            raise _gone(
                "too new", "It stands after the newest event: the database was restored since."
            ) from None


def _gone(how: str, why: str) -> Problem:
    return Problem(
        410,
        f"Cursor {how}",
        f"The cursor is {how}. {why} Ask once without `after`, fetch what you count anew from /api/v1/reports"
        " or /api/v1/messages, and go on from `next`.",
    )


def _json(page: Page) -> dict[str, Any]:
    """The cursor goes on past others' events: a page may be empty with `more` true."""
    found = [_event(one) for one in page.updates_and_attempts]
    return {"events": found, "next": write_after(page.after), "more": page.more}


def _event(row: dict[str, Any]) -> dict[str, Any]:
    status = row["kind"] == "status"
    return {
        "kind": row["kind"],
        "position": row["position"],
        "message_id": row["message_id"],
        "wamid": row["wamid"],
        "reference": row["reference"],
        "phone_number_id": row["sent_from"],
        "queued_at": rfc3339(row["queued_at"]),
        "status": row["status"] if status else None,
        "participant": (row["participant"] or None) if status else None,
        "attempt": None if status else row["number"],
        "outcome": None if status else row["outcome"],
        "http_status": None if status else row["http_status"],
        "occurred_at": rfc3339(row["occurred_at"] if status else row["ended_at"]),
        "received_at": rfc3339(row["received_at"] if status else row["stamped_at"]),
        "error": error_json(explain(row["errors"]) if status else explain(row["error"], row["http_status"])),
    }
