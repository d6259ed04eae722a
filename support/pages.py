"""How a page is made: templates, headers, and reading the database off the event loop."""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from store.database import ReadTx, WriteTx
from store.times import rfc3339, spelled
from support.glyphs import glyph
from support.house import House
from support.viewer import Viewer
from whatsapp.masking import mask, mask_wamid

PATIENCE = 5.0  # seconds that a statement for a page may take
STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would make the Origin of our own forms "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
T = TypeVar("T")
_UTC = ZoneInfo("UTC")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")  # embeddings, overrides and isolates


def page(
    request: Request, viewer: Viewer | None, template: str, status: int = 200, **values: Any
) -> Response:
    """A page in the house's style; without a viewer it has no search box and no ways to other pages."""
    given = {
        "viewer": viewer,
        "path": request.url.path,
        "now": getattr(request.state, "now", None),
        "correlation": getattr(request.state, "correlation", ""),
    }
    html = TEMPLATES.get_template(template).render(**given, **values)
    return HTMLResponse(html, status, headers(request))


def refused(request: Request, viewer: Viewer | None, status: int, title: str, sentence: str) -> Response:
    """One sentence: what is wrong and what to do next."""
    return page(request, viewer, "sentence.html", status, title=title, sentence=sentence)


def missing(request: Request, viewer: Viewer | None) -> Response:
    """What is not there, or is not theirs: nobody can tell which."""
    return refused(
        request,
        viewer,
        404,
        "Nothing here",
        "There is no such page, or it is not for you. Check the address.",
    )


def headers(request: Request) -> Mapping[str, str]:
    correlation = getattr(request.state, "correlation", "")
    return {**HEADERS, **({"X-Request-Id": correlation} if correlation else {})}


async def read(house: House, asked: Callable[[ReadTx], T]) -> T:
    """Run in the thread pool. Raises TooSlow when a statement takes longer than `PATIENCE`."""

    def run() -> T:
        with house.database.read(patience=PATIENCE) as tx:
            return asked(tx)

    return await run_in_threadpool(run)


async def write(house: House, done: Callable[[WriteTx], T]) -> T:
    """One transaction, in the thread pool. Raises TooSlow when no connection, or a lock, is free in time."""

    def run() -> T:
        with house.database.write(patience=PATIENCE) as tx:
            return done(tx)

    return await run_in_threadpool(run)


@cache
def static(name: str) -> str:
    """The address of a file; it changes with the file, so that browsers may keep it."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


@pass_context
def when(context: Context, seconds: float | None) -> str:
    """Exact, in the viewer's zone; UTC on hover."""
    if seconds is None:
        return ""
    local = datetime.fromtimestamp(seconds, UTC).astimezone(_zone(context))
    return _time(seconds, f"{local:%Y-%m-%d %H:%M:%S}")


@pass_context
def precise(context: Context, seconds: float | None) -> str:
    """As `when`, with the milliseconds of our own clock; Meta's times are whole, and have none."""
    if seconds is None:
        return ""
    if isinstance(seconds, int):
        return when(context, seconds)
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    local = datetime.fromtimestamp(whole, UTC).astimezone(_zone(context))
    return _time(seconds, f"{local:%Y-%m-%d %H:%M:%S}.{milliseconds:03}")


@pass_context
def ago(context: Context, seconds: float | None) -> str:
    """`12 min ago`; UTC on hover."""
    if seconds is None:
        return ""
    return _time(seconds, spelled_ago((context.get("now") or seconds) - seconds))


def spelled_ago(seconds: float) -> str:
    """In one unit."""
    if seconds < 1:
        return "now"
    size = next((size for size in (86_400, 3_600, 60) if seconds >= size), 1)
    return f"{spelled(seconds // size * size)} ago"


def browser(agent: str) -> str:
    """`Firefox on Linux` out of what a browser says of itself."""
    names = (
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    )
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
    name = next((name for sign, name in names if f"{sign}/" in agent), agent.split("/")[0][:40] or "unknown")
    system = next((system for system in systems if system in agent), "")
    return f"{name} on {system}" if system else name


def shown(value: Any) -> Any:
    """Every text of a page: what would turn the direction of the text beside it is shown as a gap."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else _TURNS.sub("\ufffd", value)


def _time(seconds: float, words: str) -> str:
    exact = rfc3339(seconds)
    shown = f"{exact}".replace("T", " ").replace("Z", " UTC")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, shown, words)


def _zone(context: Context) -> ZoneInfo:
    viewer = context.get("viewer")
    return viewer.zone if viewer else _UTC


def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=shown,
    )
    made.filters.update(
        masked=mask,
        wamid_masked=mask_wamid,
        when=when,
        precise=precise,
        ago=ago,
        browser=browser,
        glyph=glyph,
    )
    made.globals.update(static=static)
    return made


TEMPLATES = _templates()
