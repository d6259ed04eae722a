"""An installation with a person in every corner of it, for the tests of erasing them."""

import base64
import json
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import LargeBinary, Text, text
from store_samples import CLAIM, NOW, ended, message_id, new_send

from receiver.processor import understood
from receiver.replaying import replay_all
from store import (
    audit,
    backlog,
    charges,
    erasure,
    ledger,
    open_messages,
    outcomes,
    rollups,
    search_follow,
    searches,
    sends,
    suppressions,
    webhooks,
)
from store.apply import apply
from store.database import Database
from store.erasure import Asked
from store.kept import Which
from store.tables import metadata
from wamtrail.erase import words as made_words

WHO, USER = "919876543210", "IN.4711081547110815"
OTHER, OTHER_USER = "15550000002", "US.9922337744556611"
GROUP = "Y2FwaV9ncm91cDoxMjM0NTY"
WORDS = made_words()
AT = int(NOW)


def wamid(who: str, tail: int) -> str:
    record = b"\x1c\x18" + bytes([len(who)]) + who.encode()
    record += b"\x15\x02\x00\x11\x18\x12" + f"{tail:018X}".encode() + b"\x00"
    return "wamid." + base64.b64encode(record).decode()


def asked(name: str = WHO, secret: bytes = b"s" * 32) -> Asked:
    return Asked(name, "+91 98•••••210", NOW + 100, "2026-11-27", secret)


def status(of: str, word: str, who: str, at: int = AT + 5, **more: Any) -> dict[str, Any]:
    return {"id": of, "status": word, "timestamp": str(at), "recipient_id": who, **more}


def body(*, field: str = "messages", **value: Any) -> bytes:
    metadata_ = {"display_phone_number": "15550009999", "phone_number_id": "100"}
    change = {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata_, **value}}
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "1", "time": AT, "changes": [change]}]}
    ).encode()


def contact(who: str, user: str, name: str) -> dict[str, Any]:
    return {"wa_id": who, "user_id": user, "profile": {"name": name}}


MINE, FAILED, SILENT, STRANGE, IN_GROUP = (
    wamid(one, n) for n, one in enumerate((WHO, WHO, WHO, WHO, GROUP[:16]), 1)
)
THEIRS, FROM_ME, FROM_OTHER = wamid(OTHER, 6), wamid(WHO, 7), wamid(OTHER, 8)
OPAQUE = "opaque-id-of-a-provider-000001"
PRICE = {"billable": True, "category": "marketing", "pricing_model": "PMP", "type": "regular"}


def bodies() -> list[bytes]:
    mine = {"biz_opaque_callback_data": f"{message_id(1)}:for Ravi {WHO}", "pricing": PRICE}
    error = {"code": 131026, "title": "Undeliverable", "error_data": {"details": f"Not to +{WHO}"}}
    return [
        body(
            contacts=[contact(WHO, USER, "Ravi")],
            statuses=[
                status(MINE, "delivered", WHO, **mine, conversation={"id": "c1"}, strange="Ravi"),
                status(THEIRS, "delivered", OTHER, pricing=PRICE),
            ],
        ),
        body(
            statuses=[
                status(MINE, "read", WHO, AT + 9, **mine),
                status(FAILED, "failed", WHO, errors=[error]),
            ]
        ),
        body(statuses=[status(MINE, "delivered", WHO, **mine, conversation={"id": "c1"})]),
        body(statuses=[status(STRANGE, "sent", WHO, recipient_user_id=USER)]),
        body(statuses=[status(OPAQUE, "delivered", WHO), {"id": OPAQUE, "status": "read"}]),
        body(
            statuses=[
                status(
                    IN_GROUP, "delivered", GROUP, recipient_participant_id=one, biz_opaque_callback_data="g"
                )
                for one in (WHO, OTHER)
            ]
        ),
        body(
            contacts=[contact(WHO, USER, "Ravi")],
            messages=[
                {
                    "from": WHO,
                    "id": FROM_ME,
                    "timestamp": str(AT + 20),
                    "type": "text",
                    "text": {"body": "It is Ravi"},
                    "context": {"from": "15550009999", "id": MINE},
                }
            ],
        ),
        body(
            messages=[
                {
                    "from": OTHER,
                    "id": FROM_OTHER,
                    "timestamp": str(AT + 21),
                    "type": "text",
                    "text": {"body": "Ask them: +91 (98765) 43-210, ९१९८७६५४३२१०"},
                    "context": {"from": WHO, "id": MINE},
                }
            ],
        ),
        body(
            field="user_preferences",
            contacts=[contact(WHO, USER, "Ravi")],
            user_preferences=[
                {
                    "wa_id": WHO,
                    "detail": "User requested to stop marketing messages",
                    "category": "marketing_messages",
                    "value": "stop",
                    "timestamp": AT + 30,
                }
            ],
        ),
        body(
            field="smb_message_echoes",
            message_echoes=[{"to": WHO, "id": wamid(WHO, 9), "text": {"body": "x"}}],
        ),
        b"no json, but from 00919876543210 " + MINE.encode(),
        body(statuses=[{"id": MINE, "status": "sent", "recipient_id": WHO, "timestamp": "soon"}]),
        body(statuses=[status(wamid(OTHER, 10), "sent", OTHER)]),
    ]


