"""`wamtrail db`: migrate, check the tables, verify the fold."""

import typer

from wamtrail.settings import load

app = typer.Typer(help="The database's tables.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Bring the tables to what this version needs."""
    from store import migrate

    url = load().database
    migrate.upgrade(url)
    print(migrate.check(url).sentence)


@app.command()
def check() -> None:
    """Are the tables what this version expects? Exit 1 when they cannot be used."""
    from store import migrate

    print(migrate.check(load().database).sentence)


@app.command()
def verify() -> None:
    """Recompute every message from its status updates and compare. Exit 1 when any differs."""
    from rich.progress import Progress

    from store import verify as verifying
    from wamtrail.opening import opened

    with opened(load()) as opened_database, Progress(transient=True) as progress:
        task = progress.add_task("Recomputing", total=None)
        found = verifying.verify(opened_database, lambda count: progress.update(task, completed=count))
    print(found.sentence)
    for line in found.examples:
        print(f"  {line}")
    if not found.good:
        raise typer.Exit(1)
