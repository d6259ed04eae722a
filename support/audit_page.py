"""The audit log, for admins: who looked at what and changed what. Nothing here can change it."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from store import audit
from store.database import ReadTx
from support import pages
from support.guard import ADMINS, guarded
from support.house import House
from support.viewer import Viewer

ROWS = 100


def routes(house: House) -> list[BaseRoute]:
    async def show(request: Request, viewer: Viewer) -> Response:
        if viewer.numbers:  # the log speaks of every number
            return pages.missing(request, viewer)
        asked = {name: _plain(request.query_params.get(name, "")) for name in ("who", "action")}
        before = request.query_params.get("before", "")

        def read(tx: ReadTx) -> tuple[list[audit.Entry], list[str]]:
            at = int(before) if before.isdecimal() and len(before) < 19 else None
            rows = audit.listed(tx, who=asked["who"], action=asked["action"], before=at, limit=ROWS + 1)
            return list(rows), audit.actions(tx)

        rows, actions = await pages.read(house, read)
        more = (
            urlencode({**{k: v for k, v in asked.items() if v}, "before": rows[ROWS - 1].id})
            if len(rows) > ROWS
            else ""
        )
        return pages.page(
            request,
            viewer,
            "audit.html",
            rows=rows[:ROWS],
            actions=actions,
            asked=asked,
            more=more,
            paged=bool(before),
        )

    return [guarded(house, "/audit", show, roles=ADMINS)]


def _plain(value: str) -> str:
    """PostgreSQL takes no NUL."""
    return value.replace("\0", "").strip()[:200]