def filled(database: Database) -> None:
    """Sends, webhooks, money, lists, and everything that follows the feed."""
    with database.write() as tx:
        ledger.opened(tx, "EUR", NOW - 10)
    spelled = {"recipient_typed": "+91 98765 43210", "recipient": WHO, "reference": f"order-{WHO}-7"}
    with database.write() as tx:
        for n, more in enumerate(
            (
                {**spelled, "type": "template", "template": "hello", "callback_data": f"for Ravi {WHO}"},
                {**spelled, "idempotency_key": f"key-{WHO}"},
                {**spelled, "recipient": USER, "recipient_typed": USER},
                {"recipient": OTHER, "recipient_typed": OTHER, "reference": "order-8"},
                {"recipient": GROUP, "recipient_typed": GROUP},
                spelled,
            ),
            1,
        ):
            sends.submit(tx, new_send(n, payload=json.dumps({"to": WHO}).encode(), **more), NOW, CLAIM)
    answer = json.dumps({"messages": [{"id": MINE}], "contacts": [{"wa_id": WHO}]}).encode()
    for n, found in ((1, MINE), (2, FAILED), (3, SILENT), (4, THEIRS), (5, IN_GROUP)):
        with database.write() as tx:
            end = ended("accepted", wamid=found)
            outcomes.record_outcome(
                tx, message_id(n), 1, CLAIM, replace(end, answer=answer), keep_payload=n == 1
            )
    with database.write() as tx:
        outcomes.record_outcome(tx, message_id(6), 1, CLAIM, ended("refused"))
        sends.submit(tx, new_send(7, **spelled), NOW)
        webhooks.keep(tx, [webhooks.Incoming(one, NOW + n) for n, one in enumerate(bodies())])
    process(database)
    with database.write() as tx:
        suppressions.set_by_person(tx, WHO, True, "asked by phone", NOW)
        suppressions.set_by_person(tx, OTHER, True, None, NOW)
        searches.keep(tx, "s1", "u1", "to:+91 98765 43210", NOW)
        audit.record(tx, at=NOW, who="eva", action="search_number", target=f"+{WHO}")
        tx.run(
            text(
                "INSERT INTO rate_cells (key, arrival) VALUES (:a, 1), (:b, 1), ('n:100', 1)"
                " ON CONFLICT DO NOTHING"
            ),
            {"a": f"p:100:{WHO}", "b": f"q:100:{USER}"},
        )
        tx.run(
            text(
                "INSERT INTO bulk_problems"
                " (bulk_run_id, row_number, kind, recipient_typed, reference, reason)"
                " VALUES ('r', 1, 'recipient', '98765-43210', NULL, 'no country'),"
                " ('r', 2, 'recipient', '98765', 'x', 'too short')"
            )
        )
    follow(database)


def process(database: Database) -> None:
    with database.write() as tx:
        markers = backlog.claim(tx, after=0, most=1000, most_bytes=10**9)
        kept = webhooks.load(tx, [(one.webhook_id, one.received_at) for one in markers])
        apply(tx, [understood(one) for one in kept], NOW + 50, keep_content=True)


def follow(database: Database, at: float = NOW + 60) -> None:
    rollups.refresh_all(database, ZoneInfo("UTC"), lambda: at)
    while search_follow.step(database) or open_messages.step(database):
        pass
    with database.read() as tx:
        wamids = [row.wamid for row in tx.all(text("SELECT wamid FROM messages ORDER BY wamid"))]
    with database.write() as tx:
        charges.settle(tx, wamids, at)
    rollups.refresh_all(database, ZoneInfo("UTC"), lambda: at)


def replayed(database: Database) -> int:
    return replay_all(database, Which(), lambda: NOW + 90, keep_content=True).changed


def everything(database: Database) -> Iterator[tuple[str, str]]:
    """(table.column, text) of each value of each table, bodies unpacked."""
    for table in metadata.sorted_tables:
        with database.read() as tx:
            for row in tx.all(text(f"SELECT * FROM {table.name}")):
                for column in table.columns:
                    value = row._mapping[column.name]
                    if value is None or not isinstance(column.type, Text | LargeBinary):
                        continue
                    yield f"{table.name}.{column.name}", readable(value)


def readable(value: Any) -> str:
    """As people would read it: unpacked, escapes resolved, every script's digits plain."""
    if not isinstance(value, str):
        found = bytes(value)
        with suppress(zlib.error):
            found = zlib.decompress(found)
        value = found.decode("utf-8", "replace")
    with suppress(ValueError):
        value = json.dumps(json.loads(value), ensure_ascii=False)
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in value)


def traces(value: str) -> list[str]:
    """What of the person is in a text."""
    bare = "".join(sign for sign in value if sign.isalnum())
    needles = [WHO, WHO[2:], USER, "Ravi", OPAQUE, MINE, FAILED, STRANGE, FROM_ME, SILENT]
    found = [one for one in needles if one in value or (one.isdigit() and one in bare)]
    return found + [one for one in _encoded(WHO) if one in value]


def _encoded(who: str) -> list[str]:
    """The part of its base64 that is the same whatever stands around it, at each of three places."""
    return [base64.b64encode(b"x" * at + who.encode())[(4 if at else 0) : -4].decode() for at in range(3)]


def erase(database: Database, name: str = WHO, **more: Any) -> erasure.Erased:
    return erasure.erase(database, asked(name, **more), WORDS, lambda _: None)


def left(database: Database) -> dict[str, list[str]]:
    return {place: found for place, value in everything(database) if (found := traces(value))}
