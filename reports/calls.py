"""Every call of the API that asks: what its description says of it, beside the models it is read with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from reports import report_shapes
from reports.access import ANYBODY, READERS, SENDERS
from reports.events import EventsQuery
from reports.query import MessagesQuery, NoQuery
from reports.report import KINDS
from reports.reports_api import ReportQuery

MESSAGES, CHANGES, REPORTS, ITSELF = "Messages", "What changed", "Reports", "The API itself"
TAGS = {
    MESSAGES: "Queue a message, list messages, ask what became of one.",
    CHANGES: "Status updates and attempts after a cursor, each once, for jobs that poll.",
    REPORTS: "Figures of a period that add up, with how complete they are.",
    ITSELF: "",
}


@dataclass(frozen=True, slots=True)
class Call:
    """`answer` is a schema's name, '' is any JSON; `more`: problems by status, beside those of every call."""

    path: str
    name: str
    tag: str
    summary: str
    text: str
    query: type[BaseModel]
    answer: str
    example: str  # what follows the host in a curl command
    roles: frozenset[str] = READERS
    in_path: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    people: bool = False  # a sign-in opens it, too


_REPORTS = {
    "delivery": "How far messages came: each stands in exactly one place, so the funnel adds up.",
    "failures": "Messages that failed or were refused, by code, with what it means and how it compares.",
    "latency": "How long messages took from one step to the next, quantiles within 2 %.",
    "cost": "Delivered messages on the day they are charged on: our figure beside what Meta said.",
}
_WHEN = "Both days belong to the period; days are those of the installation's reporting zone."

CALLS = (
    Call(
        "/api/v1/messages",
        "listMessages",
        MESSAGES,
        "List messages",
        "Newest first, page by page: give `next` back unchanged as `cursor`, until it is null. A page before"
        " may be short, or empty, because each looks at so many messages and no more.",
        MessagesQuery,
        "Messages",
        "/api/v1/messages?status=failed&since=2026-11-22",
    ),
    Call(
        "/api/v1/messages/{id}",
        "getMessage",
        MESSAGES,
        "What became of one message",
        "With every status update and every attempt. Of several messages with one reference the newest.",
        NoQuery,
        "Message",
        "/api/v1/messages/order-77",
        roles=SENDERS,
        in_path={"id": "A wamid, message_id or reference, percent-encoded."},
        more={"404": "NotFound"},
    ),
    Call(
        "/api/v1/events",
        "listEvents",
        CHANGES,
        "What changed since a cursor",
        "Each event once, however many write at the same time. Keep `next` together with what you made of the"
        " events. A page may be empty while `more` is true: in between are events of other numbers.",
        EventsQuery,
        "Events",
        "/api/v1/events?limit=1000",
        more={"410": "Gone"},
    ),
    *(
        Call(
            f"/api/v1/reports/{kind}",
            f"get{report_shapes.name(kind)}",
            REPORTS,
            f"The {kind} report",
            f"{_REPORTS[kind]} {_WHEN}",
            ReportQuery,
            report_shapes.name(kind),
            f"/api/v1/reports/{kind}?since=2026-11-01&by=day,number",
        )
        for kind in KINDS
    ),
    Call(
        "/api/openapi.json",
        "getDescription",
        ITSELF,
        "This description",
        "OpenAPI 3.1. A token of any role opens it, and so does a sign-in.",
        NoQuery,
        "",
        "/api/openapi.json",
        roles=ANYBODY,
        people=True,
    ),
)
