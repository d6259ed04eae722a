"""Opening what the settings name: the database, checked, and the wrapper."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from store import migrate
from store.database import Database
from wamtrail.settings import Settings

log = structlog.get_logger("wamtrail")

clock = time.time  # the one clock; everything below takes it as an argument


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database, once its tables are known to fit this program."""
    found = migrate.check(settings.database)
    if found.state == "newer":
        log.warning("tables_are_newer", sentence=found.sentence)
    database = Database(settings.database)
    try:
        yield database
    finally:
        database.close()
