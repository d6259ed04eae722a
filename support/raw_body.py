"""The webhooks that spoke of a message, as they came: for admins, masked at first, each look written down.

A body speaks of more than one message, so only who may see every number sees one.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from store import audit, kept, message_page
from store.database import ReadTx, WriteTx
from store.webhooks import Kept
from support import actions, pages
from support.guard import ADMINS, guarded
from support.house import House, Refused
from support.viewer import Viewer

LONGEST = 200_000  # characters that a page shows
_PATH = "/messages/{address}/bodies"


def routes(house: House) -> list[BaseRoute]:
    async def listed(request: Request, viewer: Viewer) -> Response:
        address = request.path_params["address"]

        def read(tx: ReadTx) -> list[int] | None:
            seen = actions.theirs(tx, address, viewer) if allowed(viewer) else None
            return None if seen is None else message_page.webhooks_of(tx, seen.story)

        ids = await pages.read(house, read)
        if ids is None:
            return pages.missing(request, viewer)
        return pages.page(
            request, viewer, "raw_body.html", address=address, ids=ids, body=None, chosen=None, whole=False
        )

    async def one(request: Request, viewer: Viewer) -> Response:
        return await _one(house, request, viewer)

    return [
        guarded(house, _PATH, listed, roles=ADMINS),
        guarded(house, f"{_PATH}/show", one, methods=("POST",), roles=ADMINS),
    ]


def allowed(viewer: Viewer) -> bool:
    return viewer.admin and not viewer.numbers


async def _one(house: House, request: Request, viewer: Viewer) -> Response:
    form = await request.form()
    typed, whole = str(form.get("webhook", "")), form.get("whole") == "yes"
    address = request.path_params["address"]

    def look(tx: WriteTx) -> tuple[list[int], Kept] | None:
        seen = actions.theirs(tx, address, viewer) if allowed(viewer) else None
        ids = message_page.webhooks_of(tx, seen.story) if seen else []
        if seen is None or typed not in map(str, ids):
            return None
        found = kept.one(tx, int(typed))
        if found is None:
            raise Refused("This webhook's body is not kept any more.")
        audit.record(
            tx,
            at=house.clock(),
            who=viewer.name,
            action="view_body",
            target=f"webhook {typed} of {seen.address}",
            reason="whole" if whole else "masked",
            number=seen.number or "",
        )
        return ids, found[1]

    found = await pages.write(house, look)
    if found is None:
        return pages.missing(request, viewer)
    ids, body = found
    return pages.page(
        request,
        viewer,
        "raw_body.html",
        address=address,
        ids=ids,
        chosen=int(typed),
        whole=whole,
        body=_shown(house, body.body, whole=whole),
    )


def _shown(house: House, body: bytes, *, whole: bool) -> str:
    if whole:
        words = body.decode(errors="replace")
    elif house.masked_body is None:
        words = "It cannot be masked here; ask for it whole."
    else:
        words = house.masked_body(body)
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}\n… {len(words) - LONGEST:,} more"
