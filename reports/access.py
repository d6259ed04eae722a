"""Who asks: the bearer of a token, with a role that may read."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from reports.problems import Problem
from store import tokens
from store.database import Database
from store.tokens import Bearer

READERS = frozenset({"reporter", "support", "admin"})
SENDERS = READERS | {"sender"}  # whoever sent a message may ask what became of it
_CHALLENGE = 'Bearer realm="wamtrail"'


async def reader(database: Database, request: Request, roles: frozenset[str] = READERS) -> Bearer:
    """The bearer of the request's token, of one of these roles. Raises Problem 401 or 403."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorised("Send a token: Authorization: Bearer wt_…", _CHALLENGE)
    bearer = await run_in_threadpool(_find, database, token.strip())
    if bearer is None:
        raise _unauthorised(
            "This token is not known here, or it was revoked; ask an administrator for another.",
            f'{_CHALLENGE}, error="invalid_token"',
        )
    if bearer.role not in roles:
        raise Problem(
            403, "Forbidden", f"A {bearer.role} token may not read messages; ask for a reporter token."
        )
    return bearer


def _find(database: Database, token: str) -> Bearer | None:
    with database.read() as tx:
        return tokens.find(tx, token)


def _unauthorised(detail: str, challenge: str) -> Problem:
    return Problem(401, "Unauthorized", detail, headers={"WWW-Authenticate": challenge})
