"""`wamtrail report`: what became of the messages of a period, as a table or a file."""

import sys
from datetime import date, datetime

import typer

from wamtrail import report_table
from wamtrail.saying import fail
from wamtrail.settings import load

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
    from reports import answers, tables_out
    from reports.report import Asked, NotAsked, first_day
    from wamtrail.opening import clock, opened, report_zone

    settings = load()
    if form not in FORMATS:
        fail(f"--format is one of {', '.join(FORMATS)}.", code=2)
    if form in _BINARY and sys.stdout.isatty():
        fail(f"{form} is no text: write it to a file, such as `> report.{form}`.", code=2)
    with opened(settings) as database:
        zone, trouble = report_zone(database, settings)
        last = _day(until, "--until") if until else datetime.fromtimestamp(clock(), zone).date()
        first = _day(since, "--since") if since else first_day(last)
        asked = Asked(kind, first, last, tuple(part.strip() for part in by.split(",") if part.strip()))
        try:
            with database.read() as tx:
                report = answers.answer(tx, asked, zone, clock())
        except NotAsked as problem:
            fail(f"--{problem.where}: {problem}", code=2)
    if trouble is not None:
        typer.echo(f"wamtrail: {trouble}", err=True)
    if form == "table":
        report_table.show(report, clock())
    else:
        tables_out.write(report, form, sys.stdout.buffer)


def _day(typed: str, option: str) -> date:
    from reports.values import parse_day

    try:
        return parse_day(typed)
    except ValueError as problem:
        fail(f"{option} {typed} {problem}.", code=2)
