"""`wamtrail template`: definitions from Business Manager, and what is known of each template."""

import json
import sys
from pathlib import Path
from typing import Any

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

app = typer.Typer(help="Templates: import their definitions, see how they stand.", no_args_is_help=True)

_WABA = typer.Option("", "--waba", help="The WhatsApp Business Account they belong to; all when left out.")


@app.command("import")
def import_definitions(
    file: str = typer.Argument(help="JSON with Meta's message templates, or - for standard input."),
    waba: str = _WABA,
) -> None:
    """Learn templates' definitions, so that messages are checked against them before they leave.

    Takes what Meta's API answers to GET /<account>/message_templates, a list of templates, or one.
    """
    from sender.payload_definition import NotDefinitions, read_definitions
    from store import templates
    from wamtrail.opening import clock, opened

    tree, at = _read(file, clock())
    try:
        read = read_definitions(tree, at, waba)
    except NotDefinitions as problem:
        fail(f"{problem}")
    with opened(load()) as database, database.write() as tx:
        templates.record(tx, read.words)
        kept = templates.later_than(tx, read.words)
    for sentence in read.unusable:
        typer.echo(f"wamtrail: {sentence}", err=True)
    for one in kept:
        typer.echo(
            f"wamtrail: warning: {one.name} ({one.language}) stays {one.status}: so Meta said after this file"
            " was made.",
            err=True,
        )
    if read.more:
        typer.echo("wamtrail: warning: This is one page of several; import the others, too.", err=True)
    print(f"Imported {read.templates} translation{'' if read.templates == 1 else 's'}.")
    raise typer.Exit(1 if read.unusable else 0)


@app.command("list")
def list_templates() -> None:
    """All that are known, with status, category and quality."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from store import templates
    from wamtrail.opening import opened

    with opened(load()) as database, database.read() as tx:
        found = templates.listed(tx)
    table = Table("name", "language", "status", "category", "quality", "definition", "account")
    for one in found:
        words = (one.status, one.category, one.quality)
        cells = (one.name, one.language, *words, "known" if one.components is not None else "", one.waba_id)
        table.add_row(*(Text(cell.lower() if cell in words else cell) for cell in cells))
    Console().print(table)


@app.command()
def show(
    name: str = typer.Argument(help="The template's name."),
    as_json: bool = typer.Option(False, "--json", help="All of it as JSON."),
) -> None:
    """One template in all its languages: how it stands, since when, why, and its texts."""
    from store import templates
    from wamtrail.opening import opened

    with opened(load()) as database, database.read() as tx:
        found = templates.listed(tx, name)
    if not found:
        fail("No template of this name is known; `wamtrail template list` shows all.")
    if as_json:
        print(json.dumps([_as_json(one) for one in found], indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for one in found:
        account = f", account {one.waba_id}" if one.waba_id else ""
        console.print(Text(f"{one.name} ({one.language}{account})", style="bold"))
        for line in _lines(one):
            console.print(Text(f"  {line}"))


def _lines(one: Any) -> list[str]:
    from sender.payload_definition import texts
    from store.times import rfc3339

    said = [("status", one.status, one.status_at), ("category", one.category, one.category_at)]
    said.append(("quality", one.quality, one.quality_at))
    lines = [f"{what:<9} {word.lower()}, since {rfc3339(at)}" for what, word, at in said if word]
    if one.reason:
        lines.insert(1, f"reason    {one.reason}")
    if one.components is None:
        return [*lines, "Its definition is not known: messages are checked for their shape only."]
    return [*lines, *(f"{what:<9} {text}" for what, text in texts(one.components))]


def _as_json(one: Any) -> dict[str, Any]:
    from store.times import rfc3339

    found: dict[str, Any] = {"name": one.name, "language": one.language, "account": one.waba_id or None}
    for what in ("status", "category", "quality", "components"):
        at = getattr(one, f"{what}_at")
        found[what] = getattr(one, what) or None
        found[f"{what}_at"] = rfc3339(at) if at else None
    return {**found, "reason": one.reason or None, "imported": one.imported}


def _read(file: str, now: float) -> tuple[Any, int]:
    """The JSON, and when the file was made: what Meta said later is newer than what stands in it."""
    try:
        if file == "-":
            return json.loads(sys.stdin.buffer.read()), int(now)
        path = Path(file)
        return json.loads(path.read_bytes()), int(min(path.stat().st_mtime, now))
    except OSError as problem:
        fail(f"{file} cannot be read: {problem.strerror}.")
    except (ValueError, RecursionError):
        fail(f"{'Standard input' if file == '-' else file} is not JSON.")
