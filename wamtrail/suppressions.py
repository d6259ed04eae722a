"""`wamtrail suppression`: who wants no marketing, besides those who said so to Meta."""

import json

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

app = typer.Typer(help="People who get no marketing templates.", no_args_is_help=True)

_WHO = typer.Argument(help="A phone number with + and country code, or a BSUID.", metavar="RECIPIENT")
_NOTE = typer.Option(None, help="Why; kept with it.")
PAGE = 1000


@app.command()
def add(recipient: str = _WHO, note: str | None = _NOTE) -> None:
    """Send no more marketing templates to this person."""
    _set(recipient, True, note)
    print("Added: marketing templates to this recipient are refused here.")


@app.command()
def remove(recipient: str = _WHO, note: str | None = _NOTE) -> None:
    """Allow marketing templates to this person again."""
    before = _set(recipient, False, note)
    if before == "meta":
        typer.echo(
            "wamtrail: warning: This person opted out in WhatsApp; until they opt in there, Meta refuses"
            " marketing to them with 131050.",
            err=True,
        )
    print("Removed." if before else "This recipient was not on the list; nothing to remove.")


@app.command("list")
def list_suppressions(
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line, with whole numbers."),
    reveal: bool = typer.Option(False, "--reveal", help="Show numbers whole."),
) -> None:
    """Everybody who gets no marketing templates."""
    from store import suppressions
    from store.times import rfc3339
    from wamtrail import noting
    from wamtrail.opening import opened
    from whatsapp.masking import mask

    after, count = ("", ""), 0
    with opened(load()) as database:
        if reveal:
            noting.note(database, "reveal", "suppression list")
        while True:
            with database.read() as tx:
                rows = suppressions.listed(tx, PAGE, after)
            for row in rows:
                since = rfc3339(row.occurred_at)
                if as_json:
                    one = {"recipient": row.identity, "category": row.category, "since": since}
                    print(json.dumps({**one, "source": row.source, "note": row.note}, ensure_ascii=False))
                else:
                    shown = row.identity if reveal else mask(row.identity)
                    note = "".join(sign for sign in row.note or "" if sign.isprintable())
                    print(f"{shown:<24} {row.category:<20} since {since}  by {row.source}  {note}".rstrip())
            count += len(rows)
            if len(rows) < PAGE:
                break
            after = (rows[-1].identity, rows[-1].category)
    if not count:
        typer.echo("wamtrail: nobody is on the list.", err=True)


def _set(typed: str, stop: bool, note: str | None) -> str | None:
    """Whose stop stood before: meta, person, or None when there was none."""
    from store import suppressions
    from wamtrail.opening import clock, opened
    from whatsapp.recipient import parse_recipient

    settings = load()
    if note is not None and not note.isprintable():
        fail("--note has a sign in it that cannot be stored; write it in one line.", code=2)
    recipient = parse_recipient(typed, settings.default_country)
    identity = recipient.value.removeprefix("+")
    with opened(settings) as database, database.write() as tx:
        before = suppressions.find(tx, identity)
        if not stop and (before is None or not before.stopped):
            return None
        suppressions.set_by_person(tx, identity, stop, note, clock())
    return before.source if before is not None and before.stopped else None
