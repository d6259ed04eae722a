"""The JSON API for jobs, under /api: messages, one and many, read only, and what stands around every call."""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from reports import events, message_list
from reports.access import PATIENCE, SENDERS, reader
from reports.frame import Framed
from reports.message_json import message_json, number_of
from reports.problems import HANDLERS, Problem
from reports.query import MessagesQuery, NoQuery, read
from reports.throttle import Throttle
from reports.values import LONGEST
from store import audit, stories
from store.database import Database
from store.stories import Story
from store.tokens import Bearer

WORTH_PACKING = 1000  # bytes; whoever takes gzip gets it from here on


def create(
    database: Database,
    more: Sequence[BaseRoute] = (),
    *,
    throttle: Throttle | None = None,
    clock: Callable[[], float] = time.time,
) -> Mount:
    """`/api` with its own error answers. `more`: other routes below it, such as those of the reports.

    Packed, because no cookie opens what tells data: a stranger's page cannot make a browser ask with a token.
    """
    inner = Starlette(
        routes=[*routes(database, clock), *events.routes(database), *more],
        exception_handlers=HANDLERS,
        middleware=[
            Middleware(Framed, throttle=throttle),
            Middleware(GZipMiddleware, minimum_size=WORTH_PACKING, compresslevel=5),
        ],
    )
    inner.router.redirect_slashes = False
    mounted = Mount("/api", app=inner)
    mounted.path_regex = _with_lines(mounted.path_regex)
    return mounted


def routes(database: Database, clock: Callable[[], float]) -> list[BaseRoute]:
    """The calls themselves, relative to /api; their errors need `reports.problems.HANDLERS`."""

    async def messages(request: Request) -> Response:
        bearer = await reader(database, request)
        query = read(request.query_params, MessagesQuery)
        if query.to is not None:
            await run_in_threadpool(_noted, database, bearer, query.to, clock())
        return JSONResponse(await run_in_threadpool(_page, database, query, bearer))

    async def message(request: Request) -> Response:
        bearer = await reader(database, request, SENDERS)
        read(request.query_params, NoQuery)
        found = await run_in_threadpool(visible_story, database, request.path_params["id"], bearer)
        if found is None:
            raise Problem(
                404,
                "No such message",
                "No message of the numbers that you may see has this wamid, message_id or reference.",
            )
        return JSONResponse(message_json(found))

    one = Route("/v1/messages/{id:path}", message)
    one.path_regex = _with_lines(one.path_regex)
    return [Route("/v1/messages", messages), one]


def _noted(database: Database, bearer: Bearer, recipient: str, now: float) -> None:
    """A search by number stands in the audit log before anything of it is shown."""
    with database.write(patience=PATIENCE) as tx:
        who = f"token:{bearer.token_id}"
        audit.record(tx, at=now, who=who, action="search_number", target=recipient)


def _with_lines(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """A reference may hold a line's end, and then its address does."""
    return re.compile(pattern.pattern, re.DOTALL)


def _page(database: Database, query: MessagesQuery, bearer: Bearer) -> dict[str, Any]:
    with database.read(patience=PATIENCE) as tx:
        return message_list.as_json(tx, message_list.found(tx, query, bearer))


def visible_story(database: Database, typed: str, bearer: Bearer) -> Story | None:
    """The story of a wamid, message_id or reference (the newest) that the bearer may see."""
    if not typed or len(typed) > LONGEST or "\x00" in typed:
        return None
    with database.read(patience=PATIENCE) as tx:
        for key in stories.find(tx, typed, bearer.numbers):
            found = stories.story(tx, key)
            if found and bearer.may_see(number_of(found)):
                return found
    return None
