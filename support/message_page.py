"""`/messages/{address}`: one message, its story as it grows, and the reveal of whom it went to."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from store import audit
from store.database import WriteTx
from store.message_page import Seen
from support import actions, message_view, pages, raw_body
from support.guard import DESK, guarded
from support.house import House, Refused
from support.viewer import Viewer

_PATH = "/messages/{address}"
SLOWEST = 60  # seconds between two questions of an open page
PATIENCE = 40  # questions; after them the page has to be loaded again
LONGEST_REASON = 500


def routes(house: House) -> list[BaseRoute]:
    async def show(request: Request, viewer: Viewer) -> Response:
        seen = await asked(house, request, viewer)
        return pages.missing(request, viewer) if seen is None else whole(house, request, viewer, seen)

    async def live(request: Request, viewer: Viewer) -> Response:
        seen = await asked(house, request, viewer)
        if seen is None:
            return pages.missing(request, viewer)
        return whole(house, request, viewer, seen, template="_message_live.html")

    async def reveal(request: Request, viewer: Viewer) -> Response:
        return await _reveal(house, request, viewer)

    return [
        guarded(house, _PATH, show, roles=DESK),
        guarded(house, f"{_PATH}/live", live, roles=DESK),
        guarded(house, f"{_PATH}/reveal", reveal, methods=("POST",), roles=DESK),
        *actions.routes(house),
        *raw_body.routes(house),
    ]


async def asked(house: House, request: Request, viewer: Viewer) -> Seen | None:
    """The message of the address, if this person may see it; nobody can tell the two None apart."""
    address = request.path_params["address"]
    return await pages.read(house, lambda tx: actions.theirs(tx, address, viewer))


def whole(
    house: House,
    request: Request,
    viewer: Viewer,
    seen: Seen,
    *,
    template: str = "message_page.html",
    revealed: bool = False,
) -> Response:
    turn = _number(request.query_params.get("turn", "0"))
    values = message_view.page(seen, revealed=revealed)
    was = request.query_params.get("was", values["stands"])
    return pages.page(
        request,
        viewer,
        template,
        **values,
        turn=turn + 1,
        live=not values["final"] and not revealed and turn < PATIENCE,
        delay=min(SLOWEST, round(2 * 1.2**turn)),
        changed=was != values["stands"],
        reveal_reason=house.reveal_reason,
        can=actions.possible(house, seen),
        may_see_bodies=raw_body.allowed(viewer),
    )


async def _reveal(house: House, request: Request, viewer: Viewer) -> Response:
    """Written down before it is shown. Answered at this address, which holds neither number nor wamid."""
    reason = str((await request.form()).get("reason", "")).replace("\0", "").strip()[:LONGEST_REASON]

    def revealed(tx: WriteTx) -> Seen | None:
        seen = actions.theirs(tx, request.path_params["address"], viewer)
        if seen is not None:
            if house.reveal_reason and not reason:
                raise Refused("Say why you reveal it: go back and fill in the reason.")
            audit.record(
                tx,
                at=house.clock(),
                who=viewer.name,
                action="reveal",
                target=seen.address,
                reason=reason,
                number=seen.number or "",
            )
        return seen

    seen = await pages.write(house, revealed)
    if seen is None:
        return pages.missing(request, viewer)
    return whole(house, request, viewer, seen, revealed=True)


def _number(typed: str) -> int:
    return min(int(typed), PATIENCE) if typed.isascii() and typed.isdecimal() and len(typed) < 5 else 0
