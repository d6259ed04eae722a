"""Runs `wamtrail ...` to its end without the half second that Python needs to import everything.

A process that has imported the command waits for requests; for each it forks a child with the caller's
environment, folder and streams, which then does what `python -m wamtrail` does. Linux and macOS.
"""

import gc
import importlib
import json
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

STREAMS = 3  # standard input, output and errors
LONGEST = 1 << 20  # bytes of a request: arguments and environment


class QuickCommands:
    """One server a test process; `run` is like `subprocess.run` with captured text."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            self._server = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )
        self._socket = ours
        self._turn = threading.Lock()

    def close(self) -> None:
        self._socket.close()  # it ends when nobody can ask any more
        self._server.wait(10)

    def run(
        self,
        arguments: tuple[str, ...],
        *,
        env: Mapping[str, str],
        cwd: Path,
        input: str | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        with ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(STREAMS)]
            if input is not None:
                files[0].write(input.encode())
                files[0].seek(0)
            code = self._ended({"arguments": arguments, "env": dict(env), "cwd": str(cwd)}, files, timeout)
            out, err = (_text(one) for one in files[1:])
        return subprocess.CompletedProcess(["wamtrail", *arguments], code, out, err)

    def _ended(self, asked: object, files: list[IO[bytes]], timeout: float) -> int:
        """One caller's own line to the child, so that several may run at once."""
        mine, childs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with mine, childs:
            with self._turn:
                socket.send_fds(self._socket, [b"."], [childs.fileno(), *(one.fileno() for one in files)])
            childs.close()
            mine.settimeout(timeout)
            mine.sendall(json.dumps(asked).encode())
            mine.shutdown(socket.SHUT_WR)
            told = b"".join(iter(lambda: mine.recv(64), b""))
        assert told, "the command's server died"
        return int(told)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@contextmanager
def quick_commands() -> Iterator[QuickCommands]:
    commands = QuickCommands()
    try:
        yield commands
    finally:
        commands.close()


# The server. Each request gets a keeper, which forks the command and tells how it ended.


def serve(asking: socket.socket) -> None:
    """What takes so long comes first: the command, the rooms and what they are made of."""
    import sqlalchemy.dialects.postgresql.psycopg
    import sqlalchemy.dialects.sqlite  # noqa: F401

    for room in ("wamtrail", "sender", "receiver", "reports", "store", "whatsapp"):
        for module in pkgutil.iter_modules(importlib.import_module(room).__path__, f"{room}."):
            if not module.name.endswith("__main__"):  # which is the command
                importlib.import_module(module.name)
    gc.freeze()  # or each child copies what its collector looks at
    while True:
        _, fds, _, _ = socket.recv_fds(asking, 1, 1 + STREAMS)
        if not fds:
            return
        if os.fork() == 0:
            asking.close()
            keep(socket.socket(fileno=fds[0]), fds[1:])
            os._exit(0)
        for fd in fds:
            os.close(fd)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass  # keepers that are done


def keep(caller: socket.socket, streams: list[int]) -> None:
    asked = json.loads(b"".join(iter(lambda: caller.recv(LONGEST), b"")))
    child = os.fork()
    if child == 0:
        caller.close()
        command(asked, streams)
    _, status = os.waitpid(child, 0)
    with suppress(BrokenPipeError):
        caller.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def command(asked: dict, streams: list[int]) -> None:
    for place, fd in enumerate(streams):
        os.dup2(fd, place)
    os.closerange(STREAMS, max(streams) + 1)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.argv = ["wamtrail", *asked["arguments"]]
    from wamtrail.main import run

    run()
    sys.exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
