"""Messages in the terminal."""

import io

import pytest
from rich.console import Console
from story_seeds import PHONE, Seeds

from store import group_rows, search, search_follow
from store.search_wanted import Wanted
from store.times import parse_time, rfc3339, spelled
from wamtrail.show import render_list, render_story

WAMID = "wamid.HBgMOTE5ODc2NTQzNjc4FQIAERgSQUJDREVGMDEyMzQ1Njc4OTAxAA=="


def shown(seeds: Seeds, key: str, width: int = 100, reveal: bool = False) -> str:
    out = io.StringIO()
    render_story(seeds.story(key), Console(file=out, width=width), reveal=reveal)
    return out.getvalue()


def listed(seeds: Seeds, width: int = 120, **options: bool) -> str:
    out = io.StringIO()
    while search_follow.step(seeds.database):
        pass
    with seeds.database.read() as tx:
        rows = search.find(tx, Wanted(), 50).rows
        conflicts = group_rows.conflicts(tx, rows)
    render_list(rows, Console(file=out, width=width), conflicts=conflicts, **options)
    return out.getvalue()


def test_a_failure_is_answered_explained_and_evidenced(seeds: Seeds):
    seeds.accepted(WAMID, reference="order-77")
    seeds.status(WAMID, "sent", 2)
    seeds.failed(WAMID, 6)
    text = shown(seeds, WAMID)
    lines = text.splitlines()
    assert lines[0] == "✕ Failed 4 s after sending: 24 h window closed"
    assert "order-77" in text
    for words in ("Means", "Whose", "Again?", "Do ", "131047 · Re-engagement message"):
        assert words in text
    assert any("10:00:06 " in line and "10:00:06.500" in line for line in lines)


def test_a_contradicted_failure_never_advises_to_send_again(seeds: Seeds):
    seeds.accepted(WAMID)
    seeds.status(WAMID, "delivered", 2)
    seeds.failed(WAMID, 6)
    assert "⚡ conflict" in listed(seeds)
    text = shown(seeds, WAMID, width=300)
    assert "Do not send it again" in text
    assert "approved template" not in text
    assert "Said: 131047" in text


def test_fbtrace_id_is_shown_whole(seeds: Seeds):
    message_id = seeds.send()
    error = '{"code":100,"title":"Invalid parameter","fbtrace_id":"A1234567890123"}'
    seeds.ended(message_id, "refused", refused_by="meta", http_status=400, error=error)
    assert "A1234567890123" in shown(seeds, message_id)


def test_numbers_and_wamids_are_masked_unless_revealed(seeds: Seeds):
    seeds.accepted(WAMID)
    for text in (shown(seeds, WAMID), listed(seeds)):
        assert "+91 98•••••678" in text
        assert PHONE not in text
        assert WAMID[:30] not in text
    assert PHONE in shown(seeds, WAMID, reveal=True)
    assert WAMID in shown(seeds, WAMID, width=300, reveal=True)
    assert PHONE in listed(seeds, reveal=True)


def test_implied_delivery_conflict_and_group_are_explained(seeds: Seeds):
    seeds.accepted("wamid.R")
    seeds.status("wamid.R", "read", 5)
    assert "read means that it was delivered" in shown(seeds, "wamid.R")
    seeds.failed("wamid.R", 6)
    assert "Both are kept" in shown(seeds, "wamid.R")
    seeds.accepted("wamid.G")
    seeds.status("wamid.G", "delivered", 5, participant="919000000001")
    text = shown(seeds, "wamid.G")
    assert "Delivered to 1 of 1" in text
    assert "919000000001" not in text
    assert text.count("+91 90•••••001") == 2


def test_nothing_of_others_reaches_the_terminal_as_a_command(seeds: Seeds):
    seeds.accepted("wamid.X", reference="\x1b[31m[bold]x[/nothing]")
    for text in (shown(seeds, "wamid.X"), listed(seeds)):
        assert "\x1b" not in text
        assert "[bold]x[/nothing]" in text.replace("\n", "")


@pytest.mark.parametrize("width", [60, 80, 116, 200])
def test_a_list_shows_status_time_and_whole_id(seeds: Seeds, width: int):
    message_id = seeds.accepted("wamid.1", reference="order-1")
    seeds.stranger(WAMID)
    text = listed(seeds, width=width)
    assert "◑ accepted" in text
    assert "✓✓ delivered" in text
    assert message_id in text
    assert "2026-11-22 10:00:00" in text


def test_an_empty_list_is_a_sentence(seeds: Seeds):
    assert listed(seeds).startswith("No message fits")


def test_times_are_read_as_they_are_written():
    for seconds in (0, 1_795_341_600, 1_795_341_600.123):
        assert parse_time(str(rfc3339(seconds))) == seconds
    assert rfc3339(None) is None
    assert rfc3339(1_795_341_600.0) == "2026-11-22T10:00:00Z"
    assert parse_time("2026-11-22") == 1_795_305_600
    assert parse_time("2026-11-22t15:30:00+05:30") == parse_time("2026-11-22 05:00:00-05:00") == 1_795_341_600


@pytest.mark.parametrize(
    "typed", ["", "now", "2026-02-30", "2026-11-22T25:00:00Z", "2026-11-22T10:00:00+14:60"]
)
def test_what_is_no_time_is_refused_with_an_example(typed: str):
    with pytest.raises(ValueError, match="2026-11-22T10:00:00Z"):
        parse_time(typed)


def test_durations_have_two_units_and_are_never_negative():
    assert [spelled(value) for value in (-4, 0.9, 60, 61, 7_201, 90_061)] == [
        "0 s",
        "0 s",
        "1 min",
        "1 min 1 s",
        "2 h",
        "1 d 1 h",
    ]
