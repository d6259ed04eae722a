"""Templates and opt-outs over real processes: imports, webhooks that pause, people who want no marketing."""

import json
import os
import time
from pathlib import Path
from typing import Any

import httpx

from flows.conftest import Make
from flows.installation import NUMBER, Installation, eventually
from whatsapp.signature import sign

TO = "+919812340001"
DEFINITION = {
    "name": "new_bottles",
    "language": "en",
    "status": "APPROVED",
    "category": "MARKETING",
    "components": [{"type": "BODY", "text": "Hello {{1}}, look at our new bottles."}],
}


def send(installed: Installation, *values: str, language: str = "en", to: str = TO) -> Any:
    params = [word for value in values for word in ("--param", value)]
    named = ("--name", "new_bottles", "--language", language)
    return installed.run("send", "template", "--from", NUMBER, "--to", to, *named, *params)


def write(folder: Path, content: Any, name: str = "file.json", at: float | None = None) -> str:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    os.utime(path, None if at is None else (at, at))
    return str(path)


def tell(installed: Installation, field: str, value: dict[str, Any], at: float) -> None:
    """A signed webhook to the receiver."""
    entry = {"id": "102290129340398", "time": int(at), "changes": [{"field": field, "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    signature = sign(installed.simulator.scenario.app_secret, body)
    headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
    answer = httpx.post(installed.callback_url, content=body, headers=headers, trust_env=False)
    assert answer.status_code == 200


def about(status: str) -> dict[str, Any]:
    template = {"message_template_name": "new_bottles", "message_template_language": "en"}
    return {**template, "event": status, "reason": "NONE", "other_info": {"title": "FIRST_PAUSE"}}


def test_a_template_is_imported_checked_paused_by_a_webhook_and_freed(install: Make, tmp_path: Path) -> None:
    installed, began = install(), time.time()
    assert send(installed, "a", "b", "c").returncode == 0  # nothing is known of it yet
    done = installed.run(
        "template", "import", write(tmp_path, {"data": [DEFINITION, {"name": "x"}]}, at=began - 60)
    )
    assert done.returncode == 1
    assert "Imported 1 translation." in done.stdout
    assert done.stderr.startswith("wamtrail: Template 2 of 2 cannot be used: ")
    refused = send(installed, "a", "b")
    assert refused.returncode == 1
    assert "2 values, but the template's body has 1 variable" in refused.stderr
    assert "it has en." in send(installed, "a", language="hi").stderr
    assert send(installed, "Asha").returncode == 0

    installed.start_receiver()
    tell(installed, "message_template_status_update", about("PAUSED"), began - 20)
    eventually(lambda: "paused" in installed.run("template", "list").stdout)
    refused = send(installed, "Asha")
    assert refused.returncode == 1
    assert "new_bottles (en) is paused at Meta. Meta's reason: FIRST_PAUSE." in refused.stderr
    assert "Traceback" not in refused.stderr
    tell(installed, "message_template_status_update", about("APPROVED"), began - 40)  # late, and older
    tell(installed, "template_category_update", {**about(""), "new_category": "UTILITY"}, began - 10)
    eventually(lambda: "utility" in installed.run("template", "show", "new_bottles").stdout)
    assert send(installed, "Asha").returncode == 1
    stale = installed.run("template", "import", write(tmp_path, DEFINITION, at=began - 60))
    assert "new_bottles (en) stays PAUSED" in stale.stderr
    tell(installed, "message_template_status_update", about("APPROVED"), time.time())
    eventually(lambda: send(installed, "Asha").returncode == 0)
    assert len(installed.simulator.messages()) == 3
    (shown,) = json.loads(installed.run("template", "show", "new_bottles", "--json").stdout)[:1]
    assert (shown["name"], shown["imported"]) == ("new_bottles", True)


def test_who_opted_out_gets_no_marketing_until_they_come_back(install: Make, tmp_path: Path) -> None:
    installed = install()
    installed.start_receiver()
    preference = {
        "category": "marketing_messages",
        "wa_id": TO.removeprefix("+"),
        "timestamp": int(time.time()),
    }
    said = {"contacts": [], "user_preferences": [{**preference, "value": "stop"}]}
    tell(installed, "user_preferences", said, time.time())
    eventually(lambda: "by meta" in installed.run("suppression", "list").stdout)
    refused = send(installed, "Asha")
    assert refused.returncode == 1
    assert "template's category" in refused.stderr
    installed.run("template", "import", write(tmp_path, DEFINITION))
    assert "The template is marketing" in send(installed, "Asha").stderr
    assert installed.simulator.posts() == []
    assert installed.send_text(TO).returncode == 0
    freed = installed.run("suppression", "remove", TO, "--note", "asked by phone")
    assert (freed.returncode, freed.stdout) == (0, "Removed.\n")
    assert "131050" in freed.stderr
    assert send(installed, "Asha").returncode == 0


def test_people_are_put_on_the_list_and_taken_off_by_hand(install: Make, tmp_path: Path) -> None:
    installed = install()
    for who in (TO, "US.13491208655302741918"):
        assert installed.run("suppression", "add", who, "--note", "asked by phone").returncode == 0
    assert send(installed, "Asha").returncode == 1
    listed = installed.run("suppression", "list").stdout
    assert "asked by phone" in listed
    assert TO.removeprefix("+") not in listed
    lines = installed.run("suppression", "list", "--json").stdout.splitlines()
    assert [json.loads(line)["recipient"] for line in lines] == ["919812340001", "US.13491208655302741918"]
    assert installed.run("suppression", "remove", TO).returncode == 0
    assert "nothing to remove" in installed.run("suppression", "remove", TO).stdout
    wrong = installed.run("suppression", "add", "12345")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("wamtrail: The phone number")
    assert send(installed, "Asha").returncode == 0


def test_a_payload_is_checked_without_a_database_or_a_wrapper(install: Make, tmp_path: Path) -> None:
    installed = install()
    nothing = {
        "WAMTRAIL_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
        "WAMTRAIL_WRAPPER_SID": "",
        "WAMTRAIL_WRAPPER_API_KEY": "",
    }

    def check(content: Any, **environment: str) -> Any:
        return installed.run("send", "payload", "--check", write(tmp_path, content), **nothing, **environment)

    sound = {"messaging_product": "whatsapp", "to": TO, "type": "text", "text": {"body": "Hello"}, "new": 1}
    done = check(sound)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Valid: text to ")
    assert TO not in done.stdout
    bad = {**sound, "to": "US.13491208655302741918", "text": {"body": "x" * 4103}}
    done = check(bad)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "wamtrail: /to  to: is a business-scoped user id, which belongs in `recipient`;"
        " in `to` it would be lost",
        "wamtrail: /text/body  text.body: 4,103 characters, the limit is 4,096",
    ]
    national = {**sound, "to": "98123 40001"}
    assert check(national).returncode == 1
    assert check(national, WAMTRAIL_DEFAULT_COUNTRY="IN").returncode == 0
    image = {
        "messaging_product": "whatsapp",
        "to": TO,
        "type": "image",
        "image": {"link": "http://a.example/b.png"},
    }
    warned = check(image)
    assert warned.returncode == 0
    assert warned.stderr.startswith("wamtrail: warning: image.link: the link is not https")
    for broken in ("{", "[" * 100_000, ""):
        done = check(broken)
        assert (done.returncode, done.stdout) == (1, "")
        assert "is not JSON" in done.stderr
        assert "Traceback" not in done.stderr
    assert installed.simulator.posts() == []
    assert installed.run("send", "payload", write(tmp_path, sound)).returncode == 2
