"""`wamtrail send bulk`: a list, checked, taken in and sent, with what became of each row at the end.

Exit 0 all accepted (or handed over with --detach), 1 rows refused or unusable, 3 outcomes unknown, 4 rows
still queued.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from wamtrail.duration import seconds
from wamtrail.saying import fail
from wamtrail.settings import load

if TYPE_CHECKING:
    from sender.bulk_check import Terms
    from store.bulk_runs import Run
    from store.database import Database


def bulk(
    file: Path = typer.Argument(help="CSV with a column `to`, or NDJSON with one payload a line."),
    from_number: str = typer.Option(..., "--from", help="The sending number's PHONE_NUMBER_ID."),
    template: str | None = typer.Option(None, help="For CSV: the template that the columns fill."),
    language: str | None = typer.Option(None, help="For CSV: the code of its translation, such as en."),
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Send nothing: list every unusable row, the cost and the time."
    ),
    detach: bool = typer.Option(
        False, "--detach", help="Take the list in and return; `run sender` sends it."
    ),
    result: Path | None = typer.Option(None, help="Write a CSV with a line for each row here at the end."),
    valid_for: str | None = typer.Option(
        None, help="A row is not sent after this long: 90s, 10m, 24h, 7d. 24h if left out."
    ),
    again: bool = typer.Option(False, "--again", help="Send a list that was sent before once more."),
) -> None:
    """Send a list. Ctrl-C holds it; whatever stops it, `bulk resume` goes on, and no row is sent twice."""
    from sender.bulk_check import Terms
    from sender.prepare import number_problems
    from wamtrail.bulk_dry_run import dry_run as look
    from wamtrail.bulk_running import finish, usable
    from wamtrail.opening import opened

    settings = load()
    if (template is None) != (language is None):
        fail("--template and --language belong together: give both, or neither for a list of payloads.", 2)
    for one in number_problems(from_number):
        fail(one.message.replace("phone_number_id", "--from", 1), 2)
    if not dry_run and not detach:
        settings.require_wrapper()
    terms = Terms(
        bulk_run_id=secrets.token_hex(4),
        phone_number_id=from_number,
        template=template,
        language=language,
        valid_for=seconds(valid_for) if valid_for is not None else None,
        default_country=settings.default_country,
    )
    with opened(settings) as database:
        usable(database, file, terms)
        if dry_run:
            raise typer.Exit(look(settings, database, file, terms))
        run = _begun(database, file, terms, again=again)
        finish(settings, database, run, detach=detach, result=result)


def _begun(database: "Database", file: Path, terms: "Terms", *, again: bool) -> "Run":
    """A run of this list; refused when there is one already, so that nobody gets it twice by mistake."""
    from sender.bulk_list import digest
    from store import bulk_runs
    from store.bulk_runs import NewRun
    from wamtrail.opening import clock

    new = NewRun(
        bulk_run_id=terms.bulk_run_id,
        name=file.name,
        path=str(file.resolve()),
        digest=digest(file, terms.phone_number_id, terms.template, terms.language, None),
        phone_number_id=terms.phone_number_id,
        template=terms.template,
        language=terms.language,
        valid_for=terms.valid_for,
    )
    with database.write() as tx:
        known = bulk_runs.same_list(tx, new.digest)
        unfinished = [one for one in known if one.state in ("preparing", "running", "paused")]
        if not unfinished and (again or not known):
            repetition = known[0].repetition + 1 if known else 0
            bulk_runs.begin(tx, new, clock(), repetition)
        found = bulk_runs.find(tx, new.bulk_run_id)
    if found is None:
        _refuse(unfinished, known)
    assert found is not None
    return found


def _refuse(unfinished: "list[Run]", known: "list[Run]") -> None:
    from store.times import rfc3339

    if unfinished:
        one = unfinished[0]
        fail(
            f"This list is on its way as run {one.bulk_run_id} already ({one.state}): `wamtrail bulk resume"
            f" {one.bulk_run_id}` goes on with it, and nobody gets it twice."
        )
    if known:
        one = known[0]
        fail(
            f"This list was sent as run {one.bulk_run_id} on {rfc3339(one.created_at)} ({one.state}):"
            f" `wamtrail bulk retry {one.bulk_run_id}` sends what was refused, --again sends it to everybody"
            " once more."
        )
    fail("Another process began this list at the same moment; `wamtrail bulk list` shows it.")
