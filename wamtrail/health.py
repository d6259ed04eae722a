"""/healthz (it runs), /readyz (it can do its work), /metrics: the same three for every process."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from store import backlog
from store.database import Database
from store.errors import StoreError

if TYPE_CHECKING:
    from wamtrail.parts import Parts

LAG_LIMIT = 60.0  # seconds that the oldest kept webhook may wait for its processor

Check = Callable[[], str | None]  # what is wrong, or None


def routes(parts: "Parts") -> list[Route]:
    async def alive(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> Response:
        for check in parts.ready:
            trouble = await asyncio.to_thread(check)
            if trouble is not None:
                return PlainTextResponse(f"{trouble}\n", 503)
        return PlainTextResponse("ready\n")

    async def metrics(_request: Request) -> Response:
        content = await asyncio.to_thread(_measured, parts)
        return Response(content, media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]


def _measured(parts: "Parts") -> bytes:
    """The registry, after asking the database for what only it knows; without it when it is away."""
    if parts.measures:
        with contextlib.suppress(StoreError), parts.database.read() as tx:
            for measure in parts.measures:
                measure(tx)
    return generate_latest(parts.registry)


def can_commit(database: Database) -> Check:
    """A receiver is ready when it can commit, nothing else."""

    def check() -> str | None:
        try:
            with database.write() as tx:
                tx.run(
                    text(
                        "INSERT INTO installation (name, value) VALUES ('last_commit_check', '1')"
                        " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
                    )
                )
        except StoreError as problem:
            return str(problem)
        return None

    return check


def lag_is_low(database: Database, clock: Callable[[], float]) -> Check:
    def check() -> str | None:
        try:
            with database.read() as tx:
                oldest = backlog.depth(tx, most=1).oldest_received_at
        except StoreError as problem:
            return str(problem)
        lag = 0.0 if oldest is None else clock() - oldest
        return (
            f"The oldest kept webhook waits for {lag:.0f} s; the limit is {LAG_LIMIT:.0f} s."
            if lag > LAG_LIMIT
            else None
        )

    return check
