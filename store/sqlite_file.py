"""SQLite writes on happily into a file that was moved away or deleted: a 200 for that would be a lie.

So every transaction looks first whether the file it is connected to still stands under its name (2 µs).
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import DisconnectionError

from store.errors import DatabaseAway


class SqliteFile:
    """The file behind one engine."""

    def __init__(self, url: str) -> None:
        self._path = Path(make_url(url).database or "").absolute()
        self._was_there = False

    def watch(self, engine: Engine) -> None:
        event.listen(engine, "do_connect", self._connecting)
        event.listen(engine, "checkout", self._taken)

    def _connecting(self, _dialect: Any, _record: Any, _arguments: Any, _options: Any) -> None:
        """A file that was there before must not come back as an empty one."""
        if self._was_there and self._identity() is None:
            raise self._gone()

    def _taken(self, _connection: Any, record: Any, _fairy: Any) -> None:
        found = self._identity()
        if found is None:
            if self._was_there:
                raise self._gone()
            return
        self._was_there = True
        if record.info.setdefault("file", found) != found:
            raise DisconnectionError  # another file stands there now: SQLAlchemy opens that one

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _gone(self) -> DatabaseAway:
        return DatabaseAway(
            f"The SQLite file {self._path.name} is gone: put it back, or make a new one with `wamtrail db"
            " upgrade`."
        )
