"""Who asks: the bearer of a token, with a role that may read, who has not asked too often."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from reports.problems import Problem
from reports.throttle import throttled_by
from store import tokens
from store.database import Database
from store.tokens import ROLES, Bearer

PATIENCE = 10.0  # seconds that a statement for an answer may take
READERS = frozenset({"reporter", "support", "admin"})
SENDERS = READERS | {"sender"}  # whoever sent a message may ask what became of it
ANYBODY = frozenset(ROLES)
_CHALLENGE = 'Bearer realm="wamtrail"'


async def reader(database: Database, request: Request, roles: frozenset[str] = READERS) -> Bearer:
    """The bearer of the request's token, of one of these roles. Raises Problem 401, 403 or 429."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorised("Send a token: Authorization: Bearer wt_…", _CHALLENGE)
    bearer = await run_in_threadpool(_find, database, token.strip())
    if bearer is None:
        raise _unauthorised(
            "This token is not known here, or it was revoked; ask an administrator for another.",
            f'{_CHALLENGE}, error="invalid_token"',
        )
    if (throttle := throttled_by(request)) is not None:
        throttle.count(request, bearer.token_id)
    if bearer.role not in roles:
        raise Problem(
            403, "Forbidden", f"A {bearer.role} token may not read messages; ask for a reporter token."
        )
    return bearer


async def has_token(database: Database, request: Request) -> bool:
    """Whether a token that works came along, of any role: for what tells no data."""
    try:
        await reader(database, request, ANYBODY)
    except Problem:
        return False
    return True


def _find(database: Database, token: str) -> Bearer | None:
    with database.read(patience=PATIENCE) as tx:
        return tokens.find(tx, token)


def _unauthorised(detail: str, challenge: str) -> Problem:
    return Problem(401, "Unauthorized", detail, headers={"WWW-Authenticate": challenge})
