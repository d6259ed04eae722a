"""The demo's two plain pages, on loopback: the newest messages, and one message's story.

Server-rendered and without scripts. Numbers are masked wherever they stand, and no wamid is in an address.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from store import group_rows, listing, stories, strangers
from store.database import Database
from store.errors import DatabaseAway
from store.listing import Filter
from store.stories import Story
from support import demo_view

_HERE = Path(__file__).parent
_STATIC = "/static"
NEWEST = 100
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PAGES = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def routes(database: Database, clock: Callable[[], float]) -> list[BaseRoute]:
    """`/`, `/messages/{address}` and `/static`. `clock`: Unix seconds."""

    async def newest(_request: Request) -> Response:
        try:
            rows, conflicts = await run_in_threadpool(_newest, database)
        except DatabaseAway:
            return _away()
        now = clock()
        return _page("demo_list.html", rows=[demo_view.line(row, conflicts, now) for row in rows])

    async def message(request: Request) -> Response:
        try:
            story = await run_in_threadpool(_story, database, request.path_params["address"])
        except DatabaseAway:
            return _away()
        if story is None:
            return _sentence(404, "No such message", "It may have been deleted, or the address was cut.")
        return _page("demo_message.html", **demo_view.story(story))

    return [
        Route("/", newest),
        Route("/messages/{address}", message),
        Mount(_STATIC, StaticFiles(directory=_HERE / "static"), name="static"),
    ]


def _newest(database: Database) -> tuple[list[Any], group_rows.Conflicts]:
    with database.read() as tx:
        rows = listing.listed(tx, Filter(), NEWEST)
        return rows, group_rows.conflicts(tx, rows)


def _story(database: Database, address: str) -> Story | None:
    """Only message_ids and the addresses of strangers: a wamid in an address would be a number in a log."""
    if "\x00" in address:
        return None
    with database.read() as tx:
        wamid = strangers.find(tx, address)
        found = stories.story(tx, wamid or address)
    if found is None or (wamid is None and (found.send is None or found.send["message_id"] != address)):
        return None
    return found


def _page(template: str, status: int = 200, **values: Any) -> Response:
    html = _PAGES.get_template(template).render(static=f"{_STATIC}/demo.css", **values)
    return HTMLResponse(html, status, HEADERS)


def _sentence(status: int, title: str, sentence: str) -> Response:
    return _page("demo_sentence.html", status, title=title, sentence=sentence)


def _away() -> Response:
    return _sentence(503, "The database is away", "Wait a moment and load the page again.")
