"""`wamtrail send`: one message now. Exit 0 accepted, 1 refused, 2 usage, 3 unknown, 4 still queued."""

import asyncio
import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from wamtrail.duration import seconds
from wamtrail.saying import fail, warn
from wamtrail.settings import Settings, load

if TYPE_CHECKING:
    from sender.sent import Sent
    from store.database import Database
    from store.records import NewSend

app = typer.Typer(help="Send one message through the wrapper.", no_args_is_help=True)

EXITS = {"accepted": 0, "refused": 1, "cancelled": 1, "unknown": 3, "sending": 3, "queued": 4}
WAIT_AT_MOST = 60.0  # seconds for a slot of the throttle, unless --no-wait

_FROM = typer.Option(..., "--from", help="The sending number's PHONE_NUMBER_ID (not the phone number).")
_TO = typer.Option(..., help="The recipient: an international number, BSUID.")
_REFERENCE = typer.Option(None, help="Your own id for it; need not be unique.")
_KEY = typer.Option(
    None, "--idempotency-key", help="The same key again sends nothing and tells the first result."
)
_VALID = typer.Option(
    None,
    help="Not sent after this long: 90s, 10m, 24h, 7d. 24h if left out; 10m for authentication templates.",
)
_NO_WAIT = typer.Option(False, "--no-wait", help="Queue instead of waiting for the throttle.")


@app.command()
def text(
    from_number: str = _FROM,
    to: str = _TO,
    body: str = typer.Option(..., help="1 to 4,096 characters."),
    preview_url: bool = typer.Option(False, "--preview-url", help="Show a preview of the first link."),
    reference: str | None = _REFERENCE,
    idempotency_key: str | None = _KEY,
    valid_for: str | None = _VALID,
    no_wait: bool = _NO_WAIT,
) -> None:
    """Send a text."""
    from sender import payload

    _send(payload.text(to, body, preview_url), from_number, reference, idempotency_key, valid_for, no_wait)


@app.command()
def template(
    from_number: str = _FROM,
    to: str = _TO,
    name: str = typer.Option(..., help="The template's name."),
    language: str = typer.Option(..., help="The code of an approved translation, such as en or en_US."),
    param: list[str] = typer.Option([], help="A value of the body, in order; may be repeated."),
    reference: str | None = _REFERENCE,
    idempotency_key: str | None = _KEY,
    valid_for: str | None = _VALID,
    no_wait: bool = _NO_WAIT,
) -> None:
    """Send a template."""
    from sender import payload

    built = payload.template(to, name, language, param)
    _send(built, from_number, reference, idempotency_key, valid_for, no_wait)


@app.command("payload")
def any_payload(
    file: str = typer.Argument(help="A file with Meta's message payload, or - for standard input."),
    from_number: str | None = typer.Option(None, "--from", help="The sending number's PHONE_NUMBER_ID."),
    check: bool = typer.Option(
        False, "--check", help="Only look whether it may leave: every problem with its place, exit 1 if any."
    ),
    reference: str | None = _REFERENCE,
    idempotency_key: str | None = _KEY,
    valid_for: str | None = _VALID,
    no_wait: bool = _NO_WAIT,
) -> None:
    """Send any of Meta's message payloads, or check one without a database and without sending."""
    if check:
        from wamtrail.checking import check_payload

        check_payload(_read(file), load().default_country, from_number)
        return
    if from_number is None:
        fail("Missing option '--from': give the sending number's PHONE_NUMBER_ID, or --check.", code=2)
    _send(_read(file), from_number, reference, idempotency_key, valid_for, no_wait)


def _read(file: str) -> Any:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return json.loads(raw)
    except OSError as problem:
        fail(f"{file} cannot be read: {problem.strerror}.")
    except (ValueError, RecursionError):
        fail(f"{'Standard input' if file == '-' else file} is not JSON.")


def _send(
    body: Any,
    from_number: str,
    reference: str | None,
    key: str | None,
    valid_for: str | None,
    no_wait: bool,
) -> None:
    from sender.intake import take
    from sender.message_id import message_id
    from sender.prepare import Refused
    from wamtrail.opening import clock, opened

    settings = load()
    now = clock()
    valid_seconds = seconds(valid_for) if valid_for is not None else None
    with opened(settings) as database:
        try:
            with database.read() as tx:
                taken = take(
                    tx,
                    body,
                    phone_number_id=from_number,
                    message_id=message_id(now, secrets.token_bytes(10)),
                    now=now,
                    reference=reference,
                    idempotency_key=key,
                    valid_for=valid_seconds,
                    default_country=settings.default_country,
                )
        except Refused as refused:
            for problem in refused.problems:
                typer.echo(f"wamtrail: {problem.message}", err=True)
            raise typer.Exit(1) from None
        warn(taken.warnings)
        sent = asyncio.run(_post(settings, database, taken.new, 0.0 if no_wait else WAIT_AT_MOST))
    if sent.wamid:
        print(f"wamid {sent.wamid}")
    print(f"message_id {sent.message_id}")
    if sent.state != "accepted":
        typer.echo(f"wamtrail: {sent.sentence}", err=True)
    raise typer.Exit(EXITS[sent.state])


async def _post(settings: Settings, database: "Database", new: "NewSend", wait_at_most: float) -> "Sent":
    from random import SystemRandom

    from sender.single import send_now
    from sender.wrapper import Wrapper
    from wamtrail.opening import clock
    from wamtrail.sending_part import wrapper_config

    async with Wrapper(wrapper_config(settings)) as wrapper:
        return await send_now(
            database,
            wrapper,
            new,
            wait_at_most=wait_at_most,
            clock=clock,
            rng=SystemRandom(),
            keep_payload=settings.keep_content,
            limits=settings.limits(),
            budget=settings.budget(),
        )
