"""Bringing a database to the tables this program needs, and telling whether it is there.

Alembic is imported by `upgrade` alone: it costs a fifth of a second that no other command has to pay.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from store import engines
from store.database import is_away
from store.errors import DatabaseAway, SchemaMismatch

if TYPE_CHECKING:
    from alembic.config import Config

CODE = (0, 1, 0)  # this program's place among the migrations' `needs_code`


@dataclass(frozen=True, slots=True)
class Schema:
    """How the tables stand to this program; with `newer` it runs, with a warning."""

    state: Literal["current", "newer", "empty", "too_old", "too_new"]
    sentence: str

    @property
    def usable(self) -> bool:
        return self.state in ("current", "newer")


def upgrade(url: str) -> None:
    """Run every migration that is missing; tables that are newer than this program stay as they are.

    Raises DatabaseAway when the database cannot be reached, SchemaMismatch when they need a newer program.
    """
    from alembic import command

    with _connected(url) as connection:
        found = _schema(connection)
        connection.rollback()  # the migrations begin a transaction of their own
        if found.state == "too_new":
            raise SchemaMismatch(found.sentence)
        if found.state != "newer":
            command.upgrade(_config(connection), "head")


def schema(url: str) -> Schema:
    """Compare the tables' revision with the one this program was built for."""
    with _connected(url) as connection:
        return _schema(connection)


def _schema(connection: Connection) -> Schema:
    found = _revision(connection)
    needs = _needed_code(connection) if found else CODE
    known = revisions()
    return judged(found, max(known), known, needs)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def revisions() -> set[str]:
    """Of all migrations, which stand in one line by the numbers of their files."""
    names = (file.name for file in files("migrations").joinpath("versions").iterdir())
    return {name.partition("_")[0] for name in names if name[:1].isdecimal() and name.endswith(".py")}


def judged(found: str | None, head: str | None, known: set[str], needs: tuple[int, ...]) -> Schema:
    """The decision alone: too old refuses, newer warns unless it needs newer code."""
    if found == head:
        return Schema("current", f"The tables are what this version needs (revision {head}).")
    if found is None:
        return Schema("empty", "The database has no tables yet; run `wamtrail db upgrade`.")
    if found in known:
        return Schema(
            "too_old", f"The tables are of revision {found}, {head} is needed; run `wamtrail db upgrade`."
        )
    if needs > CODE:
        least = ".".join(map(str, needs))
        return Schema(
            "too_new", f"The tables are of revision {found} and need wamtrail {least} or newer; install it."
        )
    return Schema("newer", f"The tables are newer (revision {found}) than this program (revision {head}).")


def check(url: str) -> Schema:
    """`schema`, but an unusable one is raised as SchemaMismatch."""
    found = schema(url)
    if not found.usable:
        raise SchemaMismatch(found.sentence)
    return found


def _needed_code(connection: Connection) -> tuple[int, ...]:
    query = text("SELECT value FROM installation WHERE name = 'needs_code'")
    value = connection.execute(query).scalar() or "0"
    return tuple(int(part) for part in value.split("."))


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = engines.for_writing(engines.normalised(url))
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as problem:
        if is_away(problem):
            raise DatabaseAway(engines.away_sentence(engines.normalised(url), problem)) from problem
        raise
    finally:
        engine.dispose()


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
