"""The front page: how webhooks and sending stand, what needs a person, what fails now, how today goes.

Every figure reads a bounded part of an index, so that the page is quick whatever the age of the installation.
"""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from store import health_figures, minutes, newest, numbers, work_lists
from store.database import ReadTx
from store.numbers import FOREVER, Standing
from support import guard, health_page, health_words, pages, work_pages, work_rows
from support.house import House
from support.viewer import REPORTER, Viewer
from whatsapp.masking import scrub

MOST_CODES = 8


def routes(house: House) -> list[BaseRoute]:
    async def front(request: Request, viewer: Viewer) -> Response:
        if viewer.role == REPORTER:
            return RedirectResponse("/reports", 303, headers=dict(pages.headers(request)))
        now = house.clock()
        found = await pages.read(house, lambda tx: looked_at(tx, viewer, now))
        return pages.page(request, viewer, "front.html", **found)

    return [guard.guarded(house, "/", front)]


def looked_at(tx: ReadTx, viewer: Viewer, now: float) -> dict[str, Any]:
    """All that the page shows."""
    failing = work_pages.failing_rows(tx, viewer, now, 1)
    return {
        "webhooks": _webhooks(tx, viewer, now),
        "sending": _sending(tx, viewer, now),
        "tally": work_rows.counts(tx, viewer, now),
        "failing": failing[:MOST_CODES],
        "failing_more": max(len(failing) - MOST_CODES, 0),
        "today": newest.newest(tx, viewer.numbers, _midnight(viewer, now)),
        "sample": newest.SAMPLE,
        "words": health_words,
    }


def _webhooks(tx: ReadTx, viewer: Viewer, now: float) -> dict[str, Any]:
    """Of the door, or for somebody limited to numbers: of these."""
    mine = viewer.numbers
    subjects = [one for one in health_figures.subjects(tx) if (one[1] in mine if mine else not one[1])]
    minute = int(now // 60)
    seen = minutes.between(tx, minute - 14, minute)
    own = [one for one in seen if (one.phone_number_id in mine if mine else not one.phone_number_id)]
    return {
        "last_good_at": max(health_figures.last_good(tx, subjects).values(), default=None),
        "rate": health_page.rate(own, now),
        "door": None if mine else health_page.the_door(tx, own, now),
    }


def _sending(tx: ReadTx, viewer: Viewer, now: float) -> dict[str, Any]:
    standing = [
        one
        for one in numbers.every(tx)
        if one.paused(now) and (one.phone_number_id == numbers.ACCOUNT or viewer.may_see(one.phone_number_id))
    ]
    return {
        "rate": health_figures.accepted_rate(tx, viewer.numbers, now),
        "outbox": work_lists.queued_count(tx, viewer.numbers),
        "held": [_hold(one, viewer) for one in standing],
    }


def _hold(one: Standing, viewer: Viewer) -> dict[str, Any]:
    """The reason of a hold on all numbers may speak of others': who has limits is told only that it holds."""
    if one.phone_number_id == numbers.ACCOUNT and viewer.numbers:
        return {"who": "all sending", "until": None, "reason": ""}
    return {
        "who": one.phone_number_id or "all numbers",
        "until": None if one.paused_until == FOREVER else one.paused_until,
        "reason": scrub(one.paused_reason or ""),
    }


def _midnight(viewer: Viewer, now: float) -> float:
    local = datetime.fromtimestamp(now, UTC).astimezone(viewer.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
