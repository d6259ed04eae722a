"""The wrapper guide's sample request and its answers, each through a real socket and the command."""

import json

from flows.conftest import Make
from flows.installation import NUMBER, printed

SAMPLE = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "+919812340002",
    "type": "text",
    "text": {"preview_url": False, "body": "Hello from the wrapper guide"},
}


def test_the_sample_request_reaches_the_wrapper_as_the_guide_prints_it(install: Make) -> None:
    installed = install()
    done = installed.run("send", "payload", "-", "--from", NUMBER, input=json.dumps(SAMPLE))
    assert done.returncode == 0, done.stderr
    taken = installed.simulator.messages()[0]
    left = dict(taken["body"])
    assert left.pop("biz_opaque_callback_data") == printed(done, "message_id")
    assert left == SAMPLE
    assert taken["wamid"] == printed(done, "wamid")


def test_the_base_address_is_understood_with_version_and_sid_as_the_guide_prints_it(install: Make) -> None:
    installed = install()
    sid, url = installed.simulator.scenario.sid, installed.simulator.url
    for base in (f"{url}/v1", f"{url}/v1/{sid}", f"{url}/v1/{sid}/"):
        assert installed.send_text("+919812340002", WAMTRAIL_WRAPPER_URL=base).returncode == 0


def test_kaleyras_401_is_told_as_wrong_sid_or_key(install: Make) -> None:
    installed = install()
    done = installed.send_text(
        "+919812340002", "Hi", "--reference", "r", WAMTRAIL_WRAPPER_API_KEY="wrong-key"
    )
    assert done.returncode == 1
    assert "wrong-key" not in done.stdout + done.stderr
    story = installed.shown("r")
    assert (story["refused_by"], story["error"]["code"]) == ("wrapper", "RBC201")
    assert "SID" in story["error"]["meaning"] + story["error"]["action"]


def test_metas_400_for_a_foreign_phone_number_id_says_where_the_right_one_is_found(install: Make) -> None:
    installed = install()
    done = installed.run(
        *("send", "text", "--from", "999999999999999", "--to", "+919812340002"),
        *("--body", "Hi", "--reference", "r"),
    )
    assert done.returncode == 1
    story = installed.shown("r")
    assert (story["refused_by"], story["error"]["code"]) == ("meta", 100)
    assert "PHONE_NUMBER_ID" in story["error"]["meaning"] + story["error"]["action"]


def test_a_phone_number_as_from_is_told_apart_from_its_id(install: Make) -> None:
    installed = install()
    done = installed.run("send", "text", "--from", "+919812340002", "--to", "+919812340001", "--body", "Hi")
    assert done.returncode == 1
    assert "PHONE_NUMBER_ID" in done.stderr
    assert installed.simulator.posts() == []
