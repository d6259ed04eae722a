"""`wamtrail endpoint`: callback URLs with verify tokens and app secrets of their own."""

import secrets
from datetime import UTC, datetime

import typer

from wamtrail.saying import fail
from wamtrail.settings import load

app = typer.Typer(help="Callback URLs /webhooks/whatsapp/NAME.", no_args_is_help=True)

_NAME = typer.Argument(help="The last part of the callback URL: a-z, 0-9 and -.", metavar="NAME")
_SECRET = typer.Option(
    None, envvar="WAMTRAIL_NEW_APP_SECRET", help="The Meta app's secret; asked for when left out."
)
_TOKEN = typer.Option(None, envvar="WAMTRAIL_NEW_VERIFY_TOKEN", help="The verify token; made when left out.")


@app.command()
def create(name: str = _NAME, app_secret: str | None = _SECRET, verify_token: str | None = _TOKEN) -> None:
    """Make an endpoint. Works within ten seconds, without a restart."""
    from store import endpoints
    from store.sealing import Sealer
    from wamtrail.opening import clock, opened

    settings = load()
    sealer = Sealer(settings.secret_keys())
    secret = app_secret or typer.prompt("App secret", hide_input=True)
    token = verify_token or secrets.token_urlsafe(24)
    with opened(settings) as database, database.write() as tx:
        endpoints.create(tx, sealer, name, token, secret, clock())
    print(f"callback URL  https://<your host>/webhooks/whatsapp/{name}")
    print(f"verify token  {token}   (shown this once)")


@app.command("list")
def list_endpoints() -> None:
    """All named endpoints; their secrets are never shown."""
    from rich.console import Console
    from rich.table import Table

    from store import endpoints
    from wamtrail.opening import opened

    with opened(load()) as database, database.read() as tx:
        found = endpoints.listed(tx)
    table = Table("name", "created (UTC)", "changed (UTC)", "state")
    for one in found:
        table.add_row(
            one.name, _day(one.created_at), _day(one.changed_at), "disabled" if one.disabled_at else "open"
        )
    Console().print(table)


@app.command()
def rotate(
    name: str = _NAME,
    app_secret: str | None = _SECRET,
    verify_token: str | None = _TOKEN,
    drop_previous: bool = typer.Option(False, "--drop-previous", help="The old ones stop working at once."),
) -> None:
    """Put a new secret or token first; the one before stays accepted until the next rotation."""
    from store import endpoints
    from store.sealing import Sealer
    from wamtrail.opening import clock, opened

    settings = load()
    sealer = Sealer(settings.secret_keys())
    with opened(settings) as database, database.write() as tx:
        endpoints.rotate(
            tx,
            sealer,
            name,
            clock(),
            verify_token=verify_token,
            app_secret=app_secret,
            keep_previous=not drop_previous,
        )
    print(
        "Rotated."
        if app_secret or verify_token
        else "The previous ones are dropped."
        if drop_previous
        else "Unchanged."
    )


@app.command()
def disable(name: str = _NAME) -> None:
    """Close an endpoint: 404 within ten seconds. `rotate` opens it again."""
    from store import endpoints
    from wamtrail.opening import clock, opened

    with opened(load()) as database, database.write() as tx:
        done = endpoints.disable(tx, name, clock())
    if not done:
        fail("No open endpoint has this name; `wamtrail endpoint list` shows all.")
    print("Disabled.")


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
