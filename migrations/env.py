"""How migrations run: one at a time in the whole installation, each in a transaction, never waiting for long.

Called through store/migrate.py, which hands over an open connection.
"""

import time
from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from store.partitions import is_ours
from store.tables import metadata

LOCK = 0x57414D54  # 'WAMT': one migration at a time
LOCK_TIMEOUT = "5s"  # rather fail than stand in front of the door
STATEMENT_TIMEOUT = "15min"
PAUSE = 0.1  # seconds between two tries for the turn


def _run(connection: Connection) -> None:
    postgres = connection.dialect.name == "postgresql"
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=not postgres,
        transaction_per_migration=postgres,  # SQLite keeps its turn from the first to the last
        compare_type=True,
        transactional_ddl=True,  # SQLite can, once BEGIN is ours
        on_version_apply=_remember_needed_code,
        include_object=lambda _thing, name, kind, *_: is_ours(name, kind),
    )
    if postgres:
        connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        connection.exec_driver_sql(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
        _await_turn(connection)
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        if postgres:
            connection.rollback()
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")
            connection.commit()


def _await_turn(connection: Connection) -> None:
    """Ask again and again rather than wait inside a statement: an index built CONCURRENTLY by whoever has the
    turn would wait for that statement to end, and it for the turn.
    """
    while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar():
        connection.commit()
        time.sleep(PAUSE)
    connection.commit()


def _remember_needed_code(ctx: Any, step: Any, **_: Any) -> None:
    """An older program cannot read this migration; the table tells it whether it may still run."""
    script = step.up_revision
    needs = getattr(script.module, "needs_code", None)
    if step.is_upgrade and needs:
        statement = (
            "INSERT INTO installation (name, value) VALUES ('needs_code', :needs)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )
        ctx.connection.execute(text(statement), {"needs": needs})


_run(context.config.attributes["connection"])
