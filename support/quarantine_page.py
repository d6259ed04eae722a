"""One part that could not be understood: looked at masked, and heard again by replaying its webhook."""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from store import audit, work_lists
from store.database import WriteTx
from support import guard, pages
from support.house import House
from support.viewer import Viewer
from whatsapp.masking import DOT, scrub

LONGEST = 20_000  # characters shown
_WORD = re.compile(r"[a-z][a-z_]{0,39}")  # Meta's vocabulary: sent, text, marketing_messages


def routes(house: House) -> list[BaseRoute]:
    async def part(request: Request, viewer: Viewer) -> Response:
        if not viewer.may_see(None):
            return pages.missing(request, viewer)
        key = request.path_params["key"]
        row = await pages.write(house, lambda tx: _looked_at(house, tx, viewer, key))
        if row is None:
            return pages.missing(request, viewer)
        shown = {
            **row,
            "reason": scrub(row["reason"]),
            "pointer": scrub(row["pointer"]),
            "part": masked(row["part"]),
        }
        return pages.page(request, viewer, "work_part.html", row=shown, can_replay=house.replay is not None)

    async def replay(request: Request, viewer: Viewer) -> Response:
        key = request.path_params["key"]
        row = await pages.read(house, lambda tx: work_lists.quarantined(tx, key))
        if row is None or house.replay is None or not viewer.may_see(None):
            return pages.missing(request, viewer)
        webhook_id = int(row["webhook_id"])
        said = partial(
            audit.record, at=house.clock(), who=viewer.name, action="replay", target=f"webhook {webhook_id}"
        )
        await pages.write(house, said)
        await run_in_threadpool(house.replay, webhook_id)
        return RedirectResponse(f"/work/quarantine/{key}", 303, headers=dict(pages.headers(request)))

    path = "/work/quarantine/{key}"
    return [
        guard.guarded(house, path, part, roles=guard.ADMINS),
        guard.guarded(house, f"{path}/replay", replay, methods=("POST",), roles=guard.ADMINS),
    ]


def _looked_at(house: House, tx: WriteTx, viewer: Viewer, key: str) -> Mapping[str, Any] | None:
    """The part, and a line in the audit log that it was looked at."""
    row = work_lists.quarantined(tx, key)
    if row is not None:
        target = f"quarantined part {row['key'][:16]} of webhook {row['webhook_id']}"
        audit.record(
            tx, at=house.clock(), who=viewer.name, action="view_body", target=target, reason="masked"
        )
    return row


def masked(part: str) -> str:
    """The part with its shape and Meta's own words; of every other text only its length. Pure."""
    try:
        value = json.loads(part)
    except (ValueError, RecursionError):
        return f"{DOT * 3} ({len(part)} characters that are not JSON)"
    try:
        return json.dumps(_masked(value), indent=2, ensure_ascii=False)[:LONGEST]
    except RecursionError:
        return f"{DOT * 3} ({len(part)} characters, nested too deeply to be shown)"


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {scrub(str(key))[:80]: _masked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    if isinstance(value, str):
        return value if not value or _WORD.fullmatch(value) else f"{DOT * 3} ({len(value)} characters)"
    if isinstance(value, bool) or value is None:
        return value
    return value if abs(value) < 1_000_000 else f"{DOT * 3} (a number)"
