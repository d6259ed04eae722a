"""`wamtrail webhooks`: what Meta posted, byte for byte, and hearing it again."""

from datetime import UTC, datetime
from pathlib import Path

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

app = typer.Typer(help="Kept webhooks: look, verify, replay.", no_args_is_help=True)

_SINCE = typer.Option(None, help="Arrived at this time or later: 2026-11-22 or 2026-11-22T10:00:00Z.")
_UNTIL = typer.Option(None, help="Arrived before this time.")
_ENDPOINT = typer.Option(None, help="Of this callback URL; '' is /webhooks/whatsapp.")
_QUARANTINED = typer.Option(False, "--quarantined", help="Only those with something in quarantine.")


@app.command("list")
def list_webhooks(
    since: str | None = _SINCE,
    until: str | None = _UNTIL,
    endpoint: str | None = _ENDPOINT,
    quarantined: bool = _QUARANTINED,
    limit: int = typer.Option(50, min=1, max=1000),
) -> None:
    """Kept webhooks, newest first."""
    from rich.console import Console
    from rich.table import Table

    from store import kept
    from wamtrail.opening import opened

    which = kept.Which((), _time(since), _time(until), endpoint, quarantined)
    with opened(load()) as database, database.read() as tx:
        found = kept.lines(tx, which, limit)
    table = Table("id", "arrived (UTC)", "endpoint", "secret", "bytes", "processed", "in quarantine")
    for line in found:
        processed = "waiting" if line.waiting else "yes"
        table.add_row(
            str(line.webhook_id),
            _shown(line.received_at),
            line.endpoint or "-",
            line.secret,
            f"{line.size:,}",
            processed,
            str(line.quarantined or ""),
        )
    Console().print(table)


@app.command()
def show(
    webhook_id: int = typer.Argument(help="The id that `webhooks list` shows."),
    reveal: bool = typer.Option(False, "--reveal", help="The body as it came, with numbers and texts."),
) -> None:
    """One webhook: when it came, what was not understood, and its body, masked unless asked for."""
    from receiver.payload_masked import masked
    from store import kept
    from wamtrail.noting import note
    from wamtrail.opening import opened

    with opened(load()) as database:
        with database.read() as tx:
            found = kept.one(tx, webhook_id)
            parts = kept.quarantine_of(tx, webhook_id)
            too_old = sum(kept.too_old(tx, webhook_id))
        if reveal and found is not None:
            note(database, "view_body", f"webhook {webhook_id}", "whole")
    if found is None:
        fail(f"Webhook {webhook_id} is not kept (any more).")
    line, whole = found
    print(f"webhook {line.webhook_id}, arrived {_shown(line.received_at)} UTC, {line.size:,} bytes")
    print(
        f"endpoint {line.endpoint or '/webhooks/whatsapp'}, signed with the {line.secret} secret,"
        f" {'not processed yet' if line.waiting else 'processed'}"
    )
    if too_old:
        print(f"  {too_old:,} of its parts made no row: they are older than WAMTRAIL_KEEP_MESSAGES")
    for part in parts:
        closed = " (closed)" if part.closed_at else ""
        print(f"  quarantine {part.pointer or '(the whole body)'}: {part.reason}{closed}")
    print(whole.body.decode("utf-8", "replace") if reveal else masked(whole.body))


@app.command()
def replay(
    webhook_id: list[int] = typer.Argument(None, help="The ids to hear again; none with the options below."),
    since: str | None = _SINCE,
    until: str | None = _UNTIL,
    endpoint: str | None = _ENDPOINT,
    quarantined: bool = _QUARANTINED,
) -> None:
    """Process kept webhooks again: the same rows when nothing changed, right ones after a parser fix."""
    from rich.progress import Progress

    from receiver.replaying import replay_all
    from store import kept
    from wamtrail.opening import clock, opened

    if not webhook_id and since is None and until is None and endpoint is None and not quarantined:
        fail("Say which: ids, --since, --until, --endpoint or --quarantined.", code=2)
    which = kept.Which(tuple(webhook_id or ()), _time(since), _time(until), endpoint, quarantined)
    settings = load()
    with opened(settings) as database, Progress(transient=True) as progress:
        task = progress.add_task("Replaying", total=None)
        done = replay_all(
            database,
            which,
            clock,
            keep_content=settings.keep_content,
            age=settings.message_age(),
            progress=lambda count: progress.update(task, completed=count),
        )
    print(f"Replayed {done.webhooks:,} webhooks; {done.changed:,} status updates changed.")


@app.command()
def verify(
    body: Path = typer.Option(..., help="The file with the raw body.", exists=True, dir_okay=False),
    signature: str = typer.Option(..., help="The X-Hub-Signature-256 header."),
    endpoint: str = typer.Option("", help="The endpoint it came to; left out, /webhooks/whatsapp."),
) -> None:
    """Which configured secret, if any, fits a body and its signature. Exit 1 when none does."""
    from receiver.endpoints import secret_label
    from wamtrail.opening import known_endpoint
    from whatsapp.signature import matching_secret

    secrets = known_endpoint(load(), endpoint).app_secrets
    if not secrets:
        fail("No secret is known for this endpoint: set WAMTRAIL_APP_SECRETS, or name another --endpoint.")
    found = matching_secret(secrets, body.read_bytes(), signature)
    if found is None:
        fail("No configured secret fits: another app's secret, a body altered on the way, or a cut header.")
    print(f"The {secret_label(found)} secret fits.")


def _time(typed: str | None) -> float | None:
    if typed is None:
        return None
    try:
        parsed = datetime.fromisoformat(typed)
    except ValueError:
        fail(f"{typed!r} is not a time; write 2026-11-22 or 2026-11-22T10:00:00Z.", code=2)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _shown(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
