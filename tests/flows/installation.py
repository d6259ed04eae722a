"""An installation for flow tests: real processes, real sockets, the simulator as Kaleyra and Meta."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from quick_commands import QuickCommands

from simulator.running import RunningSimulator
from simulator.scenario import Scenario

NUMBER = "106540352242922"
PATIENCE = 30.0  # seconds for any condition
T = TypeVar("T")


def eventually(condition: Callable[[], T], patience: float = PATIENCE) -> T:
    """Wait until the condition holds; fail with its last value when it does not."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, f"did not come true in {patience} s: {value!r}"
        time.sleep(0.02)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """`wamtrail` with settings of its own; the processes it starts end with the block."""

    def __init__(
        self, database_url: str, folder: Path, commands: QuickCommands | None = None, **scenario: Any
    ) -> None:
        """`commands` runs what comes to its end by itself; without it each is a Python of its own."""
        self.receiver_port, self.console_port = free_port(), free_port()
        self.callback_url = f"http://127.0.0.1:{self.receiver_port}/webhooks/whatsapp"
        self.simulator = RunningSimulator(
            Scenario(
                **{
                    "phone_number_ids": (NUMBER,),
                    "callback_url": self.callback_url,
                    "status_delay": 0.05,
                    "retry": 12,
                    "retry_after": 0.1,
                    **scenario,
                }
            )
        )
        self._database_url = database_url
        self._folder = folder
        self._commands = commands
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        self.simulator.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            stop(process)
        self.simulator.__exit__(kind, error, trace)

    @property
    def environment(self) -> Mapping[str, str]:
        scenario = self.simulator.scenario
        return {
            **os.environ,
            "WAMTRAIL_DATABASE_URL": self._database_url,
            "WAMTRAIL_APP_SECRETS": scenario.app_secret,
            "WAMTRAIL_VERIFY_TOKENS": scenario.verify_token,
            "WAMTRAIL_SECRET_KEY": "a-key-for-tests-only-0123456789",
            "WAMTRAIL_WRAPPER_URL": self.simulator.url,
            "WAMTRAIL_WRAPPER_SID": scenario.sid,
            "WAMTRAIL_WRAPPER_API_KEY": scenario.api_key,
            "WAMTRAIL_RECEIVER_BIND": f"127.0.0.1:{self.receiver_port}",
            "WAMTRAIL_CONSOLE_BIND": f"127.0.0.1:{self.console_port}",
            "WAMTRAIL_STATE_DIR": str(self._folder / "state"),
        }

    def start(self, *arguments: str, ready: str | None = None, **environment: str) -> subprocess.Popen[str]:
        """`wamtrail ARGUMENTS` in the background; waits for the address `ready` to answer."""
        process = subprocess.Popen(
            self._command(arguments),
            env={**self.environment, **environment},
            cwd=self._folder,
            text=True,
        )
        self._processes.append(process)
        if ready is not None:
            eventually(lambda: process.poll() is not None or answers(ready))
            assert process.poll() is None, f"wamtrail {' '.join(arguments)} ended with {process.returncode}"
        return process

    def start_receiver(self) -> subprocess.Popen[str]:
        return self.start("run", "receiver", ready=f"http://127.0.0.1:{self.receiver_port}/healthz")

    def run(
        self, *arguments: str, input: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """`wamtrail ARGUMENTS` to its end, output captured."""
        wanted = {**self.environment, **environment}
        if self._commands is not None and arguments[0] != "run":
            return self._commands.run(arguments, env=wanted, cwd=self._folder, input=input)
        return subprocess.run(
            self._command(arguments),
            input=input,
            env=wanted,
            cwd=self._folder,
            text=True,
            capture_output=True,
            timeout=60,
        )

    def send_text(
        self, to: str, body: str = "Hello", *more: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return self.run("send", "text", "--from", NUMBER, "--to", to, "--body", body, *more, **environment)

    def shown(self, typed: str) -> dict[str, Any]:
        """`message show --json`."""
        done = self.run("message", "show", typed, "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "wamtrail", *arguments]


def printed(done: subprocess.CompletedProcess[str], word: str) -> str:
    """The value of the line `word VALUE` of a command's output."""
    return next(line.split(" ", 1)[1] for line in done.stdout.splitlines() if line.startswith(f"{word} "))


def answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
