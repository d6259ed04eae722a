"""What a person does about a message: cancel, settle, send again. Each is written into the audit log."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from store import audit, message_page, sends
from store.database import ReadTx, WriteTx
from store.message_page import Seen
from support import message_view, pages
from support.guard import DESK, guarded
from support.house import House, Refused
from support.viewer import Viewer

_PATH = "/messages/{address}"
LONGEST_NOTE = 1000


def routes(house: House) -> list[BaseRoute]:
    async def cancel(request: Request, viewer: Viewer) -> Response:
        def done(tx: WriteTx, seen: Seen) -> None:
            given = sends.cancel(tx, seen.message_id or "", house.clock(), keep_payload=house.keep_content)
            if not given:
                raise Refused("Only a queued message can be cancelled, and this one is not queued any more.")
            _record(house, tx, viewer, seen, "cancel")

        return await _do(house, request, viewer, done)

    async def settle(request: Request, viewer: Viewer) -> Response:
        form = await request.form()
        outcome, note = str(form.get("as", "")), _plain(form.get("note"))

        def done(tx: WriteTx, seen: Seen) -> None:
            _settle(house, tx, viewer, seen, outcome, note)

        return await _do(house, request, viewer, done)

    async def again(request: Request, viewer: Viewer) -> Response:
        return await _again(house, request, viewer)

    return [
        guarded(house, f"{_PATH}/cancel", cancel, methods=("POST",), roles=DESK),
        guarded(house, f"{_PATH}/settle", settle, methods=("POST",), roles=DESK),
        guarded(house, f"{_PATH}/again", again, methods=("GET", "POST"), roles=DESK),
    ]


def theirs(tx: ReadTx, address: str, viewer: Viewer) -> Seen | None:
    """The message of this address, if the person may see it; nobody can tell the two None apart."""
    seen = message_page.seen(tx, address)
    return seen if seen is not None and viewer.may_see(seen.number) else None


def possible(house: House, seen: Seen) -> dict[str, Any]:
    """Which actions the page offers."""
    state = (seen.story.send or {}).get("state")
    over = seen.story.status in ("failed", "refused")
    return {
        "cancel": state == "queued",
        "settle": state == "unknown" and seen.story.status == "unknown",
        "again": over and seen.not_again is None and house.send_again is not None,
        "not_again": seen.not_again if over and seen.story.send else None,
    }


async def _do(house: House, request: Request, viewer: Viewer, done: Any) -> Response:
    def work(tx: WriteTx) -> Seen | None:
        seen = theirs(tx, request.path_params["address"], viewer)
        if seen is not None:
            done(tx, seen)
        return seen

    seen = await pages.write(house, work)
    return pages.missing(request, viewer) if seen is None else _to(request, seen.address)


def _settle(house: House, tx: WriteTx, viewer: Viewer, seen: Seen, outcome: str, note: str) -> None:
    if outcome not in ("sent", "failed"):
        raise Refused("Choose what became of it: sent or failed.")
    if not note:
        raise Refused("Say how you know: go back and fill in the note.")
    given = sends.settle_by_person(
        tx,
        seen.message_id or "",
        sent=outcome == "sent",
        note=note,
        now=house.clock(),
        keep_payload=house.keep_content,
    )
    if not given:
        raise Refused("Only an unknown send can be settled, and this one is settled by now.")
    _record(house, tx, viewer, seen, "settle", f"{outcome}: {note}")


async def _again(house: House, request: Request, viewer: Viewer) -> Response:
    address = request.path_params["address"]
    seen = await pages.read(house, lambda tx: theirs(tx, address, viewer))
    if seen is None or seen.message_id is None:
        return pages.missing(request, viewer)
    if house.send_again is None:
        raise Refused("Nothing can be sent from this process.")
    if request.method != "POST":
        if seen.not_again is not None:
            raise Refused(seen.not_again)
        return pages.page(
            request, viewer, "send_again.html", **message_view.page(seen), number=seen.next_number
        )
    number = _counted((await request.form()).get("number"))

    def noted(tx: WriteTx, new: str) -> None:
        _record(house, tx, viewer, seen, "send_again", f"as {new}")

    return _to(request, await house.send_again(seen.message_id, number, noted))


def _counted(typed: object) -> int:
    words = str(typed)
    if words.isascii() and words.isdecimal() and 0 < len(words) < 6:
        return int(words)
    raise Refused("The form was not whole; open the message again.")


def _record(house: House, tx: WriteTx, viewer: Viewer, seen: Seen, action: str, reason: str = "") -> None:
    audit.record(
        tx,
        at=house.clock(),
        who=viewer.name,
        action=action,
        target=seen.address,
        reason=reason,
        number=seen.number or "",
    )


def _plain(typed: object) -> str:
    """PostgreSQL takes no NUL, and no half of a character pair."""
    words = str(typed) if isinstance(typed, str) else ""
    return words.replace("\0", "").encode(errors="replace").decode().strip()[:LONGEST_NOTE]


def _to(request: Request, address: str) -> Response:
    return RedirectResponse(f"/messages/{address}", 303, headers=dict(pages.headers(request)))
