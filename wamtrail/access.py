"""`wamtrail token`: who may use the APIs."""

import secrets
from datetime import UTC, datetime

import typer

from wamtrail.settings import load

tokens = typer.Typer(help="Bearer tokens for the APIs.", no_args_is_help=True)


@tokens.command()
def create(
    role: str = typer.Option(..., help="sender, support, reporter or admin."),
    number: list[str] = typer.Option([], help="Limit to this sending PHONE_NUMBER_ID; may be repeated."),
    name: str = typer.Option("", help="What it is for."),
) -> None:
    """Make a token. It is shown once; only its hash is kept."""
    from store import audit
    from store import tokens as store_tokens
    from wamtrail.opening import clock, opened

    with opened(load()) as database, database.write() as tx:
        token = store_tokens.create(tx, name, role, number, clock(), secrets.token_urlsafe(32))
        target, limits = token.split("_")[1], " ".join(number) or "all"
        reason = f"{role}, numbers {limits}"
        audit.record(tx, at=clock(), who="command", action="token_create", target=target, reason=reason)
    print(token)


@tokens.command("list")
def list_tokens() -> None:
    """All tokens, without their secret part."""
    from rich.console import Console
    from rich.table import Table

    from store import tokens as store_tokens
    from wamtrail.opening import opened
    from wamtrail.saying import cell

    with opened(load()) as database, database.read() as tx:
        rows = store_tokens.listed(tx)
    table = Table("id", "name", "role", "numbers", "created (UTC)", "revoked")
    for row in rows:
        created = f"{datetime.fromtimestamp(row.created_at, UTC):%Y-%m-%d %H:%M}"
        numbers = " ".join(row.numbers) or "all"
        revoked = "yes" if row.revoked_at else ""
        table.add_row(row.token_id, cell(row.name), row.role, cell(numbers), created, revoked)
    Console().print(table)


@tokens.command()
def revoke(token_id: str = typer.Argument(help="The id that `token list` shows.")) -> None:
    """End a token at once."""
    from store import audit
    from store import tokens as store_tokens
    from wamtrail.opening import clock, opened
    from wamtrail.saying import fail

    with opened(load()) as database, database.write() as tx:
        done = store_tokens.revoke(tx, token_id, clock())
        if done:
            audit.record(tx, at=clock(), who="command", action="token_revoke", target=token_id)
    if not done:
        fail("No token that still works has this id; `wamtrail token list` shows them.")
    print("Revoked.")
