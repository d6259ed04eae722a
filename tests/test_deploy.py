"""The image, the compose file, the proxies and the scripts name commands, ports and files that exist."""

import http.server
import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import typer
import yaml

PROJECT = Path(__file__).parent.parent
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "wamtrail"}
SCRIPTS = sorted((PROJECT / "scripts").iterdir())
PARTS = {"receiver": "8080", "console": "8081", "processor": "9090", "sender": "9090"}
is_well = run_path(str(PROJECT / "deploy" / "healthcheck.py"))["is_well"]


def instructions(word: str) -> list[str]:
    """What follows a word of the Dockerfile, with continued lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.split(None, 1)[1].strip() for line in joined.splitlines() if line.startswith(f"{word} ")]


def parse(words: list[str]) -> None:
    """Parses a command line as `wamtrail` would, without running it; anything unknown raises."""
    from wamtrail.main import app

    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands"):
        assert rest, f"`wamtrail {' '.join(words)}` names no command"
        assert rest[0] in command.commands, f"`wamtrail {' '.join(words)}`: no command {rest[0]}"
        command = command.commands[rest.pop(0)]
    command.make_context("wamtrail", rest)


def test_an_unknown_command_or_option_would_be_noticed() -> None:
    for words in (["run", "nothing"], ["nothing"], ["run", "receiver", "--no-such-option"], ["run"]):
        with pytest.raises(Exception, match=r"no command|names no command|No such option"):
            parse(words)


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_service_runs_a_command_that_wamtrail_knows(name: str) -> None:
    parse(OURS[name]["command"])


def test_the_image_and_the_demo_run_commands_that_wamtrail_knows() -> None:
    assert json.loads(instructions("ENTRYPOINT")[-1]) == ["wamtrail"]
    parse(json.loads(instructions("CMD")[-1]))
    last = (PROJECT / "scripts" / "demo").read_text().splitlines()[-1]
    parse([word for word in shlex.split(last.partition("wamtrail ")[2]) if word != "$@"])


def test_the_image_is_made_by_the_install_script_and_does_not_run_as_root() -> None:
    assert "scripts/install /opt/wamtrail" in instructions("RUN")
    user = instructions("USER")[-1].partition(":")[0]
    assert user.isdigit()
    assert int(user) > 0
    assert f"--uid {user} " in DOCKERFILE


def test_the_image_stops_politely_and_says_whether_it_is_well() -> None:
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert "/opt/wamtrail/healthcheck.py" in instructions("HEALTHCHECK")[-1]
    assert "deploy/healthcheck.py /opt/wamtrail/healthcheck.py" in instructions("COPY")


def test_what_the_image_is_made_of_reaches_the_builder() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (PROJECT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    packages = re.search(r"^packages = (\[.*\])$", (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    assert packages is not None
    needed = {*json.loads(packages[1]), "pyproject.toml", "README.md", "requirements.lock", "scripts"}
    assert needed <= allowed
    assert all((PROJECT / name).exists() for name in allowed)


def test_only_the_door_is_open_to_everybody() -> None:
    published = {
        name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service
    }
    assert published == {"receiver": ["8080:8080"], "console": ["127.0.0.1:8081:8081"]}


@pytest.mark.parametrize(("name", "port"), sorted(PARTS.items()))
def test_every_part_is_asked_for_its_health_on_a_port_that_it_has(name: str, port: str) -> None:
    assert OURS[name]["healthcheck"]["test"][-1] == port
    bound = [*instructions("ENV"), str(OURS[name]["environment"])]
    assert f"0.0.0.0:{port}" in " ".join(bound)


def test_the_parts_start_once_the_tables_are_there() -> None:
    assert OURS["migrate"]["command"] == ["db", "upgrade"]
    for name in PARTS:
        assert OURS[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_every_secret_comes_from_a_file_that_git_ignores() -> None:
    for name, service in COMPOSE["services"].items():
        files = {value for key, value in service["environment"].items() if key.endswith("_FILE")}
        assert files == {f"/run/secrets/{secret}" for secret in service["secrets"]}, name
    for secret, source in COMPOSE["secrets"].items():
        assert source == {"file": f"deploy/secrets/{secret}"}
    assert "*" in (PROJECT / "deploy" / "secrets" / ".gitignore").read_text().split()


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_passes_only_what_meta_calls(name: str) -> None:
    text = re.sub(r"#.*", "", (PROJECT / "deploy" / name).read_text())
    assert "127.0.0.1:8080" in text
    assert "8081" not in text
    assert set(re.findall(r"/(?:webhooks/whatsapp\S*|healthz|readyz|metrics|api|v1)", text)) == {
        "/webhooks/whatsapp",
        "/webhooks/whatsapp/" + ("*" if name == "Caddyfile" else ""),
        "/healthz",
    }
    assert re.search(r"return 404;|respond 404", text)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_run_and_is_plain_shell(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", script], check=True)


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server whose /healthz answers with the status; yields its port."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_health_check_believes_only_a_200() -> None:
    with answering(200) as port:
        assert is_well(port)
    assert not is_well(port)
    with answering(503) as port:
        assert not is_well(port)
