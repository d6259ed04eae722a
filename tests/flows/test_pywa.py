"""A client library that knows nothing of us: pywa, with only its address and key changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pywa import WhatsApp
from pywa.errors import WhatsAppError
from pywa.types import Button, Section, SectionList, SectionRow
from pywa.types.templates import BodyText, TemplateLanguage

from flows.conftest import Make
from flows.installation import NUMBER, Installation, eventually


@contextmanager
def _client(installed: Installation) -> Iterator[WhatsApp]:
    console = f"http://127.0.0.1:{installed.console_port}"
    installed.start("run", "all", ready=f"{console}/healthz")
    token = installed.run("token", "create", "--role", "sender").stdout.strip()
    with httpx.Client(headers={"api-key": token}, trust_env=False, timeout=30) as session:
        client = WhatsApp(phone_id=NUMBER, token="unused", session=session)
        session.base_url = httpx.URL(f"{console}/v1/{installed.simulator.scenario.sid}/wrapper")
        yield client


@contextmanager
def _job(installed: Installation) -> Iterator[httpx.Client]:
    token = installed.run("token", "create", "--role", "reporter").stdout.strip()
    base = f"http://127.0.0.1:{installed.console_port}/api/v1/messages/"
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=base, headers=headers, trust_env=False) as job:
        yield job


def _story(job: httpx.Client, wamid: str) -> dict[str, Any]:
    found: dict[str, Any] = job.get(quote(wamid, safe="")).json()
    return found


def _read_story(job: httpx.Client, wamid: str) -> dict[str, Any]:
    eventually(lambda: _story(job, wamid)["status"] == "read")
    return _story(job, wamid)


def test_its_texts_templates_and_buttons_leave_and_are_found_by_the_id_it_was_given(install: Make) -> None:
    installed = install()
    with _client(installed) as client:
        text = client.send_message(to="919812340001", text="Hello from pywa", tracker="order-77")
        template = client.send_template(
            to="+91 98123 40001",
            name="order_update",
            language=TemplateLanguage.ENGLISH,
            params=[BodyText.params("Asha", "77")],
        )
        buttons = client.send_message(
            to="919812340001",
            text="Is it there?",
            footer="Wamtrail",
            buttons=[Button("Yes", "yes"), Button("No", "no")],
        )
        rows = [SectionRow(title="Morning", callback_data="am", description="8 to 12")]
        choice = client.send_message(
            to="919812340001",
            text="When?",
            buttons=SectionList("Choose", sections=[Section(title="Today", rows=rows)]),
        )
    sent = {"text": text, "template": template, "buttons": buttons, "list": choice}
    taken = {one["wamid"]: one["body"] for one in installed.simulator.messages()}
    assert {one.id for one in sent.values()} == set(taken)
    with _job(installed) as job:
        stories = {name: _read_story(job, one.id) for name, one in sent.items()}
    assert [story["type"] for story in stories.values()] == ["text", "template", "interactive", "interactive"]
    assert stories["text"]["callback_data"] == "order-77"
    assert stories["template"]["template"] == "order_update"
    parameters = taken[template.id]["template"]["components"][0]["parameters"]
    assert [one["text"] for one in parameters] == ["Asha", "77"]
    assert taken[template.id]["to"] == "+919812340001"
    assert len(taken[buttons.id]["interactive"]["action"]["buttons"]) == 2
    for story in stories.values():
        assert [one["status"] for one in story["updates"]] == ["sent", "delivered", "read"]


def test_it_understands_our_refusals_as_metas(install: Make) -> None:
    installed = install()
    with _client(installed) as client:
        with pytest.raises(WhatsAppError) as invalid:
            client.send_message(to="12", text="Hello")
        with pytest.raises(WhatsAppError) as refused:
            client.send_template(
                to="919812340021", name="nobody_knows", language=TemplateLanguage.ENGLISH, params=[]
            )
        with pytest.raises(WhatsAppError) as unknown:
            client.send_message(to="919812340014", text="Hello")
    assert (invalid.value.status_code, invalid.value.code) == (400, 100)
    assert str(invalid.value.details).startswith("to:")
    assert refused.value.code == 132001
    assert (unknown.value.code, unknown.value.is_transient) == (131000, False)
    assert "Do not repeat" in str(unknown.value.details)


def test_its_read_receipts_pass_and_are_no_messages(install: Make) -> None:
    installed = install()
    with _client(installed) as client:
        assert client.mark_message_as_read("wamid.HBgM").success
        assert client.indicate_typing("wamid.HBgM").success
    assert [one["outcome"] for one in installed.simulator.posts()] == ["read receipt"] * 2
    assert installed.run("message", "list", "--json").stdout.replace(" ", "").startswith('{\n"messages":[]')
