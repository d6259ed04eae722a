"""Running Alembic as the store does, and looking at what came of it."""

from sqlalchemy import inspect

from store import migrate


def tables(url: str) -> set[str]:
    with migrate._connected(url) as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version", "webhooks_default"}


def alembic(url: str, command: str, *arguments: str) -> None:
    from alembic import command as commands

    with migrate._connected(url) as connection:
        getattr(commands, command)(migrate._config(connection), *arguments)
