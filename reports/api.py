"""The JSON API for jobs, under /api: messages, one and many, read only."""

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from reports import events
from reports.access import SENDERS, reader
from reports.message_json import listed_json, message_json, number_of
from reports.problems import HANDLERS, Problem
from reports.query import LONGEST, MessagesQuery, read_query, write_cursor
from store import group_rows, listing, stories
from store.database import Database
from store.stories import Story
from store.tokens import Bearer

PRIVATE = {"Cache-Control": "no-store"}  # answers hold phone numbers


def create(database: Database, more: Sequence[BaseRoute] = ()) -> Mount:
    """`/api` with its own error answers. `more`: other rooms' routes below it, such as `/v1/events`."""
    inner = Starlette(
        routes=[*routes(database), *events.routes(database), *more], exception_handlers=HANDLERS
    )
    inner.router.redirect_slashes = False
    return Mount("/api", app=inner)


def routes(database: Database) -> list[BaseRoute]:
    """The calls themselves, relative to /api; their errors need `reports.problems.HANDLERS`."""

    async def messages(request: Request) -> Response:
        bearer = await reader(database, request)
        query = read_query(request.query_params)
        return JSONResponse(await run_in_threadpool(page, database, query, bearer), headers=PRIVATE)

    async def message(request: Request) -> Response:
        bearer = await reader(database, request, SENDERS)
        found = await run_in_threadpool(visible_story, database, request.path_params["id"], bearer)
        if found is None:
            raise Problem(
                404,
                "No such message",
                "No message of the numbers that you may see has this wamid, message_id or reference.",
            )
        return JSONResponse(message_json(found), headers=PRIVATE)

    return [Route("/v1/messages", messages), Route("/v1/messages/{id:path}", message)]


def page(database: Database, query: MessagesQuery, bearer: Bearer) -> dict[str, Any]:
    """{messages, next}: newest first; `next` is the cursor of the next page, null on the last."""
    with database.read() as tx:
        # One more than asked for tells whether there is a next page.
        rows = listing.listed(tx, query.filter(bearer.numbers), query.limit + 1, query.cursor)
        shown = rows[: query.limit]
        conflicts = group_rows.conflicts(tx, shown)
    more = len(rows) > query.limit
    return {
        "messages": [listed_json(row, conflicts) for row in shown],
        "next": write_cursor(shown[-1]["at"], shown[-1]["key"]) if more else None,
    }


def visible_story(database: Database, typed: str, bearer: Bearer) -> Story | None:
    """The story of a wamid, message_id or reference (the newest) that the bearer may see."""
    if not typed or len(typed) > LONGEST or "\x00" in typed:
        return None
    with database.read() as tx:
        for key in stories.find(tx, typed):
            found = stories.story(tx, key)
            if found and (not bearer.numbers or number_of(found) in bearer.numbers):
                return found
    return None
