"""`wamtrail erase`: a person is removed everywhere, and the figures stay (docs/erasure.md)."""

import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from wamtrail.saying import fail
from wamtrail.settings import Settings, load

if TYPE_CHECKING:
    from store.database import Database
    from store.erasure import Asked, Erased
    from store.erasure_state import Words

_WHO = typer.Option(help="A phone number with + and country code, or a user id (BSUID).", metavar="R")
_DRY = typer.Option(False, "--dry-run", help="Only tell what would change.")


def erase(recipient: str = _WHO, dry_run: bool = _DRY) -> None:
    """Remove a person: number, user id, message ids, bodies, lists; the figures stay. Cannot be undone."""
    from store import erasure
    from wamtrail.opening import opened

    settings = load()
    asked = _asked(recipient, settings)
    with opened(settings) as database, _progress(database) as told:
        if dry_run:
            done = erasure.found(database, asked, words(), told)
        else:
            done = erasure.erase(database, asked, words(), time.sleep, told)
    for line in lines(done, dry_run=dry_run):
        print(line)


def words() -> "Words":
    """What the receiver knows of Meta's JSON, for the store."""
    from receiver import payload_erased
    from store.erasure_state import Words

    return Words(
        body=payload_erased.body_without,
        part=payload_erased.part_without,
        about=payload_erased.own_part_without,
        data=payload_erased.data_without,
    )


def lines(done: "Erased", *, dry_run: bool) -> Iterator[str]:
    """How much, by kind; no name of the person is in it."""
    verb = "would change" if dry_run else "changed"
    kinds = [(kind, count) for kind, count in sorted(done.counts.items()) if count]
    if not kinds:
        yield "Nothing is kept about this person."
        return
    yield f"Known under {done.names} name{'' if done.names == 1 else 's'}. Rows that {verb}, by table:"
    for kind, count in kinds:
        yield f"  {_SHOWN.get(kind, kind):<24} {count:>12,}"
    if done.counts["suppressions"]:
        yield (
            "They had opted out of marketing, and that is forgotten with them: keep it in mind before you"
            " import them again, or add it anew with `wamtrail suppression add`."
        )
    if dry_run:
        yield "Nothing was changed. Without --dry-run it is, and cannot be undone."
    else:
        yield (
            "Erased here. Not reached: backups, exports and lists that were made before, and what Kaleyra and"
            " Meta keep (docs/erasure.md). Run it again in a week: Meta repeats webhooks for so long."
        )


_SHOWN = {"cancelled": "queued, now cancelled", "webhooks": "webhook bodies"}


def _asked(typed: str, settings: Settings) -> "Asked":
    from store.erasure import Asked
    from wamtrail.opening import clock
    from whatsapp.masking import digits
    from whatsapp.recipient import InvalidRecipient, mask, parse_recipient

    try:
        name = parse_recipient(typed, settings.default_country).value.removeprefix("+")
    except InvalidRecipient as problem:
        fail(f"--recipient: {problem}", code=2)
    now = clock()
    day = datetime.fromtimestamp(now, UTC).date().isoformat()
    return Asked(name, mask(name), now, day, secrets.token_bytes(32), digits(typed))


@contextmanager
def _progress(database: "Database") -> Iterator[Callable[[str, int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _phase, _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from store.erasure_bodies import count

    with database.read() as tx:
        bodies = count(tx)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {
            "webhooks": bar.add_task("webhook bodies", total=bodies),
            "messages": bar.add_task("messages", total=None),
            "tables": bar.add_task("other rows", total=None),
        }
        yield lambda phase, more: bar.advance(tasks[phase], more)
