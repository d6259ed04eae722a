"""How the command tells people that something did not work."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from rich.text import Text

    from sender.payload_problem import Problem


def fail(sentence: str, code: int = 1) -> NoReturn:
    """One plain line on stderr, and the exit code."""
    typer.echo(f"wamtrail: {sentence}", err=True)
    raise typer.Exit(code)


def cell(words: str) -> "Text":
    """What stands in a table as it is: brackets are no markup, and no sign steers the terminal."""
    from rich.text import Text

    return Text("".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in words))


def warn(problems: "Iterable[Problem]") -> None:
    """What does not stop: one line each on stderr."""
    for problem in problems:
        typer.echo(f"wamtrail: warning: {problem.message}", err=True)
