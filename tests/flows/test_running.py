"""Starting, stopping and refusing to start: what an operator meets first."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from flows.conftest import Make
from flows.installation import eventually, free_port, printed, stop


def test_everything_runs_in_one_process_and_answers_a_job_with_a_token(install: Make) -> None:
    installed = install()
    console = f"http://127.0.0.1:{installed.console_port}"
    process = installed.start("run", "all", ready=f"{console}/healthz")
    done = installed.send_text("+919812340001", "Hello", "--reference", "r-1")
    assert done.returncode == 0, done.stderr
    token = installed.run("token", "create", "--role", "reporter").stdout.strip()
    with httpx.Client(base_url=console, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as job:
        eventually(lambda: job.get("/api/v1/messages/r-1").json()["status"] == "read")
        listed = job.get("/api/v1/messages", params={"status": "read"}).json()
        assert [one["message_id"] for one in listed["messages"]] == [printed(done, "message_id")]
    assert stop(process) == 0


def test_the_console_serves_nothing_without_a_token(install: Make) -> None:
    installed = install()
    console = f"http://127.0.0.1:{installed.console_port}"
    installed.start("run", "console", ready=f"{console}/healthz")
    with httpx.Client(base_url=console, trust_env=False) as stranger:
        assert stranger.get("/api/v1/messages").status_code == 401
        page = stranger.get("/")
        assert (page.status_code, page.headers["location"], page.content) == (303, "/sign-in", b"")


def test_each_part_stops_within_ten_seconds(install: Make) -> None:
    installed = install()
    installed.start_receiver()
    parts = []
    for part in ("processor", "sender"):
        metrics = f"127.0.0.1:{free_port()}"
        ready = f"http://{metrics}/healthz"
        parts.append(installed.start("run", part, ready=ready, WAMTRAIL_METRICS_BIND=metrics))
    eventually(lambda: installed.send_text("+919812340001").returncode == 0)
    for process in parts:
        started = time.monotonic()
        assert stop(process) == 0
        assert time.monotonic() - started < 10


def test_the_receiver_refuses_to_start_without_a_secret(install: Make) -> None:
    installed = install()
    done = installed.run("run", "receiver", WAMTRAIL_APP_SECRETS="")
    assert done.returncode == 1
    assert done.stderr.startswith("wamtrail: WAMTRAIL_APP_SECRETS is not set")


def test_a_busy_port_is_one_plain_sentence(install: Make) -> None:
    installed = install()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", installed.receiver_port))
        taken.listen()
        done = installed.run("run", "receiver")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "WAMTRAIL_RECEIVER_BIND" in done.stderr


def test_an_absent_database_is_one_plain_sentence(install: Make) -> None:
    installed = install()
    for url in ("sqlite:////no/such/folder/x.db", "postgresql://u:secret-word@127.0.0.1:9/x"):
        done = installed.run("message", "list", WAMTRAIL_DATABASE_URL=url)
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert "secret-word" not in done.stderr


def test_a_database_without_tables_names_the_command_to_run(install: Make, tmp_path: Path) -> None:
    installed = install()
    done = installed.run("message", "list", WAMTRAIL_DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    assert done.returncode == 1
    assert "wamtrail db upgrade" in done.stderr


def test_the_demo_shows_messages_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "wamtrail", "demo", "--port", str(port), "--messages", "6"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    home = f"http://127.0.0.1:{port}"
    try:
        while not said or "Sign in as" not in said[-1]:
            said.append(process.stdout.readline())
            assert said[-1], "the demo ended"
        form = {"name": "demo", "password": said[-1].split()[-1]}
        with httpx.Client(base_url=home, trust_env=False) as browser:
            assert browser.get("/").headers["location"].startswith("/sign-in")
            assert browser.post("/sign-in", data=form, headers={"origin": home}).status_code == 303

            def shown() -> str:
                return browser.get("/search", params={"q": "status:delivered"}).text

            eventually(lambda: "order-10" in shown())
            assert "919812" not in shown().replace("+91 98", "")
            assert "Needs a person" in browser.get("/").text
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    out = "".join(said) + out
    assert process.returncode == 0, err
    assert f"http://127.0.0.1:{port}/" in out
    assert "Traceback" not in err
