"""A list as a person sends it: from a spreadsheet's export to its result file, cut off and resumed."""

import csv
import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flows.conftest import Make
from flows.installation import NUMBER, Installation, eventually, stop
from store.database import Database
from store.sends import end_leases

TEMPLATE = ("--template", "order_update", "--language", "en")
OPTED_OUT = "+91 98123 70017"


def spreadsheet(path: Path) -> Path:
    """Fifty people as Excel for Europe exports them: BOM, semicolons, CRLF; two rows are bad."""
    lines = ["to;reference;1;2"]
    for n in range(1, 51):
        to = {7: "9.19812E+11", 17: OPTED_OUT, 30: "98123 30999"}.get(n, f"+91 98123 {n:02d}999")
        name = '"Asha; the ""first"""' if n == 1 else f"Person {n}"
        lines.append(f"{to};order-{n};{name};{n},50")
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines, ";;;", ""]).encode())
    return path


def sent_bulk(installed: Installation, *arguments: str, **environment: str):
    return installed.run("send", "bulk", "--from", NUMBER, *arguments, **environment)


def results(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["reference"] or row["line"]: row for row in csv.DictReader(file)}


def taken(installed: Installation) -> Counter[str]:
    return Counter(one["body"]["to"] for one in installed.simulator.messages())


def run_id(installed: Installation) -> str:
    return installed.run("bulk", "list").stdout.split()[0]


def test_fifty_people_from_a_spreadsheet_to_the_result_file(install: Make, tmp_path: Path) -> None:
    installed = install(fail_share=0.0, sent_only_share=0.0)
    installed.start_receiver()
    file, result = spreadsheet(tmp_path / "people.csv"), tmp_path / "result.csv"
    assert installed.run("suppression", "add", OPTED_OUT).returncode == 0

    dry = sent_bulk(installed, str(file), *TEMPLATE, "--dry-run")
    assert dry.returncode == 1, dry.stderr
    told = [line for line in dry.stdout.splitlines() if line.startswith("line ")]
    assert [line.split(":")[0] for line in told] == ["line 8", "line 18", "line 31"]
    assert "scientific notation" in told[0]
    assert "opted out" in told[1]
    assert "country code" in told[2]
    assert "47 rows can be sent, 3 cannot." in dry.stdout
    assert "takes 1 s" in dry.stdout
    assert installed.simulator.posts() == []

    done = sent_bulk(installed, str(file), *TEMPLATE, "--result", str(result))
    assert done.returncode == 1, done.stderr
    assert "done: accepted 47, refused 0, unknown 0, unusable 3" in done.stdout
    assert len(taken(installed)) == 47
    assert set(taken(installed).values()) == {1}
    first = next(
        one["body"] for one in installed.simulator.messages() if one["body"]["to"] == "+919812301999"
    )
    assert [one["text"] for one in first["template"]["components"][0]["parameters"]] == [
        'Asha; the "first"',
        "1,50",
    ]

    rows = results(result)
    assert len(rows) == 50
    assert [int(row["line"]) for row in rows.values()] == list(range(2, 52))
    bad = {reference: row for reference, row in rows.items() if row["status"] == "not sent"}
    assert set(bad) == {"order-7", "order-17", "order-30"}
    assert bad["order-7"]["to"] == "9.19812E+11"
    assert all(row["wamid"] and row["message_id"] for row in rows.values() if row not in bad.values())

    def all_arrived() -> bool:
        installed.run("bulk", "show", run_id(installed), "--result", str(result))
        return Counter(row["status"] for row in results(result).values()).keys() <= {
            "delivered",
            "read",
            "not sent",
        }

    eventually(all_arrived)
    again = sent_bulk(installed, str(file), *TEMPLATE)
    assert again.returncode == 1
    assert "--again" in again.stderr
    assert len(taken(installed)) == 47


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_cut_off_goes_on_and_sends_no_row_twice(
    install: Make, tmp_path: Path, how: signal.Signals
) -> None:
    installed = install(fail_share=0.0, answer_delay=0.05, rate_limit=None)
    file, result = tmp_path / "many.csv", tmp_path / "result.csv"
    file.write_text("to,1\n" + "".join(f"+9198123{n:05d},Person {n}\n" for n in range(21000, 21200)))
    arguments = ["send", "bulk", "--from", NUMBER, str(file), *TEMPLATE]
    for _ in range(2):
        before = len(installed.simulator.posts())
        process = installed.start(*arguments)
        eventually(lambda before=before: len(installed.simulator.posts()) > before + 20)
        code = stop(process, how)
        assert code == (4 if how == signal.SIGINT else -9)
        arguments = ["bulk", "resume", run_id(installed)]
        all_leases_end(installed)
    assert 0 < len(taken(installed)) < 200
    done = installed.run(*arguments, "--result", str(result))
    assert done.returncode == (3 if how == signal.SIGKILL else 0), done.stderr
    posts = Counter(one["callback_data"] for one in installed.simulator.posts())
    assert set(posts.values()) == {1}
    assert set(taken(installed).values()) == {1}
    rows = results(result)
    assert len(rows) == 200
    statuses = Counter(row["status"] for row in rows.values())
    if how == signal.SIGINT:
        assert statuses == {"accepted": 200}
        assert len(taken(installed)) == 200
    else:
        assert set(statuses) == {"accepted", "unknown"}
        assert len(taken(installed)) >= statuses["accepted"]


