"""Starting a receiver, waiting until it answers, and what it and its children take of memory."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PATIENCE = 30.0  # seconds


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str], port: int, log: Path, environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, once it listens on the port; ended by SIGTERM."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=folder, stdout=file, stderr=file
        )
    try:
        _await_port(process, port, log)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit(f"A receiver did not start; its last words: {log.read_text()[-800:]}")


def peaks(pid: int) -> dict[str, float]:
    """VmHWM in MB of the process and of each child, by command."""
    found: dict[str, float] = {}
    for one in (pid, *children(pid)):
        status = Path(f"/proc/{one}/status").read_text()
        words = Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")
        name = " ".join(word.decode() for word in words[-5:] if word in (b"receiver", b"processor"))
        peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        found[name or str(one)] = int(peak) / 1024
    return found


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]
