"""The reports' answers for the API's description, out of the columns that the reports really have."""

from typing import Any

from reports import cost, delivery, failures, grouping, latency
from reports.report import DIMENSIONS, KINDS, Column

_COLUMNS = {
    "delivery": delivery.COLUMNS,
    "failures": failures.COLUMNS,
    "latency": latency.COLUMNS,
    "cost": cost.COLUMNS,
}
_DAY = {"type": "string", "format": "date"}
_VALUES: dict[str, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "count": {"type": ["integer", "null"], "minimum": 0},
    "share": {"type": ["number", "null"]},
    "seconds": {"type": ["number", "null"]},
    "money": {"type": ["string", "null"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    "time": {"type": ["number", "null"], "description": "Unix seconds"},
    "date": {"type": ["string", "null"], "format": "date"},
}
_COLUMN = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "kind": {"enum": list(_VALUES)},
        "title": {"type": "string"},
    },
    "required": ["name", "kind", "title"],
    "additionalProperties": False,
}
_COMPLETE: dict[str, tuple[dict[str, Any], str]] = {
    "worked_out": ({"type": "boolean"}, "Whether figures were worked out at all yet."),
    "still_moving": ({"type": "integer"}, "Messages that may still change."),
    "unknown": ({"type": "integer"}, "Sends whose outcome is not known."),
    "unmatched": ({"type": "integer"}, "Messages that were not sent by us."),
    "webhooks_waiting": ({"type": "integer"}, "Webhooks that are not processed yet."),
    "news_waiting": ({"type": "integer"}, "Transactions that the figures do not know yet."),
    "buckets_waiting": ({"type": "integer"}, "Days whose figures are to be worked out anew."),
    "oldest_change_waiting_s": ({"type": "number"}, "How long the oldest of them has waited."),
    "late_for_sealed_days": ({"type": "integer"}, "Updates that came for days that are closed."),
    "sends_seen_until": ({"type": ["number", "null"]}, "Unix seconds."),
    "zone_changes": ({"type": "boolean"}, "Whether days are being counted in a new zone just now."),
}
_BASIS: dict[str, dict[str, tuple[dict[str, Any], str]]] = {
    "latency": {"relative_error": ({"type": "number"}, "By how much a quantile is off at most.")},
    "cost": {
        "account": ({"type": "boolean"}, "Whether an account is kept, so that there are amounts."),
        "rate_card": ({"type": "boolean"}, "Whether any rates are known."),
    },
}


def schemas() -> dict[str, Any]:
    """`DeliveryReport` and so on, by name."""
    return {name(kind): _report(kind) for kind in KINDS}


def name(kind: str) -> str:
    return f"{kind.title()}Report"


def _report(kind: str) -> dict[str, Any]:
    return _object(
        f"The {kind} report of a period.",
        {
            "report": {"const": kind},
            "since": _DAY,
            "until": _DAY,
            "by": {"type": "array", "items": {"enum": list(DIMENSIONS)}},
            "zone": {"type": "string", "description": "The time zone whose days are counted."},
            "columns": {"type": "array", "items": _COLUMN, "description": "In order, those of `by` first."},
            "rows": {"type": "array", "items": _row(_COLUMNS[kind])},
            "completeness": _completeness(kind),
        },
    )


def _row(columns: tuple[Column, ...]) -> dict[str, Any]:
    """Groups' columns stand only where they were asked for."""
    groups = {
        one: {**_VALUES["date" if one == "day" else "text"], "description": grouping.TITLES[one]}
        for one in DIMENSIONS
    }
    own = {one.name: {"description": one.title, **_VALUES[one.kind]} for one in columns}
    return {**_object("", {**groups, **own}), "required": list(own)}


def _completeness(kind: str) -> dict[str, Any]:
    keys = {**_COMPLETE, **_BASIS.get(kind, {})}
    known = {name: {**schema, "description": text} for name, (schema, text) in keys.items()}
    return _object("What may still change the figures, and what they rest on.", known)


def _object(text: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        **({"description": text} if text else {}),
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
