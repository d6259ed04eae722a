"""`wamtrail run receiver` as a process of its own, and what may be done to it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

SECRET = "app-secret"
PATIENCE = 30.0  # seconds; a start on a busy machine takes a few


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class ReceiverProcess:
    """One receiver on one port that may be started again and again; a context that leaves nothing behind."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._environment = {name: value for name, value in os.environ.items() if "WAMTRAIL" not in name} | {
            "WAMTRAIL_DATABASE_URL": database_url,
            "WAMTRAIL_APP_SECRETS": SECRET,
            "WAMTRAIL_RECEIVER_BIND": f"127.0.0.1:{self.port}",
            "WAMTRAIL_LOG_FORMAT": "json",
            "WAMTRAIL_KEEP_MESSAGES": "forever",  # webhooks of the corpus are as old as they are
            "WAMTRAIL_KEEP_AUDIT": "forever",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ReceiverProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill_all()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self._folder / "receiver.log").read_text(errors="replace")

    def start(self) -> None:
        """Starts it and waits until the port answers."""
        with (self._folder / "receiver.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "wamtrail", "run", "receiver"],
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that all of it can be killed at once
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, self.log[-2000:]
            assert time.monotonic() < deadline, self.log[-2000:]
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL to the receiver alone; a processor beside it notices and ends by itself."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def kill_all(self) -> None:
        """SIGKILL to the receiver and the processor beside it, at once."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):  # all of it ended before
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def kill_processor(self) -> None:
        """SIGKILL to the processor alone, where it is a process (PostgreSQL)."""
        for pid in self.children():
            os.kill(pid, signal.SIGKILL)

    def children(self) -> list[int]:
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in found.read_text().split()] if found.exists() else []

    def terminate(self) -> tuple[int, float]:
        """SIGTERM: the exit code and the seconds that it took."""
        assert self._process is not None
        started = time.monotonic()
        self._process.terminate()
        return self._process.wait(PATIENCE), time.monotonic() - started
