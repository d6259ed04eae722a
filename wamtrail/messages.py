"""`wamtrail message`: what happened to a message, lists, settling and cancelling."""

import json
from datetime import UTC, datetime

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

app = typer.Typer(help="What became of messages.", no_args_is_help=True)

_ID = typer.Argument(help="A wamid, message_id or reference (then the newest).", metavar="ID")
_REVEAL = typer.Option(False, "--reveal", help="Show numbers and wamids whole.")


@app.command()
def show(
    typed: str = _ID,
    as_json: bool = typer.Option(False, "--json", help="The documented JSON object."),
    reveal: bool = _REVEAL,
) -> None:
    """The whole story of one message, with what each error means and what to do."""
    from rich.console import Console

    from reports.message_json import message_json
    from store import message_page, stories, strangers
    from wamtrail.noting import note
    from wamtrail.opening import opened
    from wamtrail.show import render_story

    with opened(load()) as database:
        with database.read() as tx:
            keys = stories.find(tx, typed)
            story = stories.story(tx, keys[0]) if keys else None
        if reveal and story is not None:
            address = (story.send or {}).get("message_id") or strangers.address(keys[0])
            note(database, "reveal", address, number=message_page.number_of(story) or "")
    if story is None:
        fail("No message has this wamid, message_id or reference; `wamtrail message list` shows the newest.")
    if as_json:
        print(json.dumps(message_json(story), indent=2, ensure_ascii=False))
        return
    render_story(story, Console(), reveal=reveal)
    if len(keys) > 1:
        print("\nOlder messages with this reference: " + ", ".join(keys[1:]))


@app.command("list")
def list_messages(
    to: str | None = typer.Option(None, help="The recipient: a number in any spelling, or a BSUID."),
    status: str | None = typer.Option(None, help="queued, accepted, sent, delivered, read, failed ..."),
    since: str | None = typer.Option(None, help="From this time on: 2026-11-22 or 2026-11-22T10:00:00Z."),
    until: str | None = typer.Option(None, help="Before this time."),
    from_number: str | None = typer.Option(None, "--from", help="The sending PHONE_NUMBER_ID."),
    reference: str | None = typer.Option(None, help="The caller's own id."),
    limit: int = typer.Option(50, min=1, max=500),
    as_json: bool = typer.Option(False, "--json", help='{"messages": [...], "next": cursor or null}'),
    cursor: str | None = typer.Option(None, help="The `next` of the page before."),
    reveal: bool = _REVEAL,
) -> None:
    """Messages, newest first."""
    from rich.console import Console
    from starlette.datastructures import QueryParams

    from reports import message_list, problems
    from reports.query import MessagesQuery, read
    from store import group_rows
    from store.tokens import Bearer
    from wamtrail.noting import note
    from wamtrail.opening import opened
    from wamtrail.show import render_list

    given = {"to": to, "status": status, "since": since, "until": until, "from": from_number}
    given |= {"reference": reference, "limit": str(limit), "cursor": cursor}
    try:
        words = QueryParams({name: value for name, value in given.items() if value is not None})
        query = read(words, MessagesQuery)
    except problems.Problem as problem:
        fail(problem.detail, code=2)
    with opened(load()) as database:
        if query.to is not None:
            note(database, "search_number", query.to)
        if reveal:
            note(database, "reveal", "message list")
        with database.read() as tx:
            page = message_list.found(tx, query, Bearer("", "admin", ()), steps=None)
            if as_json:
                print(json.dumps(message_list.as_json(tx, page), indent=2, ensure_ascii=False))
                return
            conflicts = group_rows.conflicts(tx, page.rows)
    render_list(page.rows, Console(), conflicts=conflicts, reveal=reveal)


@app.command()
def settle(
    typed: str = _ID,
    outcome: str = typer.Option(..., "--as", help="sent or failed: what you found out."),
    note: str = typer.Option(..., help="How you know; kept with the message."),
) -> None:
    """Say what became of a send whose outcome is unknown. A status that still comes wins."""
    from store import sends, stories
    from wamtrail.opening import clock, opened

    if outcome not in ("sent", "failed"):
        fail("--as takes sent or failed.", code=2)
    settings = load()
    with opened(settings) as database, database.write() as tx:
        keys = stories.find(tx, typed)
        done = bool(keys) and sends.settle_by_person(
            tx,
            keys[0],
            sent=outcome == "sent",
            note=note,
            now=clock(),
            keep_payload=settings.keep_content,
        )
        story = stories.story(tx, keys[0]) if keys else None
    if story is None:
        fail("No message has this wamid, message_id or reference.")
    if not done:
        fail(f"Only an unknown send can be settled; this one is {story.status}.")
    print(f"Settled as {outcome} at {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC.")


@app.command()
def cancel(typed: str = _ID) -> None:
    """Take a queued message back before it leaves."""
    from store import sends, stories
    from wamtrail.opening import clock, opened

    settings = load()
    with opened(settings) as database, database.write() as tx:
        keys = stories.find(tx, typed)
        done = bool(keys) and sends.cancel(tx, keys[0], clock(), keep_payload=settings.keep_content)
        story = stories.story(tx, keys[0]) if keys else None
    if story is None:
        fail("No message has this wamid, message_id or reference.")
    if not done:
        fail(f"Only a queued message can be cancelled; this one is {story.status}.")
    print("Cancelled.")
