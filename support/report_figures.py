"""What the page of reports shows, out of the answers of the reports: four charts and their tables. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from store.times import measured
from support import report_charts

Row = Mapping[str, Any]
Answer = Mapping[str, Any]  # {"rows": [...], "zone": ..., "sentences": [...]}
PERIODS = (7, 30, 90)  # days
FUNNEL = ("accepted", "sent", "delivered", "read")
# By where a message stands in the end; each excludes the others.
STANDING = (
    ("read", "series-good", ("read_only", "played")),
    ("delivered", "series-1", ("delivered_only",)),
    ("sent", "series-2", ("sent_only",)),
    ("waiting or unknown", "series-3", ("waiting", "unknown")),
    ("failed, refused or cancelled", "series-bad", ("failed", "refused", "cancelled")),
)
MOST_CODES = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart and its twin. `legend`: (name, class); cells are ready to be read."""

    title: str
    chart: Markup
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[tuple[str, str], ...] = ()


def period(asked: str, today: date) -> tuple[int, date, date]:
    """(days, first day, last day): a period that is offered, else the shortest."""
    days = int(asked) if asked.isascii() and asked.isdigit() and int(asked) in PERIODS else PERIODS[0]
    return days, today - timedelta(days=days - 1), today


def funnel(answer: Answer) -> Figure:
    sums = {name: sum(int(row[name] or 0) for row in answer["rows"]) for name in FUNNEL}
    bars = [(name, sums[name], f"{sums[name]:,}") for name in FUNNEL]
    first = sums["accepted"]
    rows = tuple((name, f"{sums[name]:,}", share(sums[name] / first if first else None)) for name in FUNNEL)
    label = "Funnel: " + ", ".join(f"{name} {told}" for name, _, told in bars)
    return Figure("Funnel", report_charts.lying(bars, label), ("Step", "Messages", "Of accepted"), rows)


def over_time(answer: Answer, since: date, until: date) -> Figure:
    by_day = {str(row["day"]): row for row in answer["rows"]}
    days = [(since + timedelta(days=at)).isoformat() for at in range((until - since).days + 1)]
    series = [
        (name, tone, [sum(int(by_day.get(day, {}).get(one) or 0) for one in parts) for day in days])
        for name, tone, parts in STANDING
    ]
    rows = tuple(
        (day, *(f"{counts[at]:,}" for _, _, counts in series)) for at, day in reversed(list(enumerate(days)))
    )
    chart = report_charts.stacked(days, series, f"Messages a day from {days[0]} to {days[-1]}, by status")
    legend = tuple((name, tone) for name, tone, _ in STANDING)
    return Figure("Statuses over time", chart, ("Day", *(name for name, _, _ in series)), rows, legend)


def failures(answer: Answer) -> Figure:
    rows: Sequence[Row] = sorted(answer["rows"], key=lambda row: -int(row["messages"] or 0))
    shown = rows[:MOST_CODES]
    bars = [(str(row["code"] or "no code"), int(row["messages"]), f"{row['messages']:,}") for row in shown]
    label = f"Failures by code, the {len(bars)} most frequent" if bars else "Failures: none"
    table = tuple(
        (
            str(row["code"] or "no code"),
            str(row["meaning"] or ""),
            str(row["owner"] or ""),
            f"{row['messages']:,}",
            share(row["share"]),
            f"{row['before'] or 0:,}",
        )
        for row in rows
    )
    head = ("Code", "Meaning", "Whose matter", "Messages", "Share", "In the days before")
    return Figure("Failures by code", report_charts.lying(bars, label, "series-bad"), head, table)


def latency(answer: Answer) -> Figure:
    rows: Sequence[Row] = answer["rows"]
    bars = [
        (f"{name} {str(row['step']).partition(' (')[0]}", float(row[key]), seconds(row[key]))
        for row in rows
        for key, name in (("p50", "half:"), ("p90", "90 %:"))
        if row[key] is not None
    ]
    table = tuple(
        (
            str(row["step"]),
            f"{row['messages']:,}",
            *(seconds(row[name]) for name in ("p50", "p90", "p99")),
            *(share(row[name]) for name in ("within_minute", "within_hour", "within_day")),
        )
        for row in rows
    )
    head = ("Step", "Messages", "Half within", "90 % within", "99 % within", "In 1 min", "In 1 h", "In 24 h")
    return Figure("How long it took", report_charts.lying(bars, "Latency by step", "series-1"), head, table)


def caveats(answers: Sequence[Answer]) -> list[str]:
    """What may still change the figures, each sentence once."""
    return list(dict.fromkeys(sentence for answer in answers for sentence in answer["sentences"]))


def share(value: float | None) -> str:
    return "" if value is None else f"{value * 100:.1f} %"


def seconds(value: float | None) -> str:
    return "" if value is None else measured(value)