def test_a_detached_run_is_held_released_taken_back_and_tried_again(install: Make, tmp_path: Path) -> None:
    installed = install(fail_share=0.0)
    file = tmp_path / "many.csv"
    refused = "+919812340021"  # the simulator has no such template for this one
    people = "".join(f"+9198123{n:05d},Person {n}\n" for n in range(21000, 22000))
    file.write_text(f"to,1\n{refused},Asha\n{people}")
    done = sent_bulk(installed, str(file), *TEMPLATE, "--detach")
    assert done.returncode == 0, done.stderr
    assert "1,001 rows wait for `wamtrail run sender`" in done.stdout
    run = run_id(installed)
    assert installed.run("bulk", "pause", run).returncode == 0
    assert installed.run("bulk", "pause", run).returncode == 1
    installed.start("run", "sender")
    assert installed.run("bulk", "retry", run).returncode == 1
    assert installed.simulator.posts() == []
    assert installed.run("bulk", "resume", "--all").returncode == 0
    eventually(lambda: len(installed.simulator.posts()) > 20)
    cancelled = installed.run("bulk", "cancel", run)
    assert cancelled.returncode == 0, cancelled.stderr
    # What was claimed at that moment is posted, or comes back and is taken back, too.
    eventually(lambda: (now := _shown(installed, run))["sending"] == now["queued"] == 0)
    shown = _shown(installed, run)
    assert (shown["state"], shown["refused"]) == ("cancelled", 1)
    assert shown["accepted"] + shown["cancelled"] == 1000
    posted = len(installed.simulator.posts())

    assert "another try can help; --all" in installed.run("bulk", "retry", run).stderr
    again = installed.run("bulk", "retry", run, "--all")
    assert again.returncode == 1, again.stderr
    assert "accepted 0, refused 1" in again.stdout
    assert len(installed.simulator.posts()) == posted + 1
    assert installed.run("bulk", "retry", run, "--all").returncode == 1
    assert len(installed.simulator.posts()) == posted + 1
    assert len(_shown(installed, run)["retried_as"]) == 1


def test_mistakes_are_one_plain_line(install: Make, tmp_path: Path) -> None:
    installed = install()
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("to,1\n+919812341999,x\n")
    bad.write_text("phone\n+919812341999\n")
    for code, arguments in (
        (1, ("send", "bulk", "--from", NUMBER, str(bad), *TEMPLATE)),
        (1, ("send", "bulk", "--from", NUMBER, str(tmp_path / "none.csv"), *TEMPLATE)),
        (1, ("send", "bulk", "--from", NUMBER, str(tmp_path), *TEMPLATE)),
        (1, ("send", "bulk", "--from", NUMBER, str(good))),
        (2, ("send", "bulk", "--from", NUMBER, str(good), "--template", "x")),
        (2, ("send", "bulk", "--from", "+919812341999", str(good), *TEMPLATE)),
        (2, ("bulk", "resume")),
        (1, ("bulk", "show", "nothing")),
        (1, ("bulk", "resume", "nothing")),
    ):
        done = installed.run(*arguments)
        assert done.returncode == code, (arguments, done.stderr)
        assert done.stderr.startswith("wamtrail: ")
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert installed.run("bulk", "list").stdout.startswith("No runs yet")
    assert installed.simulator.posts() == []


def _shown(installed: Installation, run: str) -> dict[str, Any]:
    done = installed.run("bulk", "show", run, "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def all_leases_end(installed: Installation) -> None:
    """As if a minute had gone by since the process died."""
    database = Database(installed.environment["WAMTRAIL_DATABASE_URL"])
    try:
        with database.write() as tx:
            end_leases(tx, time.time() + 3600)
    finally:
        database.close()
