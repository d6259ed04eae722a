"""Who may send: the bearer of a token with the role sender or admin."""

from starlette.concurrency import run_in_threadpool

from store import tokens
from store.database import Database
from store.tokens import Bearer

PATIENCE = 10.0  # seconds that a statement, or a wait for a lock, may take of a request's time
SENDERS = frozenset({"sender", "admin"})


async def bearer_of(database: Database, token: str) -> Bearer | None:
    """Whom the token stands for, whatever the role. Raises DatabaseAway, TooSlow."""
    return await run_in_threadpool(_find, database, token.strip()) if token.strip() else None


def may_send(bearer: Bearer | None, phone_number_id: str | None = None) -> bool:
    """`phone_number_id` None: may it send at all?"""
    if bearer is None or bearer.role not in SENDERS:
        return False
    return phone_number_id is None or not bearer.numbers or phone_number_id in bearer.numbers


def _find(database: Database, token: str) -> Bearer | None:
    with database.read(patience=PATIENCE) as tx:
        return tokens.find(tx, token)
