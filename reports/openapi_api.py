"""GET /api/openapi.json: for a token of any role, or a person who is signed in."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from reports.access import ANYBODY, reader
from reports.query import NoQuery, read
from store.database import Database


def routes(
    database: Database,
    document: Callable[[], dict[str, Any]],
    signed_in: Callable[[Request], Awaitable[bool]] | None = None,
) -> list[BaseRoute]:
    """Relative to /api. `document` is made when it is first asked for."""
    made: list[bytes] = []

    async def description(request: Request) -> Response:
        token = request.headers.get("authorization") is not None
        if token or signed_in is None or not await signed_in(request):
            await reader(database, request, ANYBODY)
        read(request.query_params, NoQuery)
        if not made:
            made.append(json.dumps(document(), ensure_ascii=False).encode())
        headers = {"Vary": "Authorization, Cookie"}
        return Response(made[0], media_type="application/json", headers=headers)

    return [Route("/openapi.json", description)]
