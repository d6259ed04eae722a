"""The command `wamtrail`: its sub-commands, and how a mistake is told (one plain line, an exit code)."""

import errno
import os
import sys

import typer

from receiver.endpoints import DirectoryAway
from store.errors import StoreError
from wamtrail import (
    access,
    balance,
    bulk,
    bulk_sending,
    database,
    doctor,
    endpoints,
    erase,
    exporting,
    messages,
    rates,
    report,
    retention,
    running,
    sender_commands,
    sending,
    simulation,
    suppressions,
    templates,
    users,
    webhooks,
)
from wamtrail.settings import SettingsError
from whatsapp.recipient import InvalidRecipient

app = typer.Typer(
    name="wamtrail",
    help="What became of every WhatsApp message: sends through Kaleyra's wrapper, receives Meta's webhooks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(running.app, name="run")
app.add_typer(database.app, name="db")
app.add_typer(sending.app, name="send")
app.add_typer(bulk.app, name="bulk")
app.add_typer(messages.app, name="message")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(endpoints.app, name="endpoint")
app.add_typer(sender_commands.app, name="sender")
app.add_typer(templates.app, name="template")
app.add_typer(suppressions.app, name="suppression")
app.add_typer(balance.app, name="balance")
app.add_typer(rates.app, name="rates")
app.add_typer(users.app, name="user")
app.add_typer(report.app, name="report")
app.add_typer(retention.app, name="retention")
app.add_typer(access.tokens, name="token")
sending.app.command("bulk")(bulk_sending.bulk)
app.command("doctor")(doctor.doctor)
app.command("erase")(erase.erase)
app.command("export")(exporting.export)
app.command("demo")(simulation.demo)
app.command("simulate")(simulation.simulate)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_PLAIN = (SettingsError, StoreError, InvalidRecipient, DirectoryAway)


def run() -> None:
    """The entry point of the installed command."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except _PLAIN as problem:
        sys.stderr.write(f"wamtrail: {problem}\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None
    except OSError as problem:
        if problem.errno not in _FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered goes nowhere
        sys.stderr.write(f"wamtrail: The output cannot be written: {problem.strerror}.\n")
        raise SystemExit(1) from None
