"""The PostgreSQL of this run, synced at every commit, and the machine in one line."""

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from postgres import PostgresServer, postgres_server

# What any guide sets before anything else; fsync, synchronous_commit and full_page_writes stay on.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "wal_compression": "pglz"}


class Server:
    """Makes databases; those of a measurement go with it."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @contextlib.contextmanager
    def database(self, copy_of: str | None = None) -> Iterator[str]:
        url = self._server.create_database(copy_of)
        try:
            yield url
        finally:
            self._server.drop_database(url)

    def show(self, name: str) -> str:
        with psycopg.connect(self._server.url("postgres")) as connection:
            row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
            assert row is not None
            return str(row[0])


@contextlib.contextmanager
def postgres() -> Iterator[Server]:
    with postgres_server(durable=True, settings=SETTINGS) as server:
        yield Server(server)


def described(server: Server) -> str:
    names = ("fsync", "synchronous_commit", "shared_buffers")
    settings = ", ".join(f"{name} {server.show(name)}" for name in names)
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()},"
        f" PostgreSQL {server.show('server_version')} ({settings}),"
        f" load average {os.getloadavg()[0]:.2f} before"
    )
