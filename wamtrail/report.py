"""`wamtrail report`: what became of the messages of a period, as a table or a file."""

import sys
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from wamtrail.saying import cell, fail
from wamtrail.settings import load

if TYPE_CHECKING:
    from reports.report import Column, Report

app = typer.Typer(help="Figures of a period, from what was worked out before.", no_args_is_help=True)

FORMATS = ("table", "csv", "json", "xlsx", "parquet")
_BINARY = ("xlsx", "parquet")
_SINCE = typer.Option(None, help="First day, such as 2026-11-01; 30 days up to the last when left out.")
_UNTIL = typer.Option(None, help="Last day, included; today when left out.")
_BY = typer.Option("", help="Any of day,number,template,country,category,type,run.")
_FORMAT = typer.Option("table", "--format", help=", ".join(FORMATS) + ".")


@app.command()
def delivery(
    since: str | None = _SINCE, until: str | None = _UNTIL, by: str = _BY, form: str = _FORMAT
) -> None:
    """How many were taken in, sent, delivered, read, failed; each group adds up."""
    _report("delivery", since, until, by, form)


@app.command()
def failures(
    since: str | None = _SINCE, until: str | None = _UNTIL, by: str = _BY, form: str = _FORMAT
) -> None:
    """Why messages failed or were refused, against the period before."""
    _report("failures", since, until, by, form)


@app.command()
def latency(
    since: str | None = _SINCE, until: str | None = _UNTIL, by: str = _BY, form: str = _FORMAT
) -> None:
    """How long from sent to delivered to read."""
    _report("latency", since, until, by, form)


@app.command()
def cost(since: str | None = _SINCE, until: str | None = _UNTIL, by: str = _BY, form: str = _FORMAT) -> None:
    """What delivered messages cost: estimated, and what Meta said."""
    _report("cost", since, until, by, form)


def _report(kind: str, since: str | None, until: str | None, by: str, form: str) -> None:
    from zoneinfo import ZoneInfo

    from reports import answers, tables_out
    from reports.report import Asked, NotAsked
    from wamtrail.opening import clock, opened

    settings = load()
    if form not in FORMATS:
        fail(f"--format is one of {', '.join(FORMATS)}.", code=2)
    if form in _BINARY and sys.stdout.isatty():
        fail(f"{form} is no text: write it to a file, such as `> report.{form}`.", code=2)
    zone = ZoneInfo(settings.report_zone)
    last = _day(until, "--until") if until else datetime.fromtimestamp(clock(), zone).date()
    first = _day(since, "--since") if since else last - timedelta(days=29)
    asked = Asked(kind, first, last, tuple(part.strip() for part in by.split(",") if part.strip()))
    with opened(settings) as database, database.read() as tx:
        try:
            report = answers.answer(tx, asked, zone, clock())
        except NotAsked as problem:
            where = "since" if problem.where == "until" and until is None else problem.where
            fail(f"--{where}: {problem}", code=2)
    if form == "table":
        _table(report)
    else:
        tables_out.write(report, form, sys.stdout.buffer)


def _day(typed: str, option: str) -> date:
    from reports.values import EARLIEST

    try:
        day = date.fromisoformat(typed)
    except ValueError:
        fail(f"{option} {typed} is no day; write it as 2026-11-22.", code=2)
    if day < EARLIEST:
        fail(f"{option} {typed} is too early: reports count from {EARLIEST} on.", code=2)
    return day


def _table(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    asked = report.asked
    table = Table(title=f"{asked.kind}, {asked.since} to {asked.until}, days of {report.zone}")
    shown = [
        column
        for column in report.columns
        if column.kind not in ("count", "share", "seconds") or any(row[column.name] for row in report.rows)
    ]
    for column in shown:
        text = column.kind in ("text", "date", "time")
        table.add_column(column.title, justify="left" if text else "right", overflow="fold")
    for row in report.rows:
        table.add_row(*(cell(said(column, row[column.name])) for column in shown))
    console = Console(width=None if sys.stdout.isatty() else 160)
    counted = any(column.kind in ("count", "share", "seconds") for column in shown)
    console.print(table if report.rows and counted else f"Nothing counts for {asked.since} to {asked.until}.")
    for sentence in sentences(report):
        console.print(sentence, highlight=False)


def said(column: "Column", value: Any) -> str:
    """A cell for people; '' where there is nothing to say."""
    from store.times import rfc3339, spelled

    if value is None:
        return ""
    if column.kind == "count":
        return f"{value:,}"
    if column.kind == "share":
        return f"{value:.1%}"
    if column.kind == "seconds":
        return f"{value:.1f} s" if value < 60 else spelled(value)
    if column.kind == "time":
        return rfc3339(value) or ""
    return str(value)


def sentences(report: "Report") -> list[str]:
    """How complete it is, and what it rests on."""
    from store.times import spelled

    told = report.completeness
    if not told["worked_out"]:
        return ["No figures were worked out yet: `wamtrail run processor` or `run all` does it."]
    found = []
    if told["still_moving"] or told["unknown"]:
        found.append(f"{told['still_moving']:,} still move, {told['unknown']:,} are unknown.")
    if told["unmatched"]:
        found.append(f"{told['unmatched']:,} were not sent by us.")
    if told["webhooks_waiting"] or told["news_waiting"] or told["buckets_waiting"]:
        age = spelled(told["oldest_change_waiting_s"])
        found.append(
            f"Not counted yet: {told['webhooks_waiting']:,} webhooks, {told['buckets_waiting']:,} days of a"
            f" number with news, the oldest {age} ago."
        )
    if told["late_for_sealed_days"]:
        found.append(f"{told['late_for_sealed_days']:,} changes came after a day was closed.")
    if told["zone_changes"]:
        found.append(f"The days are still those of {report.zone}; they are counted anew by the processor.")
    if report.asked.kind == "latency":
        found.append(f"Times are at most {told['relative_error']:.0%} off.")
    if report.asked.kind == "cost":
        found.append("Days of cost are UTC days of delivery, as the rate card's are.")
        if not told["account"]:
            found.append("No amounts: there is no account. `wamtrail balance top-up` opens it.")
        elif not told["rate_card"]:
            found.append("No rates are known: `wamtrail rates import` brings a rate card.")
    return found
