"""What webhooks say about templates becomes words for the table, and stands whole among the events."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.payload import parse
from store import templates
from store.apply import Understood, apply
from store.database import Database
from store.records import TemplateWord
from store.replay import replay
from store.webhooks import Incoming, keep

NOW = 1_763_800_000.0
CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "webhooks"
ABOUT = {"message_template_name": "order_ready", "message_template_language": "en_US"}


def body(field: str, at: int | None, **value: Any) -> bytes:
    entry = {"id": "W1", "changes": [{"field": field, "value": {**ABOUT, **value}}]}
    if at is not None:
        entry["time"] = at
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def words(field: str, at: int | None = 1_763_700_000, **value: Any) -> list[tuple[str, str, str]]:
    parsed = parse(body(field, at, **value), NOW)
    assert len(parsed.events) == 1
    assert parsed.quarantined == ()
    return [(one.about, one.value, one.reason) for one in parsed.templates]


def test_a_status_comes_with_its_reasons_and_its_category() -> None:
    said = words(
        "message_template_status_update",
        event="PAUSED",
        reason="NONE",
        other_info={"title": "FIRST_PAUSE", "description": "Paused for 3 hours."},
        message_template_category="MARKETING",
    )
    assert said == [("status", "PAUSED", "FIRST_PAUSE: Paused for 3 hours."), ("category", "MARKETING", "")]
    rejected = words("message_template_status_update", event="REJECTED", reason="INVALID_FORMAT")
    assert rejected == [("status", "REJECTED", "INVALID_FORMAT")]


def test_a_category_told_in_advance_leaves_todays() -> None:
    said = words("template_category_update", new_category="UTILITY", correct_category="MARKETING")
    assert said == [("category", "UTILITY", "")]


def test_quality_and_texts() -> None:
    assert words("message_template_quality_update", new_quality_score="RED") == [("quality", "RED", "")]
    ((about, value, _),) = words(
        "message_template_components_update",
        message_template_element="Hello {{1}}",
        message_template_title="Order",
    )
    assert about == "components"
    assert json.loads(value) == [
        {"type": "HEADER", "format": "TEXT", "text": "Order"},
        {"type": "BODY", "text": "Hello {{1}}"},
        {"type": "BUTTONS", "buttons": None},
    ]


@pytest.mark.parametrize("missing", ["message_template_name", "message_template_language"])
def test_without_a_name_a_language_or_a_time_it_is_only_an_event(missing: str) -> None:
    assert words("message_template_status_update", event="PAUSED", **{missing: None}) == []
    assert words("message_template_status_update", None, event="PAUSED") == []


@given(
    st.sampled_from(sorted({"message_template_status_update", "message_template_components_update"})),
    st.dictionaries(
        st.sampled_from(["event", "reason", "other_info", "message_template_element", *ABOUT]),
        st.none() | st.integers() | st.text(max_size=5) | st.dictionaries(st.text(max_size=3), st.text()),
    ),
)
def test_odd_values_never_make_it_raise(field: str, value: dict[str, Any]) -> None:
    parsed = parse(body(field, 1_763_700_000, **value), NOW)
    assert len(parsed.events) == 1
    assert all(isinstance(one, TemplateWord) and one.value for one in parsed.templates)


@pytest.fixture
def database(database_url: str):
    opened = Database(database_url)
    yield opened
    opened.close()


def _apply(database: Database, number: int, raw: bytes) -> None:
    with database.write() as tx:
        apply(tx, [Understood(number, NOW, parse(raw, NOW))], NOW)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_newest_word_of_each_kind_counts_in_any_order(database: Database, order: tuple[int, ...]) -> None:
    status, category = "message_template_status_update", "template_category_update"
    bodies = [
        body(status, 1_763_700_000, event="APPROVED", message_template_category="UTILITY"),
        body(status, 1_763_700_200, event="PAUSED", reason="QUALITY"),
        body(category, 1_763_700_100, new_category="MARKETING", previous_category="UTILITY"),
        body("message_template_quality_update", 1_763_700_050, new_quality_score="YELLOW"),
    ]
    for place in (*order, order[0]):
        _apply(database, place + 1, bodies[place])
    with database.read() as tx:
        (one,) = templates.translations(tx, "100", "order_ready")
    assert (one.language, one.status, one.reason, one.status_at) == (
        "en_US",
        "PAUSED",
        "QUALITY",
        1_763_700_200,
    )
    assert (one.category, one.quality, one.imported, one.components) == ("MARKETING", "YELLOW", False, None)


def test_a_replay_hears_what_was_not_understood_at_first(database: Database) -> None:
    raw = body("message_template_status_update", 1_763_700_000, event="PAUSED")
    with database.write() as tx:
        keep(tx, [Incoming(raw, NOW)])
        replay(tx, 1, lambda kept: Understood(kept.webhook_id, NOW, parse(raw, NOW)), NOW)
        (one,) = templates.translations(tx, "100", "order_ready")
    assert one.status == "PAUSED"


if CORPUS.is_dir():

    def test_documented_webhooks_about_templates_are_understood() -> None:
        found = []
        for name in ("468-docs-template-category-update.json", "080-template-status-entry-time.json"):
            payload = json.loads((CORPUS / name).read_text("utf-8"))["payload"]
            found += parse(json.dumps(payload).encode(), NOW).templates
        assert [(one.name, one.language, one.about, one.value) for one in found] == [
            ("welcome_template", "en_US", "category", "UTILITY"),
            ("campanha", "pt_BR", "status", "APPROVED"),
            ("campanha", "pt_BR", "category", "MARKETING"),
        ]
