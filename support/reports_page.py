"""The page of reports: a period, the funnel, statuses over time, failures by code and how long it took.

The figures come through the house, because pages may not know the room that works them out; they hold only
the numbers that the viewer may see.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from support import guard, pages, report_figures
from support.house import House
from support.viewer import Viewer


def routes(house: House) -> list[BaseRoute]:
    async def reports(request: Request, viewer: Viewer) -> Response:
        if house.report is None:
            return pages.missing(request, viewer)
        today = datetime.fromtimestamp(house.clock(), UTC).astimezone(ZoneInfo(house.zone)).date()
        days, since, until = report_figures.period(request.query_params.get("days", ""), today)
        found = await run_in_threadpool(_asked, house, viewer.numbers, since, until)
        return pages.page(request, viewer, "reports.html", days=days, periods=report_figures.PERIODS, **found)

    return [guard.guarded(house, "/reports", reports)]


def _asked(house: House, numbers: tuple[str, ...], since: date, until: date) -> Mapping[str, Any]:
    assert house.report is not None
    daily = house.report("delivery", since, until, ("day",), numbers)
    failed = house.report("failures", since, until, (), numbers)
    took = house.report("latency", since, until, (), numbers)
    return {
        "since": since,
        "until": until,
        "zone": daily["zone"],
        "caveats": report_figures.caveats((daily, failed, took)),
        "empty": not daily["rows"],
        "figures": [
            report_figures.funnel(daily),
            report_figures.over_time(daily, since, until),
            report_figures.failures(failed),
            report_figures.latency(took),
        ],
    }
