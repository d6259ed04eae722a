"""Keeps a restored backup, or a standby that lost the last commits, from sending again what was sent already.

What the sender knows of its database is remembered in a small file outside of it: who it is and how far its
feed came. When the database is another one, or younger than that, all sending is held until a person resumes.
"""

import contextlib
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import structlog

from store import identity, numbers
from store.database import ReadTx, WriteTx
from store.identity import Identity

FILE = "sender-database.json"
REASON = (
    "this database is not the one that was last sent from, or is older: a restored backup or a failover may "
    "list messages as queued that were sent already. Look at what is queued, cancel what was sent, then "
    "run `wamtrail sender resume`"
)

log = structlog.get_logger("sender.guard")


class Guard:
    """`folder` None: nothing is remembered, so nothing is noticed from one run to the next."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / FILE if folder else None
        self._known = self._load()
        self._server: bool | None = None

    def found(self, tx: ReadTx) -> Identity:
        """The database that this transaction talks to."""
        if self._server is None:
            self._server = identity.tells(tx)
        return identity.identity(tx, server=self._server)

    def trusts(self, tx: ReadTx, found: Identity) -> bool:
        """Is it the one we know? The first one ever is, and one that has nothing queued does no harm."""
        return self._known is None or same(self._known, found) or not identity.queued(tx)

    def hold(self, tx: WriteTx, now: float) -> None:
        """Hold all sending."""
        numbers.pause(tx, numbers.ACCOUNT, REASON, now)
        log.error("sending_held", reason=REASON)

    def remember(self, found: Identity) -> None:
        """After a commit: this is the database from now on. A file that cannot be written is an OSError."""
        if found == self._known:
            return
        self._known = found
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=FILE)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(found), file)
            Path(name).replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise

    def _load(self) -> Identity | None:
        if self._path is None or not self._path.exists():
            return None
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return Identity(str(found["name"]), str(found["server"]), int(found["position"]))
        except (ValueError, KeyError, TypeError):
            log.warning("state_file_unreadable", file=FILE)
            return Identity("", "", 0)  # something was known and is lost: better ask a person


def same(known: Identity, found: Identity) -> bool:
    """The feed only grows; one that is shorter is of an earlier time."""
    return (known.name, known.server) == (found.name, found.server) and found.position >= known.position
