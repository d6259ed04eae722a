"""`wamtrail export`: messages, updates or attempts as a file, page by page in bounded memory."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import typer

from wamtrail.saying import fail
from wamtrail.settings import load
from wamtrail.stopping import tidily_stopped
from wamtrail.whole_file import BeingWritten, written_whole

if TYPE_CHECKING:
    from reports.export import Row
    from store.database import Database
    from store.exporting import Span


def export(
    kind: str = typer.Argument(help="messages, updates or attempts.", metavar="KIND"),
    form: str = typer.Option("csv", "--format", help="csv, ndjson, parquet or xlsx."),
    since: str | None = typer.Option(None, help="From this time on: 2026-11-22 or 2026-11-22T10:00:00Z."),
    until: str | None = typer.Option(None, help="Before this time; now, when not given."),
    from_number: str | None = typer.Option(None, "--from", help="The sending PHONE_NUMBER_ID."),
    output: str = typer.Option("-", help="FILE, or - for standard output."),
    reveal: bool = typer.Option(False, "--reveal", help="Numbers and wamids whole; kept in the audit log."),
) -> None:
    """Messages, status updates or attempts as CSV, NDJSON, Parquet or XLSX (columns: docs/columns.md)."""
    from reports.export import FIELDS
    from reports.export_formats import BINARY, WRITERS
    from store.exporting import Span
    from wamtrail.opening import clock, opened

    if kind not in FIELDS:
        fail(f"There is no export of {kind}; there are {', '.join(FIELDS)}.", code=2)
    if form not in WRITERS:
        fail(f"--format takes {', '.join(WRITERS)}.", code=2)
    if not output:
        fail("--output is empty: name a FILE, or - for standard output.", code=2)
    if output == "-" and form in BINARY and sys.stdout.isatty():
        fail(f"A {form} file is nothing to read on a terminal; name one with --output FILE.", code=2)
    now = clock()
    span = Span(_time(until, "--until") or now, _time(since, "--since"), from_number)
    if span.since is not None and span.since >= span.until:
        fail(
            f"Nothing lies between --since and {'--until' if until else 'now'}: the first is the later.",
            code=2,
        )
    with opened(load()) as database:
        _fits(database, kind, form, span)
        if reveal:
            _audited(database, kind, form, span, now)
        written = _write(database, kind, form, span, output, reveal=reveal)
    typer.echo(f"{written:,} {kind} written{'' if output == '-' else f' to {output}'}.", err=True)


def _time(typed: str | None, option: str) -> float | None:
    from store.times import parse_time

    try:
        return None if typed is None else parse_time(typed)
    except ValueError as problem:
        fail(f"{option} is {problem}.", code=2)


def _fits(database: "Database", kind: str, form: str, span: "Span") -> None:
    """A sheet has an end: said before anything is written."""
    from reports.export_xlsx import MOST, TooManyRows
    from store.exporting import count

    if form == "xlsx":
        with database.read() as tx:
            if count(tx, kind, span, MOST + 1) > MOST:
                fail(str(TooManyRows()))


def _audited(database: "Database", kind: str, form: str, span: "Span", now: float) -> None:
    from store import audit
    from store.times import rfc3339

    since = "" if span.since is None else f"from {rfc3339(span.since)} "
    with database.write() as tx:
        audit.record(
            tx,
            at=now,
            who="command",
            action="export",
            target=f"{kind} as {form}, revealed",
            reason=f"{since}until {rfc3339(span.until)}",
            number=span.phone_number_id or "",
        )


def _write(database: "Database", kind: str, form: str, span: "Span", output: str, *, reveal: bool) -> int:
    from reports import export_formats
    from reports.export import FIELDS, shaper
    from reports.export_xlsx import TooManyRows
    from store import exporting

    shape = shaper(kind, reveal=reveal)
    written = 0

    def shaped(tell: Callable[[int], None], look: Callable[[], None]) -> Iterator[Sequence["Row"]]:
        nonlocal written
        for page in exporting.pages(database, kind, span):
            look()
            written += len(page)
            yield [shape(row) for row in page]
            tell(written)

    try:
        at_once = form not in export_formats.DELICATE
        with (
            _progress(database, kind, span) as tell,
            _opened(output) as out,
            tidily_stopped(out, at_once=at_once) as look,
        ):
            export_formats.write(form, shaped(tell, look), FIELDS[kind], out)
            out.flush()
            look()
    except (TooManyRows, BeingWritten) as problem:
        fail(str(problem))
    except BrokenPipeError:
        if output == "-":  # who reads has had enough; what is still buffered goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except OSError as problem:
        where = "Standard output" if output == "-" else output
        fail(f"{where} cannot be written: {problem.strerror or problem}.")
    return written


@contextmanager
def _opened(output: str) -> Iterator[IO[bytes]]:
    """Standard output, or a file that is whole or not there."""
    if output != "-":
        with written_whole(output) as out:
            yield out
        return
    yield sys.stdout.buffer


@contextmanager
def _progress(database: "Database", kind: str, span: "Span") -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from store.exporting import count

    with database.read() as tx:
        total = count(tx, kind, span, 2_000_000_000)
    columns: Any = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
