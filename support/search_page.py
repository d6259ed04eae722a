"""The search: what is typed into the box is POSTed; a number or wamid never gets into the address bar."""

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from store import audit, group_rows, search_cursor, searches, strangers
from store.database import ReadTx, WriteTx
from support import pages
from support.guard import DESK, guarded
from support.house import House
from support.search_answer import NAMES, PAGE, Answer, answer
from support.search_grammar import EXAMPLES, LONGEST, Asked, Wrong, names_a_person, read
from support.viewer import Viewer

_OVER = "A search by number is kept for a day, for whoever made it. Search again."
_NOT_HERE = (
    "A number or wamid does not belong in an address, where it would be logged. Press Search to look for it."
)


def routes(house: House) -> list[BaseRoute]:
    """`/search` and `/search/{search_id}`."""

    async def asked(request: Request, viewer: Viewer) -> Response:
        query = _typed((await request.form()).get("q"))
        person = names_a_person(query[: 2 * LONGEST])
        try:
            wanted = read(query, house.clock(), viewer.zone)
        except Wrong as wrong:
            shared = not person and len(query) <= LONGEST
            return (
                _to(f"/search?q={quote(query)}")
                if shared
                else _sentence(request, viewer, query[:LONGEST], str(wrong))
            )
        if wanted.empty:
            return _to("/search")
        found = await pages.read(house, lambda tx: _answer(tx, house, wanted, viewer))
        search_id = secrets.token_urlsafe(16) if person else None
        if person or found.recipient:
            await pages.write(house, partial(_kept, search_id, viewer, query, found.recipient, house.clock()))
        rows = found.found.rows
        if len(rows) == 1 and found.found.older is None and not wanted.terms:
            return _to(f"/messages/{_address(rows[0])}")
        return _to(f"/search/{search_id}" if person else f"/search?q={quote(query)}")

    async def shared(request: Request, viewer: Viewer) -> Response:
        query = _typed(request.query_params.get("q"))
        if names_a_person(query[: 2 * LONGEST]):
            return _sentence(request, viewer, query[:LONGEST], _NOT_HERE)
        return await _listed(house, request, viewer, query, f"/search?q={quote(query)}&")

    async def kept(request: Request, viewer: Viewer) -> Response:
        search_id = request.path_params["search_id"]
        find = partial(searches.find, search_id=search_id, user_id=viewer.user_id, now=house.clock())
        query = None if "\x00" in search_id else await pages.read(house, find)
        if query is None:
            return pages.refused(request, viewer, 404, "This search is over", _OVER)
        return await _listed(house, request, viewer, query, f"/search/{search_id}?")

    return [
        guarded(house, "/search", asked, methods=("POST",), roles=DESK),
        guarded(house, "/search", shared, roles=DESK),
        guarded(house, "/search/{search_id}", kept, roles=DESK),
    ]


def _typed(value: object) -> str:
    """As it was pasted; a NUL may stand in no page."""
    return str(value or "").replace("\x00", "\N{REPLACEMENT CHARACTER}").strip()


def _kept(
    search_id: str | None, viewer: Viewer, query: str, recipient: str | None, now: float, tx: WriteTx
) -> None:
    if recipient:
        audit.record(tx, at=now, who=viewer.name, action="search_number", target=recipient)
    if search_id:
        searches.keep(tx, search_id, viewer.user_id, query, now)


def _answer(tx: ReadTx, house: House, wanted: Asked, viewer: Viewer, before: str = "") -> Answer:
    return answer(
        tx, wanted, viewer, house.default_country, search_cursor.read(tx, before) if before else None
    )


async def _listed(house: House, request: Request, viewer: Viewer, query: str, here: str) -> Response:
    """The page of results; `here`: its address, to be continued with `before=`."""
    try:
        wanted = read(query, house.clock(), viewer.zone)
    except Wrong as wrong:
        return _sentence(request, viewer, query[:LONGEST], str(wrong))
    if wanted.empty:
        return _page(request, viewer, query)
    before = request.query_params.get("before", "")

    def work(tx: ReadTx) -> tuple[Answer, group_rows.Conflicts]:
        found = _answer(tx, house, wanted, viewer, before)
        return found, group_rows.conflicts(tx, found.found.rows)

    found, conflicts = await pages.read(house, work)
    older = found.found.older
    return _page(
        request,
        viewer,
        query,
        rows=[_line(row, conflicts) for row in found.found.rows],
        taken=NAMES.get(found.taken or "", ""),
        also=[NAMES[kind] for kind in found.also],
        also_terms=[f"{kind}:" for kind in found.also],
        tried=[NAMES[kind] for kind in found.tried],
        terms=_spoken(wanted),
        searched_to=found.found.searched_to,
        newest=here.rstrip("?&") if before else "",
        older=f"{here}before={quote(search_cursor.written(older, found.found.older_message_id))}"
        if older
        else "",
    )


def _page(request: Request, viewer: Viewer, query: str, status: int = 200, **values: Any) -> Response:
    empty: dict[str, Any] = {
        "rows": None,
        "sentence": "",
        "taken": "",
        "also": [],
        "also_terms": [],
        "tried": [],
        "terms": [],
        "searched_to": None,
        "newest": "",
        "older": "",
    }
    given = {**empty, "query": query, "examples": EXAMPLES, "most": PAGE, **values}
    return pages.page(request, viewer, "search.html", status, **given)


def _sentence(request: Request, viewer: Viewer, query: str, sentence: str) -> Response:
    return _page(request, viewer, query, 400, sentence=sentence)


def _spoken(wanted: Asked) -> list[str]:
    return [f"{name}:{'…' if name == 'to' else value}" for name, value in wanted.terms.items()]


def _to(address: str) -> Response:
    return RedirectResponse(address, 303, headers=dict(pages.HEADERS))


def _address(row: Mapping[str, Any]) -> str:
    return str(row["message_id"] or strangers.address(row["message_wamid"]))


def _line(row: Mapping[str, Any], conflicts: group_rows.Conflicts) -> dict[str, Any]:
    word = "conflict" if row["message_wamid"] in conflicts else str(row["status"])
    return {
        "address": _address(row),
        "word": word,
        "to": row["recipient"] or row["recipient_user_id"] or "",
        "from": row["phone_number_id"] or "",
        "kind": row["template"] or row["type"] or "",
        "reference": row["reference"] or "",
        "at": row["at"],
    }
