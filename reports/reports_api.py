"""GET /api/v1/reports/delivery|failures|latency|cost: the reports as JSON."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from reports import answers, tables_out
from reports.access import PATIENCE, reader
from reports.query import read, refused
from reports.report import DIMENSIONS, KINDS, Asked, NotAsked, first_day
from reports.values import EARLIEST, Day
from store.database import Database


def _groups(value: Any) -> Any:
    return tuple(value.split(",")) if isinstance(value, str) else value


Groups = Annotated[
    tuple[str, ...],
    BeforeValidator(_groups),
    WithJsonSchema(
        {"type": "array", "items": {"enum": list(DIMENSIONS)}, "minItems": 1, "uniqueItems": True}
    ),
]


class ReportQuery(BaseModel):
    """Parameters of a report. Both days belong to the period, in the installation's reporting zone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: Day | None = Field(None, description="First day; 30 days up to `until` when left out.")
    until: Day | None = Field(None, description="Last day; today when left out.")
    by: Groups = Field((), description="What to group by, with commas between.")


def routes(database: Database, zone: ZoneInfo, clock: Callable[[], float]) -> list[BaseRoute]:
    async def report(kind: str, request: Request) -> Response:
        bearer = await reader(database, request)
        query = read(request.query_params, ReportQuery)
        now = clock()
        until = query.until or datetime.fromtimestamp(now, zone).date()
        since = query.since or max(EARLIEST, first_day(until))
        asked = Asked(kind, since, until, query.by, bearer.numbers)
        try:
            answer = await run_in_threadpool(_answer, database, asked, zone, now)
        except NotAsked as problem:
            raise refused([(problem.where, str(problem))]) from None
        return JSONResponse(answer)

    return [Route(f"/v1/reports/{kind}", partial(report, kind)) for kind in KINDS]


def _answer(database: Database, asked: Asked, zone: ZoneInfo, now: float) -> dict[str, Any]:
    with database.read(patience=PATIENCE) as tx:
        return tables_out.as_json(answers.answer(tx, asked, zone, now))
