"""Whole flows over real processes and sockets: a message out through the wrapper, its statuses in."""

import signal

from flows.conftest import Make
from flows.installation import NUMBER, Installation, eventually, printed, stop


def _status(installed: Installation, typed: str) -> str:
    return str(installed.shown(typed)["status"])


def test_a_text_is_accepted_delivered_and_read(install: Make) -> None:
    installed = install()
    installed.start_receiver()
    done = installed.send_text("+91 98123 40001", "Hello", "--reference", "order-77")
    assert done.returncode == 0, done.stderr
    wamid, message_id = printed(done, "wamid"), printed(done, "message_id")
    eventually(lambda: _status(installed, "order-77") == "read")
    story = installed.shown(message_id)
    assert story["wamid"] == wamid
    assert story["phone_number_id"] == NUMBER
    assert story["recipient"] == "919812340001"
    assert [one["status"] for one in story["updates"]] == ["sent", "delivered", "read"]
    assert [one["outcome"] for one in story["attempts"]] == ["accepted"]
    assert story["settled_by"] == "answer"
    assert installed.run("db", "verify").returncode == 0


def test_a_template_leaves_with_its_parameters(install: Make) -> None:
    installed = install()
    done = installed.run(
        *("send", "template", "--from", NUMBER, "--to", "+919812340002", "--name", "order_update"),
        *("--language", "en", "--param", "Asha", "--param", "77"),
    )
    assert done.returncode == 0, done.stderr
    body = installed.simulator.messages()[0]["body"]
    assert body["template"]["name"] == "order_update"
    assert [one["text"] for one in body["template"]["components"][0]["parameters"]] == ["Asha", "77"]
    assert body["biz_opaque_callback_data"] == printed(done, "message_id")


def test_a_failure_is_explained_with_what_to_do(install: Make) -> None:
    installed = install()
    installed.start_receiver()
    installed.send_text("+919812340005", "Hello", "--reference", "late")
    eventually(lambda: _status(installed, "late") == "failed")
    error = installed.shown("late")["error"]
    assert error["code"] == 131047
    assert error["owner"] == "sender"
    assert "template" in error["action"]
    shown = installed.run("message", "show", "late").stdout
    assert "131047" in shown
    assert "919812340005" not in shown


def test_a_status_before_the_wrappers_answer_changes_nothing(install: Make) -> None:
    installed = install(answer_delay=0.5)
    installed.start_receiver()
    done = installed.send_text("+919812340009")
    assert done.returncode == 0, done.stderr
    message_id = printed(done, "message_id")
    eventually(lambda: _status(installed, message_id) in ("delivered", "read"))
    story = installed.shown(message_id)
    assert [one["outcome"] for one in story["attempts"]] == ["accepted"]
    assert len(installed.simulator.messages()) == 1


def test_an_answer_that_never_arrives_is_unknown_until_a_status_settles_it(install: Make) -> None:
    installed = install(status_delay=0.3)
    done = installed.send_text("+919812340010")
    assert done.returncode == 3, done.stdout + done.stderr
    message_id = printed(done, "message_id")
    assert _status(installed, message_id) == "unknown"
    installed.start_receiver()
    eventually(lambda: _status(installed, message_id) in ("delivered", "read"))
    story = installed.shown(message_id)
    assert story["settled_by"] == "status"
    assert story["wamid"] == installed.simulator.messages()[0]["wamid"]
    assert installed.simulator.messages()[0]["posts"] == 1


def test_ctrl_c_after_the_post_is_unknown_and_never_sent_again(install: Make) -> None:
    installed = install(hang_seconds=20)
    process = installed.start("send", "text", "--from", NUMBER, "--to", "+919812340011", "--body", "Hello")
    eventually(lambda: installed.simulator.messages())
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) in (3, 130)
    message_id = installed.simulator.messages()[0]["callback_data"]
    assert _status(installed, message_id) == "unknown"
    assert installed.simulator.messages()[0]["posts"] == 1


def test_what_the_wrapper_never_took_stays_queued(install: Make) -> None:
    installed = install()
    done = installed.send_text("+919812340020", "Hello", WAMTRAIL_WRAPPER_URL="http://127.0.0.1:9")
    assert done.returncode == 4, done.stdout + done.stderr
    assert _status(installed, printed(done, "message_id")) == "queued"


def test_a_refusal_tells_code_meaning_and_action(install: Make) -> None:
    installed = install()
    done = installed.send_text("+919812340021", "Hello", "--reference", "typo")
    assert done.returncode == 1
    story = installed.shown("typo")
    assert (story["status"], story["refused_by"], story["error"]["code"]) == ("refused", "meta", 132001)


def test_invalid_input_is_told_in_plain_lines_and_nothing_leaves(install: Make) -> None:
    installed = install()
    for arguments in (
        ("+919812340001", "x" * 4097),
        ("9812340001", "no country code"),
        ("US.13491208655302741918", "a business-scoped user id belongs in recipient"),
    ):
        done = installed.send_text(*arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("wamtrail: ")
        assert "Traceback" not in done.stderr
    assert installed.simulator.posts() == []


def test_a_stop_is_orderly(install: Make) -> None:
    installed = install()
    process = installed.start_receiver()
    installed.send_text("+919812340001")
    eventually(lambda: installed.simulator.webhooks())
    assert stop(process) == 0
