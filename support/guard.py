"""Who may open a page. Every route of a person's page is made here, so that none can forget a check.

In order: a write must come from our own page (Origin and Sec-Fetch-Site), someone must be signed in, and the
page must be for their role, otherwise it does not exist for them. What breaks on the way is a page, too.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import structlog
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from store import sessions
from store.errors import DatabaseAway, TooSlow
from support import pages
from support.house import House, Refused
from support.viewer import ADMIN, REPORTER, SUPPORT, Viewer

EVERYONE = (ADMIN, SUPPORT, REPORTER)
DESK = (ADMIN, SUPPORT)
ADMINS = (ADMIN,)
LARGEST = 256 * 1024  # bytes of a form
SAFE = ("GET", "HEAD")

log = structlog.get_logger("support")
Handler = Callable[[Request, Viewer], Awaitable[Response]]
Open = Callable[[Request], Awaitable[Response]]


def guarded(
    house: House,
    path: str,
    handler: Handler,
    *,
    methods: Sequence[str] = ("GET",),
    roles: Sequence[str] = EVERYONE,
) -> Route:
    """A page for people who are signed in and have one of these roles."""

    async def inside(request: Request) -> Response:
        viewer = await viewer_of(house, request)
        if viewer is None:
            return to_sign_in(request)
        request.state.viewer = viewer
        if viewer.role not in roles:
            return pages.missing(request, viewer)
        return await handler(request, viewer)

    return unguarded(house, path, inside, methods=methods)


def unguarded(house: House, path: str, handler: Open, *, methods: Sequence[str] = ("GET",)) -> Route:
    """A page for anybody: the sign-in. Writes must still come from our own page."""

    async def endpoint(request: Request) -> Response:
        request.state.correlation = secrets.token_hex(6)
        request.state.now = house.clock()
        if request.method not in SAFE and (problem := _foreign(request)) is not None:
            return problem
        try:
            answer = await handler(request)
        except Exception as problem:
            answer = _broken(request, problem)
        session_id = getattr(request.state, "used", None)
        if session_id is not None:
            answer.background = BackgroundTask(_note_used, house, session_id)
        return answer

    return Route(path, endpoint, methods=list(methods))


async def viewer_of(house: House, request: Request) -> Viewer | None:
    """The person behind the request's cookie."""
    secret = request.cookies.get(cookie_name(house, request))
    if secret is None:
        return None
    now = house.clock()
    found = await pages.read(house, partial(sessions.find, secret=secret, now=now))
    if found is None:
        return None
    if now - found.seen_at > sessions.SEEN_EVERY:
        request.state.used = found.session_id
    return Viewer(
        found.user_id, found.name, found.role, found.numbers, _zone(house, request), found.session_id
    )


async def _note_used(house: House, session_id: str) -> None:
    """After the answer: who only looks does not wait for whoever writes."""
    try:
        await pages.write(house, partial(sessions.seen, session_id=session_id, now=house.clock()))
    except Exception as problem:  # it is noted with the next page
        log.warning("session_not_noted", error=type(problem).__name__)


def over_tls(house: House, request: Request) -> bool:
    """As the browser sees it, a proxy in front included."""
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    return house.secure or request.url.scheme == "https" or forwarded == "https"


def cookie_name(house: House, request: Request) -> str:
    """`__Host-`: browsers take it only over TLS, for this host alone."""
    return "__Host-wamtrail" if over_tls(house, request) else "wamtrail"


def to_sign_in(request: Request) -> Response:
    """Where to sign in, and afterwards back to this page; only to what can be opened by looking."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    fragment = "hx-request" in request.headers
    back = here if request.method in SAFE and not fragment else ""
    if fragment:  # htmx would put the sign-in page into the middle of the old one
        back = urlsplit(request.headers.get("hx-current-url", "")).path
    to = "/sign-in" + (f"?next={quote(back, safe='/')}" if back and back != "/" else "")
    if fragment:
        return Response(status_code=200, headers={**pages.headers(request), "HX-Redirect": to})
    return RedirectResponse(to, 303, headers=dict(pages.headers(request)))


def _foreign(request: Request) -> Response | None:
    """Writes that another site made the browser send, and bodies that no form of ours makes."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = origin is not None and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    if not own or site not in (None, "same-origin"):
        return pages.refused(
            request,
            None,
            403,
            "Not from here",
            "This form was not sent from a page of Wamtrail. Open the page again.",
        )
    length = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not length.isdecimal() or int(length) > LARGEST:
        return pages.refused(request, None, 413, "Too much", "The form holds too much. Shorten it.")
    return None


def _broken(request: Request, problem: Exception) -> Response:
    """The page for what went wrong, and one line in the log under the same correlation id."""
    viewer = getattr(request.state, "viewer", None)
    correlation = request.state.correlation
    if isinstance(problem, Refused):
        return pages.refused(request, viewer, 409, "Not done", str(problem))
    if isinstance(problem, HTTPException) and problem.status_code == 404:
        return pages.missing(request, viewer)
    if isinstance(problem, HTTPException):  # Starlette's, about a form that cannot be read
        sentence = "The form could not be read. Open the page again."
        return pages.refused(request, viewer, problem.status_code, "Not done", sentence)
    log.error("page_failed", correlation=correlation, error=type(problem).__name__, place=_place(problem))
    if isinstance(problem, TooSlow):
        return pages.refused(
            request,
            viewer,
            503,
            "This takes too long",
            "The database did not answer in time. Ask for a shorter span or fewer rows, or try again.",
        )
    if isinstance(problem, DatabaseAway):
        return pages.refused(
            request, viewer, 503, "The database is away", "Wait a moment and load the page again."
        )
    return pages.refused(
        request,
        viewer,
        500,
        "Something broke here",
        "It is in the log. Try again; if it stays, tell whoever runs Wamtrail the id below.",
    )


def _place(problem: Exception) -> str:
    """Where it broke: file and line, never a value."""
    step = problem.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}" if step else ""


def _zone(house: House, request: Request) -> ZoneInfo:
    """The browser's, as the page's script has noted it."""
    for name in (request.cookies.get("zone", ""), house.zone):
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, KeyError):  # not a zone's name, or none that this machine knows
            continue
    return ZoneInfo("UTC")
