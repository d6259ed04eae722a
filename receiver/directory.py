"""Endpoints from the settings and the database, remembered for some seconds to spare queries."""

import asyncio
import time
from collections.abc import Callable

import structlog

from receiver.endpoints import DirectoryAway, Endpoint
from store import endpoints
from store.database import Database
from store.errors import DatabaseAway, StoreError
from store.sealing import Sealer

REMEMBERED = 10.0  # seconds; so long may a disabled endpoint still be open
MOST = 1000  # names, so that made-up ones do not fill the memory

log = structlog.get_logger("receiver.directory")


class StoredDirectory:
    """`default` is the endpoint without a name. While the database is away what was known goes on to hold."""

    def __init__(
        self,
        default: Endpoint,
        database: Database,
        sealer: Sealer | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._default = default
        self._database = database
        self._sealer = sealer
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, Endpoint | None]] = {}

    async def find(self, name: str) -> Endpoint | None:
        if name == "":
            return self._default
        if self._sealer is None or not endpoints.NAME.fullmatch(name):
            return None
        known = self._known.get(name)
        if known is not None and self._monotonic() - known[0] < REMEMBERED:
            return known[1]
        try:
            found = await asyncio.to_thread(self._read, name)
        except DatabaseAway:
            if known is not None:
                return known[1]
            raise DirectoryAway from None
        except StoreError as problem:
            log.error("endpoint_unusable", endpoint=name, sentence=str(problem))
            raise DirectoryAway from None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[name] = (self._monotonic(), found)
        return found

    def _read(self, name: str) -> Endpoint | None:
        assert self._sealer is not None
        with self._database.read() as tx:
            found = endpoints.find(tx, self._sealer, name)
        return None if found is None else Endpoint(name, found.verify_tokens, found.app_secrets)
