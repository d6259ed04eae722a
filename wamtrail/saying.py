"""How the command tells people that something did not work."""

from typing import NoReturn

import typer


def fail(sentence: str, code: int = 1) -> NoReturn:
    """One plain line on stderr, and the exit code."""
    typer.echo(f"wamtrail: {sentence}", err=True)
    raise typer.Exit(code)
