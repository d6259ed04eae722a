"""Taking a message in with what the database knows: definitions, categories, gates, windows, warnings."""

from typing import Any

import pytest
from definitions import BODY, definition
from sending import NUMBER, opened

from sender.intake import Taken, take
from sender.message_id import message_id
from sender.payload import template, text
from sender.payload_definition import read_definitions
from sender.payload_warnings import warnings
from sender.prepare import Refused
from store import extras, sends, suppressions, templates
from store.database import Database
from store.records import InboundMessage, TemplateWord

NOW = 1_800_000_000.0
AT = int(NOW) - 100
TO = "+919876543210"


@pytest.fixture
def database(database_url: str):
    with opened(database_url) as found:
        yield found


def taken(database: Database, body: object, **more: Any) -> Taken:
    with database.read() as tx:
        return take(tx, body, **{
            "phone_number_id": NUMBER, "message_id": message_id(NOW, bytes(10)), "now": NOW, **more
        })  # fmt: skip


def refused(database: Database, body: object, **more: Any) -> dict[str, str]:
    with pytest.raises(Refused) as raised:
        taken(database, body, **more)
    return {one.pointer: one.message for one in raised.value.problems}


def learn(database: Database, **more: Any) -> None:
    with database.write() as tx:
        templates.record(tx, read_definitions(definition(**more), AT).words)


def wrote(database: Database, at: float, **who: Any) -> None:
    inbound = InboundMessage(f"wamid.{at}{who}", int(at), "text", **{"phone_number_id": NUMBER, **who})
    with database.write() as tx:
        extras.write_inbound(tx, [(inbound, (at, 1))], keep_content=False)


def test_without_a_definition_only_the_shape_is_checked(database: Database) -> None:
    new = taken(database, template(TO, "order_ready", "en", ["a", "b", "c"])).new
    assert (new.category, new.expires_at) == (None, NOW + 86_400)


def test_with_a_definition_values_and_language_are_checked(database: Database) -> None:
    learn(database)
    assert taken(database, template(TO, "order_ready", "en", ["Asha", "77"])).new.category == "UTILITY"
    assert list(refused(database, template(TO, "order_ready", "en", ["Asha"]))) == [
        "/template/components/0/parameters"
    ]
    assert list(refused(database, template(TO, "order_ready", "en_US", ["a", "b"]))) == [
        "/template/language/code"
    ]


def test_authentication_is_valid_for_ten_minutes_unless_said_otherwise(database: Database) -> None:
    learn(database, category="AUTHENTICATION")
    body = template(TO, "order_ready", "en", ["Asha", "77"])
    assert taken(database, body).new.expires_at == NOW + 600
    assert taken(database, body, valid_for=30.0).new.expires_at == NOW + 30


def test_the_gates_refuse_with_a_place(database: Database) -> None:
    body = template(TO, "order_ready", "en", ["Asha", "77"])
    with database.write() as tx:
        suppressions.set_by_person(tx, "919876543210", True, None, NOW)
    assert "opted out" in refused(database, body)["/to"]
    learn(database)
    assert taken(database, body).warnings == ()
    with database.write() as tx:
        templates.record(tx, [TemplateWord("", "order_ready", "en", "status", "PAUSED", AT + 50)])
    assert "is paused at Meta" in refused(database, body)["/template"]


def test_a_repeat_is_not_judged_anew(database: Database) -> None:
    body = template(TO, "order_ready", "en", ["Asha", "77"])
    first = taken(database, body, idempotency_key="k").new
    with database.write() as tx:
        sends.submit(tx, first, NOW)
    learn(database, status="PAUSED", components=[{**BODY, "text": "Changed"}])
    assert taken(database, body, idempotency_key="k").new.payload_digest == first.payload_digest
    assert refused(database, body, idempotency_key="another")


def test_the_numbers_own_default_country_comes_first(database: Database) -> None:
    assert "/to" in refused(database, text("98765 43210", "Hello"))
    assert taken(database, text("98765 43210", "Hello"), default_country="IN").new.recipient == "919876543210"
    with database.write() as tx:
        tx.driver(f"INSERT INTO numbers (phone_number_id, default_country) VALUES ('{NUMBER}', 'IN')")
    assert taken(database, text("98765 43210", "Hello"), default_country="US").new.recipient == "919876543210"


@pytest.mark.parametrize("body", [None, [], {"template": {"name": "\ud800"}}, {"template": {"name": "a\0"}}])
def test_what_no_database_can_be_asked_is_refused_plainly(database: Database, body: object) -> None:
    assert refused(database, body, phone_number_id="\0", idempotency_key="\ud800")


def test_free_form_outside_the_window_is_warned_of_where_messages_come_in(database: Database) -> None:
    body = text(TO, "Hello")
    wrote(database, NOW - 3600, sender_id="15550000009")
    assert taken(database, body).warnings == ()  # what came in before that is not known
    wrote(database, NOW - 90_000, sender_id="919876543210")
    (warning,) = taken(database, body).warnings
    assert "131047" in warning.message
    assert taken(database, template(TO, "order_ready", "en")).warnings == ()
    assert taken(database, body, phone_number_id="106540352242933").warnings == ()
    wrote(database, NOW - 80_000, sender_id="919876543210")
    assert taken(database, body).warnings == ()


def test_the_window_is_known_by_business_scoped_id_too(database: Database) -> None:
    body = {"messaging_product": "whatsapp", "recipient": "IN.123456", "text": {"body": "Hello"}}
    wrote(database, NOW - 90_000, sender_id="15550000009")
    assert len(taken(database, body).warnings) == 1
    wrote(database, NOW - 80_000, sender_user_id="IN.123456")
    assert taken(database, body).warnings == ()


def test_groups_have_no_window(database: Database) -> None:
    wrote(database, NOW - 90_000, sender_id="15550000009")
    assert taken(database, {**text("Y2FwaV9ncm91cDox", "Hello"), "recipient_type": "group"}).warnings == ()


def test_links_that_are_not_https_are_warned_of_wherever_they_stand() -> None:
    link = {"link": "HTTP://example.com/a.jpg"}
    header = {"type": "header", "parameters": [{"type": "image", "image": link}]}
    body = {"image": link, "template": {"components": [header]}, "text": {"link": "http://example.com"}}
    assert [one.pointer for one in warnings(body)] == [
        "/image/link",
        "/template/components/0/parameters/0/image/link",
    ]
    assert list(warnings({"image": {"link": "https://example.com/a.jpg"}})) == []


def test_a_template_that_waits_for_meta_is_warned_of(database: Database) -> None:
    learn(database, status="PENDING")
    (warning,) = taken(database, template(TO, "order_ready", "en", ["Asha", "77"])).warnings
    assert "pending" in warning.message
