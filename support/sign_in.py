"""Signing in and out."""

import ipaddress
import math
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from store import audit, sessions, sign_in_failures, users
from store.database import ReadTx, WriteTx
from store.users import User
from support import pages, passwords
from support.guard import cookie_name, guarded, over_tls, unguarded, viewer_of
from support.house import House
from support.viewer import Viewer

_WRONG = "Name or password is wrong."
NOBODY = "not signed in"  # who did it, in the audit log; no user's name has blanks
UNKNOWN = "unknown name"
TRUSTED = 30 * 86_400.0  # seconds for which an address is known as somebody's after they signed in from it


def routes(house: House) -> list[BaseRoute]:
    async def show(request: Request) -> Response:
        to = local(request.query_params.get("next", ""))
        if await viewer_of(house, request) is not None:
            return _redirect(request, to)
        return _form(request, to)

    async def enter(request: Request) -> Response:
        return await _enter(house, request)

    async def leave(request: Request, viewer: Viewer) -> Response:
        await pages.write(house, lambda tx: sessions.end(tx, viewer.user_id, viewer.session))
        answer = _redirect(request, "/sign-in")
        answer.delete_cookie(cookie_name(house, request), path="/", secure=over_tls(house, request))
        return answer

    return [
        unguarded(house, "/sign-in", show),
        unguarded(house, "/sign-in", enter, methods=("POST",)),
        guarded(house, "/sign-out", leave, methods=("POST",)),
    ]


def local(to: str) -> str:
    """Where to go afterwards: a path of ours, or the front page. `//host` and `/\\host` are another's."""
    parts = urlsplit(to) if to.isprintable() else None
    if parts is None or parts.scheme or parts.netloc or not to.startswith("/") or to[:2] in ("//", "/\\"):
        return "/"
    return "/" if "\\" in to or parts.path == "/sign-in" else to


async def _enter(house: House, request: Request) -> Response:
    form = await request.form()
    name, password = (str(form.get(field, "")) for field in ("name", "password"))
    to = local(str(form.get("next", "")))
    account, address = users.spelled(name), _address(request)
    at = house.clock()
    wait = await pages.write(house, lambda tx: _tried(tx, account, address, at))
    if wait is not None:
        minutes = math.ceil(wait / 60)
        sentence = (
            f"Too many attempts. Wait {minutes} {'minute' if minutes == 1 else 'minutes'} and try again."
        )
        answer = _form(request, to, 429, name=name, sentence=sentence)
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer
    user = await pages.read(house, lambda tx: _named(tx, account))
    known = user if user is not None and user.disabled_at is None else None
    if not await passwords.check(known.password if known else None, password) or known is None:
        await pages.write(house, lambda tx: _noted(tx, "sign_in_failed", account, address, at))
        return _form(request, to, 401, name=name, sentence=_WRONG)
    new = await passwords.make(password) if passwords.dated(known.password) else None
    begun = await _begin(house, request, known, address, at, to, new)
    return begun or _form(request, to, 401, name=name, sentence=_WRONG)


def _tried(tx: WriteTx, account: str, address: str, at: float) -> float | None:
    """Counted, or the seconds to wait; that somebody is kept out is noted once, not at each try."""
    trusted = "\0" not in account and audit.signed_in_from(tx, account, address, at - TRUSTED)
    wait = sign_in_failures.attempt(tx, account, address, at, trusted=trusted)
    if wait is not None and sign_in_failures.first_kept_out(tx, account, address, at):
        _noted(tx, "sign_in_locked", account, address, at)
    return wait


def _noted(tx: WriteTx, action: str, account: str, address: str, at: float) -> None:
    """A name that nobody has may be a password that was typed into the wrong field: it is not kept."""
    user = _named(tx, account)
    target = user.name if user else UNKNOWN
    audit.record(tx, at=at, who=NOBODY, action=action, target=target, reason=audit.from_address(address))


def _named(tx: ReadTx, account: str) -> User | None:
    return users.find(tx, account) if "\0" not in account else None  # PostgreSQL takes no NUL


async def _begin(
    house: House, request: Request, user: User, address: str, at: float, to: str, rehashed: str | None
) -> Response | None:
    """A session that is always a new one; what the browser brought along ends. None when the password was
    changed, or its user disabled, while it was being checked."""
    secret = secrets.token_urlsafe(32)
    old = request.cookies.get(cookie_name(house, request), "")

    def begin(tx: WriteTx) -> bool:
        if not users.unchanged(tx, user):
            return False
        sign_in_failures.succeeded(tx, user.name, address, at)
        if old:
            sessions.end(tx, user.user_id, sessions.public_id(old))
        if rehashed:
            users.rehash(tx, user.user_id, user.password, rehashed)
        sessions.begin(tx, user.user_id, secret, request.headers.get("user-agent", ""), at)
        audit.record(tx, at=at, who=user.name, action="sign_in", reason=audit.from_address(address))
        return True

    if not await pages.write(house, begin):
        return None
    answer = _redirect(request, to)
    answer.set_cookie(
        cookie_name(house, request),
        secret,
        max_age=int(sessions.AT_MOST),
        path="/",
        secure=over_tls(house, request),
        httponly=True,
        samesite="lax",  # strict would ask whoever follows a link from a ticket to sign in again
    )
    return answer


def _address(request: Request) -> str:
    """As uvicorn knows it, which reads X-Forwarded-For only from proxies that it was told to trust. Of IPv6
    the network: whoever has one address of it has all of them."""
    host = request.client.host if request.client else ""
    try:
        known = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not isinstance(known, ipaddress.IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or ipaddress.ip_network((int(known), 64), strict=False))


def _form(request: Request, to: str, status: int = 200, *, name: str = "", sentence: str = "") -> Response:
    return pages.page(request, None, "sign_in.html", status, next=to, name=name[:64], sentence=sentence)


def _redirect(request: Request, to: str) -> Response:
    return RedirectResponse(to, 303, headers=dict(pages.headers(request)))
