"""Starting and stopping the simulator as a server."""

import signal
import socket
import subprocess
import sys

import httpx
import pytest

from simulator.running import RunningSimulator
from simulator.scenario import Scenario
from simulator.server import run

PROGRAM = """
from simulator.scenario import Scenario
from simulator.server import run
run(Scenario(), "127.0.0.1", 0, lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_quietly(ending: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/_simulator/idle", trust_env=False).json() == {"idle": True}
        process.send_signal(ending)
        said, complained = process.communicate(timeout=20)
    assert (process.returncode, said, complained) == (0, "ended\n", "")


def test_a_busy_port_is_one_plain_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            OSError, match=rf"^The simulator cannot listen on 127\.0\.0\.1:{port} .*choose another one\.$"
        ):
            run(Scenario(), "127.0.0.1", port)
        with pytest.raises(OSError, match="cannot listen"), RunningSimulator(Scenario(), port=port):
            pass


def test_the_address_can_be_chosen_and_is_free_again_afterwards() -> None:
    with RunningSimulator(Scenario()) as first:
        port = int(first.url.rpartition(":")[2])
    with RunningSimulator(Scenario(), port=port) as second:
        assert second.url == first.url
        assert second.idle()
