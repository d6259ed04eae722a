"""The work lists, one page each: what needs a person, what it means, what to do."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from store import failing
from store.database import ReadTx
from store.failing import Failing
from support import charts, guard, pages, quarantine_page, work_rows
from support.house import House
from support.viewer import Viewer
from support.work_words import AGAIN, AGE_WORDS, AGES, LISTS, STATES, TOO_LONG, List
from whatsapp.catalogue import catalogue

HOURS = {"1": 1, "6": 6, "24": 24}


def routes(house: House) -> list[BaseRoute]:
    async def listed(request: Request, viewer: Viewer) -> Response:
        one = LISTS.get(request.path_params["name"])
        if one is None or not one.open_to(viewer):
            return pages.missing(request, viewer)
        now, after = house.clock(), request.query_params.get("after", "")[:120]
        if one.name == "failures":
            return await failures(request, viewer, one, now)
        if one.name == "suppressed":
            found, more = await pages.read(house, lambda tx: work_rows.suppressed(tx, after))
            return _shown(request, viewer, one, "work_suppressed.html", found, more)
        if one.name == "quarantine":
            found, more = await pages.read(house, lambda tx: work_rows.quarantine(tx, after))
            return _shown(request, viewer, one, "work_quarantine.html", found, more)
        age = request.query_params.get("older", TOO_LONG)
        age = age if age in AGES else TOO_LONG
        until = work_rows.until(one.name, age, now)
        rows, more = await pages.read(house, lambda tx: work_rows.rows(tx, viewer, one.name, until, after))
        return _shown(request, viewer, one, "work_list.html", rows, more, age=age)

    async def failures(request: Request, viewer: Viewer, one: List, now: float) -> Response:
        hours = HOURS.get(request.query_params.get("hours", ""), 1)
        rows = await pages.read(house, lambda tx: failing_rows(tx, viewer, now, hours))
        return _shown(request, viewer, one, "work_failures.html", rows, "", hours=hours, choices=HOURS)

    return [
        *quarantine_page.routes(house),
        guard.guarded(house, "/work/{name}", listed, roles=guard.DESK),
    ]


def failing_rows(tx: ReadTx, viewer: Viewer, now: float, hours: int) -> list[dict[str, Any]]:
    """Codes that failed lately, with what each means."""
    return [_code(one, hours) for one in failing.failing(tx, viewer.numbers, now - hours * 3600.0, now)]


def _code(one: Failing, hours: int) -> dict[str, Any]:
    entry = catalogue().lookup(one.code)
    span = f"the last {'hour' if hours == 1 else f'{hours} hours'}"
    return {
        "code": one.code,
        "count": f"{one.count}+" if one.more else str(one.count),
        "entry": entry,
        "again": AGAIN[entry.retryable],
        "chart": charts.sparkline(one.course, f"Course over {span}: {' '.join(map(str, one.course))}"),
    }


def _shown(
    request: Request, viewer: Viewer, one: List, template: str, rows: Any, more: str, **values: Any
) -> Response:
    given = {"age": "", "ages": AGE_WORDS, "states": STATES, **values}
    return pages.page(request, viewer, template, list=one, rows=rows, more=more, **given)
