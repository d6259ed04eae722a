"""The health of the webhooks: what came last, how fast we answered, what was rejected, who is silent.

Somebody limited to some numbers sees what was heard of these; what the door saw belongs to no number.
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from store import backlog, health_figures, minutes
from store.backlog import Depth
from store.database import ReadTx
from store.health_figures import Answers, Lag
from store.minutes import Seen
from support import charts, guard, health_words, pages
from support.house import House
from support.viewer import Viewer

WIDTH = 10  # minutes of a bar
DAY = 1440  # minutes


@dataclass(frozen=True, slots=True)
class Door:
    """What the door saw: the last hour summed up, and the last day by steps."""

    rate: float  # webhooks a second over the last five whole minutes
    answers: Answers
    refused: dict[str, int]
    backlog: Depth
    lag: Lag | None


def routes(house: House) -> list[BaseRoute]:
    async def health(request: Request, viewer: Viewer) -> Response:
        now = house.clock()
        found = await pages.read(house, lambda tx: looked_at(tx, viewer.numbers, now))
        return pages.page(request, viewer, "health.html", **found)

    return [guard.guarded(house, "/health/webhooks", health, roles=guard.DESK)]


def looked_at(tx: ReadTx, numbers: tuple[str, ...], now: float) -> dict[str, Any]:
    """All that the page shows."""
    minute = int(now // 60)
    mine = [one for one in health_figures.subjects(tx) if not numbers or one[1] in numbers]
    heard = health_figures.last_good(tx, mine)
    seen = minutes.between(tx, minute - 59, minute)
    by_number = heard_of(heard)
    silent = health_figures.silent(tx, numbers, by_number, now)
    door = None if numbers else the_door(tx, seen, now)
    course = _course(tx, numbers, minute)
    return {
        "door": door,
        "subjects": [_subject(one, heard, seen, now) for one in sorted(mine)],
        "silent": silent,
        "troubles": health_words.troubles(door, silent, max(heard.values(), default=None), now),
        "chart": charts.bars([count for _, count in course], "Webhooks of the last 24 hours, per 10 minutes"),
        "course": [(at, count) for at, count in course if count],
        "words": health_words,
    }


def the_door(tx: ReadTx, seen: list[Seen] | Any, now: float) -> Door:
    doors = [one for one in seen if not one.phone_number_id]
    return Door(
        rate(doors, now),
        health_figures.answers(doors),
        health_figures.refused(doors),
        backlog.depth(tx),
        health_figures.lag(tx),
    )


def rate(seen: Any, now: float, whole: int = 5) -> float:
    """Webhooks a second over the last whole minutes: the running one has not been counted to its end."""
    minute = int(now // 60)
    heard: int = sum(one.webhooks for one in seen if minute - whole <= one.minute < minute)
    return heard / (whole * 60)


def heard_of(heard: dict[tuple[str, str], float]) -> dict[str, float]:
    """phone_number_id -> when a webhook spoke of it last, at whichever endpoint."""
    found: dict[str, float] = {}
    for (_endpoint, number), at in heard.items():
        if number:
            found[number] = max(found.get(number, 0.0), at)
    return found


def _subject(
    one: tuple[str, str], heard: dict[tuple[str, str], float], seen: Any, now: float
) -> dict[str, Any]:
    endpoint, number = one
    own = [each for each in seen if (each.endpoint, each.phone_number_id) == one]
    return {
        "endpoint": f"/webhooks/whatsapp{'/' if endpoint else ''}{endpoint}",
        "number": number,
        "last_good_at": heard.get(one),
        "rate": rate(own, now),
        "hour": sum(each.webhooks for each in own),
        "answers": health_figures.answers(own) if not number else None,
        "refused": sum(health_figures.refused(own).values()),
    }


def _course(tx: ReadTx, numbers: tuple[str, ...], minute: int) -> list[tuple[float, int]]:
    """(when a step begins, webhooks) over the last day, the oldest first."""
    first = (minute // WIDTH + 1) * WIDTH - DAY
    steps = [0] * (DAY // WIDTH)
    for number in numbers or ("",):
        for step, count in health_figures.course(tx, first, minute, WIDTH, number).items():
            steps[min(step, len(steps) - 1)] += count
    return [((first + place * WIDTH) * 60.0, count) for place, count in enumerate(steps)]
