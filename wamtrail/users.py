"""`wamtrail user`: who may sign in to the pages."""

import getpass
import secrets
import sys
from datetime import UTC, datetime

import typer

from wamtrail.saying import cell, fail
from wamtrail.settings import load

app = typer.Typer(help="People who sign in to the pages.", no_args_is_help=True)
_FROM_STDIN = typer.Option(False, "--password-stdin", help="Read the password from standard input.")


@app.command()
def create(
    name: str = typer.Argument(help="What they sign in with."),
    role: str = typer.Option(..., help="admin, support or reporter."),
    number: list[str] = typer.Option([], help="Limit to this sending PHONE_NUMBER_ID; may be repeated."),
    password_stdin: bool = _FROM_STDIN,
) -> None:
    """Make a user. The password is asked for; only its argon2id hash is kept."""
    from store import audit, users
    from support import passwords
    from wamtrail.opening import clock, opened

    with opened(load()) as database:
        with database.read() as tx:
            if users.find(tx, name) is not None:
                fail(f"There is a user {users.spelled(name)} already; `wamtrail user list` shows all.")
        users.checked(name, role, number)
        hashed = passwords.made(_password(name, password_stdin))
        with database.write() as tx:
            users.create(
                tx,
                user_id=secrets.token_hex(8),
                name=name,
                role=role,
                numbers=number,
                password=hashed,
                now=clock(),
            )
            audit.record(
                tx, at=clock(), who="command", action="user_create", target=users.spelled(name), reason=role
            )
    print(f"Made: {users.spelled(name)}, {role}.")


@app.command("list")
def list_users() -> None:
    """All users, disabled ones too."""
    from rich.console import Console
    from rich.table import Table

    from store import users
    from wamtrail.opening import opened

    with opened(load()) as database, database.read() as tx:
        rows = users.listed(tx)
    table = Table("name", "role", "numbers", "created (UTC)", "disabled")
    for row in rows:
        created = f"{datetime.fromtimestamp(row.created_at, UTC):%Y-%m-%d %H:%M}"
        numbers = " ".join(row.numbers) or "all"
        table.add_row(cell(row.name), row.role, cell(numbers), created, "yes" if row.disabled_at else "")
    Console().print(table)


@app.command()
def password(name: str = typer.Argument(), password_stdin: bool = _FROM_STDIN) -> None:
    """Give a user another password; their sessions end."""
    from store import audit, users
    from support import passwords
    from wamtrail.opening import clock, opened

    with opened(load()) as database:
        with database.read() as tx:
            found = users.find(tx, name)
        if found is None:
            fail("There is no user of this name; `wamtrail user list` shows all.")
        hashed = passwords.made(_password(found.name, password_stdin))
        with database.write() as tx:
            users.set_password(tx, found.user_id, hashed)
            audit.record(tx, at=clock(), who="command", action="password", target=found.name)
    print("Changed; every session of theirs has ended.")


@app.command()
def change(
    name: str = typer.Argument(),
    role: str | None = typer.Option(None, help="admin, support or reporter."),
    number: list[str] = typer.Option(
        [], help="Limit to this sending PHONE_NUMBER_ID, instead of those of now; may be repeated."
    ),
    all_numbers: bool = typer.Option(False, "--all-numbers", help="No limit to numbers any more."),
    password_stdin: bool = _FROM_STDIN,
) -> None:
    """Give a user another role, other numbers or another password; their sessions end."""
    from store import audit, users
    from support import passwords
    from wamtrail.opening import clock, opened

    if number and all_numbers:
        fail("--number and --all-numbers exclude each other; give one of them.", code=2)
    if role is None and not number and not all_numbers and not password_stdin:
        fail("Nothing to change: give --role, --number, --all-numbers or --password-stdin.", code=2)
    hashed = passwords.made(_password(users.spelled(name), True)) if password_stdin else None
    numbers = number if number or all_numbers else None
    with opened(load()) as database, database.write() as tx:
        said = users.change(tx, name, role=role, numbers=numbers, password=hashed)
        audit.record(
            tx, at=clock(), who="command", action="user_change", target=users.spelled(name), reason=said
        )
    print(f"Changed: {said or 'nothing, it was so already'}. Every session of theirs has ended.")


@app.command()
def enable(name: str = typer.Argument()) -> None:
    """Let somebody who was disabled sign in again."""
    from store import audit, users
    from wamtrail.opening import clock, opened

    with opened(load()) as database, database.write() as tx:
        done = users.enable(tx, name)
        if done:
            audit.record(tx, at=clock(), who="command", action="user_enable", target=users.spelled(name))
    if not done:
        fail("No user of this name is disabled; `wamtrail user list` shows all.")
    print("Enabled; they sign in with the password that they had.")


@app.command()
def disable(name: str = typer.Argument()) -> None:
    """Nobody signs in under this name any more; their sessions end."""
    from store import audit, users
    from wamtrail.opening import clock, opened

    with opened(load()) as database, database.write() as tx:
        done = users.disable(tx, name, clock())
        if done:
            audit.record(tx, at=clock(), who="command", action="user_disable", target=users.spelled(name))
    if not done:
        fail("No user of this name can sign in; `wamtrail user list` shows all.")
    print("Disabled; every session of theirs has ended.")


def _password(name: str, from_stdin: bool) -> str:
    from support import passwords

    if from_stdin:
        typed = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        typed = getpass.getpass("Password: ")
        if typed != getpass.getpass("The same again: "):
            fail("The two differ; nothing is changed.")
    else:
        fail("There is no terminal to ask for a password; use --password-stdin.")
    try:
        return passwords.checked(typed, name)
    except passwords.WeakPassword as problem:
        fail(str(problem))
