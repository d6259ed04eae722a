"""What Meta reports besides messages: templates, quality, the account. For admins of all numbers.

The list and an event's page show one sentence of ours; its whole value is shown when asked for, and noted.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from store import account_events, audit
from store.account_events import Cursor, Event
from store.database import ReadTx, WriteTx
from support import pages
from support.guard import ADMINS, guarded
from support.house import House
from support.viewer import Viewer
from whatsapp.masking import scrub

PAGE = 50
LONGEST = 200_000  # characters of a value that a page shows
_PATH = "/account-events"


def routes(house: House) -> list[BaseRoute]:
    async def listed(request: Request, viewer: Viewer) -> Response:
        return await _listed(house, request, viewer)

    async def one(request: Request, viewer: Viewer) -> Response:
        return await _one(house, request, viewer)

    async def show(request: Request, viewer: Viewer) -> Response:
        return await _show(house, request, viewer)

    return [
        guarded(house, _PATH, listed, roles=ADMINS),
        guarded(house, f"{_PATH}/{{key}}", one, roles=ADMINS),
        guarded(house, f"{_PATH}/{{key}}/show", show, methods=("POST",), roles=ADMINS),
    ]


async def _listed(house: House, request: Request, viewer: Viewer) -> Response:
    if not viewer.may_see(None):
        return pages.missing(request, viewer)
    chosen = request.query_params.get("field", "").replace("\0", "")[:200]
    after = _cursor(request.query_params.get("after", ""))

    def read(tx: ReadTx) -> tuple[list[str], list[Event]]:
        known = account_events.fields(tx)
        return known, account_events.page(tx, [chosen] if chosen else known, PAGE + 1, after)

    known, found = await pages.read(house, read)
    last = found[PAGE - 1] if len(found) > PAGE else None
    return pages.page(
        request,
        viewer,
        "account_events.html",
        rows=[_row(house, event) for event in found[:PAGE]],
        fields=known,
        chosen=chosen,
        more=f"{last.received_at!r},{last.key}" if last else "",
        paged=after is not None,
    )


async def _one(house: House, request: Request, viewer: Viewer) -> Response:
    key = request.path_params["key"]
    found = await pages.read(house, lambda tx: account_events.one(tx, key)) if viewer.may_see(None) else None
    if found is None:
        return pages.missing(request, viewer)
    return _page(house, request, viewer, found)


async def _show(house: House, request: Request, viewer: Viewer) -> Response:
    whole = (await request.form()).get("whole") == "yes"
    key = request.path_params["key"]

    def look(tx: WriteTx) -> Event | None:
        found = account_events.one(tx, key) if viewer.may_see(None) else None
        if found is not None:
            audit.record(
                tx,
                at=house.clock(),
                who=viewer.name,
                action="view_body",
                target=f"account event {found.key}",
                reason="whole" if whole else "masked",
                number=_row(house, found)["number"],
            )
        return found

    found = await pages.write(house, look)
    if found is None:
        return pages.missing(request, viewer)
    return _page(house, request, viewer, found, body=_body(house, found, whole=whole), whole=whole)


def _page(
    house: House,
    request: Request,
    viewer: Viewer,
    event: Event,
    *,
    body: str | None = None,
    whole: bool = False,
) -> Response:
    row = _row(house, event)
    return pages.page(request, viewer, "account_event.html", row=row, body=body, whole=whole)


def _row(house: House, event: Event) -> dict[str, Any]:
    sentence, number = "Meta sent this.", ""
    if house.account_event is not None and event.value is not None:
        sentence, number = house.account_event(event.field, event.kind, event.value)
    return {
        "key": event.key,
        "field": scrub(event.field),
        "sentence": scrub(sentence),
        "number": number,
        "account": event.entry_id,
        "at": event.occurred_at,
        "arrived": event.received_at,
        "webhook_id": event.webhook_id,
        "length": event.length,
    }


def _body(house: House, event: Event, *, whole: bool) -> str:
    value = event.value or ""
    if not whole:
        masked = house.masked_body
        value = masked(value.encode()) if masked else "It cannot be masked here; ask for it whole."
    return value if len(value) <= LONGEST else f"{value[:LONGEST]}\n… {len(value) - LONGEST:,} more"


def _cursor(after: str) -> Cursor | None:
    """`time,key`; None when it is none."""
    at, _, key = after.partition(",")
    try:
        return Cursor(float(at), bytes.fromhex(key).hex()) if key else None
    except ValueError:
        return None
