"""What the documents name exists: commands, settings, files, links, figures, keys and words."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from test_deploy import PROJECT, parse

from receiver.backlog_figures import BacklogFigures
from receiver.figures import DoorFigures, ProcessorFigures
from reports.message_json import message_json
from sender.figures import QueueFigures, SenderFigures
from store import status
from store.stories import Story
from store.tables.sends import STATES
from wamtrail.main import app
from wamtrail.settings import PREFIX, Settings

DOCUMENTS = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
NAMES = [str(path.relative_to(PROJECT)) for path in DOCUMENTS]
GROUPS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
FOLDERS = (
    "scripts|deploy|docs|tests|migrations|whatsapp|store|receiver|sender|support|reports|simulator|wamtrail"
)
ONLY_FOR_ENDPOINTS = {"WAMTRAIL_NEW_APP_SECRET", "WAMTRAIL_NEW_VERIFY_TOKEN"}

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    """What stands in fences, with continued lines joined and indentation gone."""
    found = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(r"\s*\\\n\s*", " ", block) for block in found]


def spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))


def command_lines(text: str) -> Iterator[list[str]]:
    """Everything that is written as a `wamtrail` command, without its first word."""
    for line in (line.strip() for block in blocks(text) for line in block.splitlines()):
        if re.match(r"(\.venv/bin/|/opt/[\w-]+/bin/)?wamtrail [a-z]", line) and "──" not in line:
            yield shlex.split(line, comments=True)[1:]
    for span in spans(text):
        words = shlex.split(span) if re.match(r"(wamtrail )?[a-z]+ [a-z]", span) else []
        if words[:1] == ["wamtrail"]:
            yield words[1:]
        elif words and words[0] in GROUPS:
            yield words


def only_named(words: list[str]) -> bool:
    """Whether the words are a command's name and nothing else, as tables mention it."""
    command: Any = typer.main.get_command(app)
    for word in words:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            return False
    return True


def rows(text: str) -> list[list[str]]:
    """The cells of every line of a table."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def anchors(text: str) -> set[str]:
    """The names under which headings can be linked to, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@every_document
def test_every_command_line_is_one_that_wamtrail_understands(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "body.json").touch()
    for words in command_lines(document.read_text()):
        if not only_named(words):
            parse(words)


def test_command_lines_are_found_in_blocks_and_in_the_text() -> None:
    found = list(command_lines(read("README.md")))
    assert ["db", "upgrade"] in found
    assert ["webhooks", "replay"] in found
    assert any(words[:2] == ["send", "text"] and "--body" in words for words in found)


def test_a_wrong_command_line_in_a_document_would_be_noticed() -> None:
    for wrong in ("```sh\nwamtrail send text --too me\n```", "Run `wamtrail db upgarde`.", "`run nothing`"):
        (words,) = command_lines(wrong)
        assert not only_named(words)
        with pytest.raises(Exception, match=r"no command|No such option|Missing"):
            parse(words)


def test_every_command_stands_in_the_readme() -> None:
    root: Any = typer.main.get_command(app)
    every = [
        f"wamtrail {name} {sub}" if sub else f"wamtrail {name}"
        for name, command in root.commands.items()
        for sub in getattr(command, "commands", {"": None})
    ]
    table = [span for row in rows(read("README.md")) for span in spans(row[0])]
    assert [name for name in every if name not in table] == []


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        there = (document.parent / name).resolve() if name else document
        assert there.exists(), f"{target} does not exist"
        assert not anchor or anchor in anchors(there.read_text()), f"{target} has no such heading"


@every_document
def test_every_file_that_is_named_exists(document: Path) -> None:
    for name in re.findall(rf"(?<![\w./-])(?:{FOLDERS})/[\w.*/-]*[\w*]", document.read_text()):
        assert any(PROJECT.glob(name)), f"{name} does not exist"


@every_document
def test_no_document_names_a_place_on_somebodys_machine(document: Path) -> None:
    assert not re.search(r"(?<![\w.])/(work|root|home|Users|tmp)/", document.read_text())


@every_document
def test_every_setting_that_is_named_exists(document: Path) -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields} | ONLY_FOR_ENDPOINTS
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+", document.read_text()))
    assert {name.removesuffix("_FILE") for name in named} <= known


def test_every_setting_is_explained_with_its_default() -> None:
    told = {row[0].strip("`"): row[1:] for row in rows(read("docs/settings.md"))[1:]}
    defaults = {PREFIX + name.upper(): _spelled(f.default) for name, f in Settings.model_fields.items()}
    assert {name: cells[0].strip("`") for name, cells in told.items()} == defaults
    assert all(meaning and example for _, meaning, example in told.values())


def _spelled(default: Any) -> str:
    if default is None or default == ():
        return "none"
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def _exposed(*kinds: Any) -> set[str]:
    registry = CollectorRegistry()
    for kind in kinds:
        kind(registry)
    return {f"{one.name}_total" if one.type == "counter" else one.name for one in registry.collect()}


def test_the_runbook_names_figures_that_exist_and_all_of_the_receivers() -> None:
    named = {span.partition("{")[0] for span in spans(read("docs/operations.md"))}
    named = {name for name in named if re.fullmatch(r"wamtrail_\w+", name)}
    receivers = _exposed(DoorFigures, ProcessorFigures, BacklogFigures)
    assert receivers <= named
    assert named <= receivers | _exposed(SenderFigures, QueueFigures)


def test_the_documented_json_has_exactly_the_keys_that_are_given() -> None:
    moments = dict.fromkeys(("sent_at", "delivered_at", "read_at", "played_at", "failed_at"))
    error = '[{"code": 131047, "title": "Re-engagement message"}]'
    update = {"status": "failed", "occurred_at": 1, "received_at": 1.0, "participant": "", "errors": error}
    attempt = {"number": 1, "started_at": 1.0, "ended_at": 2.0, "outcome": "refused", "http_status": 400}
    given = message_json(
        Story(
            send=None,
            message={"wamid": "wamid.X", **moments, "failed_at": 1, "error": error},
            participants=[{"participant": "16505551111", **moments, "failed_at": 1, "error": error}],
            updates=[update],
            attempts=[{**attempt, "error": error}],
        )
    )
    document = read("docs/message-json.md")
    tables = [section for section in re.split(r"\n\n(?!\|)", document) if "| key | holds |" in section]
    whole, of_error = ([name for row in rows(table) for name in spans(row[0])] for table in tables)
    assert whole == list(given)
    assert of_error == list(given["error"])
    for name in ("participants", "updates", "attempts"):
        (cell,) = (row[1] for row in rows(document) if row[0] == f"`{name}`")
        assert set(spans(cell)) == set(given[name][0]), name


def test_the_glossary_explains_every_state_status_and_outcome() -> None:
    explained = {word for row in rows(read("docs/glossary.md")) for word in row[0].split(", ")}
    outcomes = {"accepted", "refused", "throttled", "unreachable", "unknown"}
    assert {*STATES, *status.STATUSES, *outcomes} <= explained


def test_the_readme_opens_with_the_two_commands() -> None:
    first = blocks(read("README.md"))[0]
    assert [line.split()[0] for line in first.splitlines()] == ["scripts/demo", "scripts/test"]


def test_the_changes_tell_of_this_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert version in read("CHANGELOG.md")
