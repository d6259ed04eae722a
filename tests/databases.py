"""Making and dropping databases on a PostgreSQL server, ours or one that TEST_DATABASE_URL names."""

import secrets
from contextlib import closing

import psycopg
from psycopg import sql
from sqlalchemy import make_url


class PostgresUnavailable(Exception):
    """PostgreSQL cannot be used here; the text is one plain sentence."""


class Databases:
    """Makes and drops databases on a server, given the URL of one database of it."""

    def __init__(self, admin_url: str) -> None:
        self._admin = make_url(admin_url).set(drivername="postgresql")
        self._made: set[str] = set()

    def url(self, name: str) -> str:
        """The URL of a database: for `psycopg.connect` as it is, and for SQLAlchemy."""
        return self._admin.set(database=name).render_as_string(hide_password=False)

    def create_database(self, template: str | None = None) -> str:
        """A fresh database; `template`: the URL of one made here, to which nobody is connected."""
        name = f"wamtrail_test_{secrets.token_hex(6)}"
        source = "template0" if template is None else make_url(template).database
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(source or "")
            )
        )
        self._made.add(name)
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drops it, whoever is still connected."""
        name = make_url(url).database or ""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.discard(name)

    def drop_all(self) -> None:
        """Drops what was made here and not dropped yet."""
        for name in sorted(self._made):
            self.drop_database(self.url(name))

    def _execute(self, statement: sql.Composed) -> None:
        target = self._admin.render_as_string(hide_password=False)
        with closing(psycopg.connect(target, autocommit=True, connect_timeout=10)) as connection:
            connection.execute(statement)


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it said nothing"
