"""How complete a report is and what it rests on, in sentences: below a table, and on the page."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from reports.report import Report
from store.times import rfc3339, spelled

STALE = 600.0  # seconds; a processor that runs looks for new sends far more often


def sentences(report: Report, now: float) -> list[str]:
    told = report.completeness
    if not told["worked_out"]:
        return [
            "No figures were worked out yet: the processor (wamtrail run processor, or run all) does that"
            " within minutes."
        ]
    found = [
        f"{words}: {told[name]:,}."
        for name, words in (
            ("still_moving", "Still moving"),
            ("unknown", "Outcome unknown"),
            ("unmatched", "Not sent from here"),
            ("late_for_sealed_days", "Changes that came after a day was closed, and are not counted"),
        )
        if told[name]
    ]
    if waiting := _waiting(told):
        found.append(f"Not counted yet: {', '.join(waiting)}.")
    if _unseen(report, now):
        seen = rfc3339(int(told["sends_seen_until"]))
        found.append(f"What was taken in after {seen} is not counted yet. Does the processor run?")
    if told["zone_changes"]:
        found.append(f"The days are still those of {report.zone}; they are being counted anew.")
    return found + _basis(report.asked.kind, told)


def _unseen(report: Report, now: float) -> bool:
    """Whether nobody has looked for a while for what was taken in in the period."""
    seen = report.completeness["sends_seen_until"]
    last = datetime.fromtimestamp(seen, ZoneInfo(report.zone)).date()
    return bool(now - seen > STALE and last <= report.asked.until)


def _waiting(told: dict[str, Any]) -> list[str]:
    found = [
        _several(told[name], one)
        for name, one in (
            ("webhooks_waiting", "webhook"),
            ("news_waiting", "transaction"),
            ("buckets_waiting", "day of a number"),
        )
        if told[name]
    ]
    if told["buckets_waiting"]:
        found.append(f"the oldest change {spelled(told['oldest_change_waiting_s'])} ago")
    return found


def _several(count: int, one: str) -> str:
    if count == 1:
        return f"1 {one}"
    first, blank, rest = one.partition(" ")
    return f"{count:,} {first}s{blank}{rest}"


def _basis(kind: str, told: dict[str, Any]) -> list[str]:
    if kind == "latency":
        return [f"Times are at most {told['relative_error'] * 100:.0f} % off."]
    if kind != "cost":
        return []
    if not told["account"]:
        return ["No amounts: there is no account. `wamtrail balance top-up` opens it."]
    if not told["rate_card"]:
        return ["No rates are known: `wamtrail rates import` brings a rate card."]
    return []
