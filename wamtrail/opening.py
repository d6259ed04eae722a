"""Opening what the settings name: the database, checked, and the wrapper."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import structlog

from receiver.endpoints import Endpoint
from store import endpoints, migrate
from store.database import Database
from store.sealing import Sealer
from wamtrail import logs
from wamtrail.settings import Settings

log = structlog.get_logger("wamtrail")

clock = time.time  # the one clock; everything below takes it as an argument


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database, once its tables are known to fit this program."""
    found = migrate.check(settings.database)
    if found.state == "newer":
        if not structlog.is_configured():  # a short command: what it prints may be somebody's variable
            logs.configure("auto")
        log.warning("tables_are_newer", sentence=found.sentence)
    database = Database(settings.database)
    try:
        yield database
    finally:
        database.close()


def report_zone(database: Database, settings: Settings) -> tuple[ZoneInfo, str | None]:
    """The zone whose days the reports count, and a sentence when it is not that of the settings."""
    from store import rollups  # what the door alone does without, it does not hold in memory

    wanted = ZoneInfo(settings.report_zone)
    with database.read() as tx:
        zone = rollups.zone_in_force(tx, wanted)
    if zone.key == wanted.key:
        return zone, None
    return zone, (
        f"Reports go on counting days of {zone.key}: older days are sealed in it, and {wanted.key} would"
        f" count hours twice or not at all. Set WAMTRAIL_REPORT_ZONE back to {zone.key}."
    )


def known_endpoint(settings: Settings, name: str) -> Endpoint:
    """The endpoint of this name with its secrets; an unknown one has none. '' is that of the settings."""
    if not name:
        return settings.default_endpoint()
    with opened(settings) as database, database.read() as tx:
        found = endpoints.find(tx, Sealer(settings.secret_keys()), name)
    return Endpoint(name, found.verify_tokens, found.app_secrets) if found else Endpoint(name)
