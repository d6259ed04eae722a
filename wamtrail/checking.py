"""`wamtrail send payload --check`: may this payload leave? Asks no database and nobody outside."""

from typing import Any

import typer

from wamtrail.saying import warn


def check_payload(body: Any, default_country: str | None, from_number: str | None) -> None:
    """Every problem as `pointer: sentence` on stderr and exit 1, or one line that there is none."""
    from sender.payload import check
    from sender.payload_warnings import warnings
    from sender.prepare import number_problems
    from whatsapp.recipient import mask

    message, problems = check(body, default_country)
    problems += number_problems(from_number) if from_number is not None else ()
    for problem in problems:
        place = f"{problem.pointer}  " if problem.pointer else ""
        typer.echo(f"wamtrail: {place}{problem.message}", err=True)
    if message is None or problems:
        raise typer.Exit(1)
    warn(warnings(body))
    about = f" {message.template} ({message.language})" if message.template else ""
    print(f"Valid: {message.kind}{about} to {mask(message.recipient.value)}.")
