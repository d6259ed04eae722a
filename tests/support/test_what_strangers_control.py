"""Markup, quotes, turned text, header breaks and paths in every field that a stranger fills: shown as text.

Meta's webhooks carry names, templates, errors, references and ids that somebody else chose; our callers
choose references, templates, callback data and the names of lists. Every page is looked at with all of it.
"""

import json
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from story_seeds import PHONE, SHOP, START, Seeds
from visiting import Visit

from sender.desk import Desk
from store import (
    apply,
    audit,
    bulk_runs,
    minutes,
    numbers,
    open_messages,
    strangers,
    suppressions,
)
from store.bulk_runs import NewRun
from store.records import AccountEvent, InboundMessage, Parsed, Preference, QuarantinedPart
from support.work_words import LISTS
from wamtrail import pages
from wamtrail.settings import load

NASTY = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202egpj.exe\u2066\r\nSet-Cookie: a=b\r\n\r\n"
    "../../etc/passwd%2e%2e/{{7*7}}${7*7}javascript:alert(1)\x1b[31m"
)
WAMID, STRANGER = f"wamid.A{NASTY}", f"wamid.B{NASTY}"
ERRORS = json.dumps([{"code": 131047, "title": NASTY, "fbtrace_id": NASTY, "error_data": {"details": NASTY}}])
NOW = START + 7200
TAGS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "a",
        "header",
        "form",
        "label",
        "input",
        "button",
        "nav",
        "main",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "ol",
        "li",
        "span",
        "section",
        "div",
        "table",
        "caption",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "dl",
        "dt",
        "dd",
        "code",
        "pre",
        "time",
        "small",
        "strong",
        "select",
        "option",
        "textarea",
        "svg",
        "path",
        "circle",
        "rect",
        "line",
        "polyline",
        "g",
        "text",
        "figure",
        "figcaption",
        "details",
        "summary",
        "br",
    ]
)


class Looked(HTMLParser):
    """What a browser would make of a page: elements and attributes that we never write are faults."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            inside = (value or "").strip().lower()
            led = name in ("href", "src", "action", "hx-get", "data-live")
            away = led and not inside.startswith(("/", "?", "#", "data:,"))
            if (
                name.startswith("on")
                or name == "style"
                or away
                or (tag == "script" and name not in ("src", "defer"))
            ):
                self.faults.append(f"<{tag} {name}={inside[:80]}>")
            if led and (".." in inside or "%2e%2e" in inside):
                self.faults.append(f"<{tag} {name}={inside[:80]}>")

    def handle_data(self, data: str) -> None:
        if any(turn in data for turn in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069"):
            self.faults.append("text that turns the text beside it")


def checked(answer: httpx.Response, *allowed: int) -> str:
    assert answer.status_code in (allowed or (200,)), (answer.url, answer.status_code)
    assert Looked(answer.text).faults == [], answer.url
    assert "49${" not in answer.text
    for name, value in answer.headers.items():
        assert name != "set-cookie" or value.startswith("wamtrail=")
        assert not set("\r\n<>\u202e") & set(value), name
    return answer.text


def filled(seeds: Seeds) -> str:
    """Everything that others say, said nastily; the message_id of ours."""
    run_id = "run-1"
    with seeds.database.write() as tx:
        run = NewRun(run_id, NASTY, NASTY, b"digest", SHOP, template=NASTY, language=NASTY)
        bulk_runs.begin(tx, run, START)
    words = {"reference": NASTY, "template": NASTY, "language": NASTY, "callback_data": NASTY, "type": NASTY}
    message_id = seeds.accepted(WAMID, bulk_run_id=run_id, row_number=1, **words)
    refused = seeds.send(at=7000, recipient_typed=NASTY, **words)
    seeds.ended(
        refused,
        "refused",
        at=7000.2,
        error=json.dumps({"code": 131047, "title": NASTY, "fbtrace_id": NASTY}),
        refused_by="meta",
        http_status=400,
    )
    unknown = seeds.send(at=6000, **words)
    seeds.ended(unknown, "unknown", at=6000.2, error=json.dumps({"code": NASTY, "title": NASTY}))
    pricing = json.dumps({"category": NASTY, "type": NASTY, "pricing_model": NASTY, "billable": NASTY})
    seeds.status(WAMID, NASTY, 5, participant=NASTY, rest=json.dumps({NASTY: NASTY}))
    seeds.status(WAMID, "delivered", 6, pricing=pricing, recipient_user_id=NASTY)
    seeds.status(WAMID, "failed", 7, error_codes="131047", errors=ERRORS)
    seeds.status(
        STRANGER, "sent", 8, phone_number_id=NASTY, recipient_id=NASTY, callback_data=NASTY, errors=ERRORS
    )
    inbound = InboundMessage(
        f"wamid.C{NASTY}", int(START) + 9, NASTY, SHOP, PHONE, NASTY, NASTY, WAMID, NASTY
    )
    value = json.dumps({
        "event": NASTY, "message_template_name": NASTY, "message_template_language": NASTY, "reason": NASTY,
        "metadata": {"phone_number_id": NASTY, "display_phone_number": NASTY},
        "contacts": [{"profile": {"name": NASTY}}],
    })  # fmt: skip
    events = [AccountEvent(NASTY, field, int(START), value, NASTY) for field in
              ("message_template_status_update", "account_update", NASTY)]  # fmt: skip
    part = QuarantinedPart(f"/entry/{NASTY}", NASTY, json.dumps({NASTY: NASTY, "name": NASTY}))
    with seeds.database.write() as tx:
        said = Parsed(inbound=(inbound,), events=tuple(events), quarantined=(part,))
        apply.apply(tx, [apply.Understood(1, START + 10, said)], START + 10, keep_content=True)
        suppressions.record(tx, [Preference(NASTY, suppressions.MARKETING, True, int(START))])
        numbers.pause(tx, NASTY, NASTY, START)
        numbers.pause(tx, numbers.ACCOUNT, NASTY, START)
        seen = minutes.Seen(int(NOW // 60) - 1, NASTY, NASTY, 7, last_good_at=NOW - 60)
        minutes.write(tx, "p", [seen])
        audit.record(tx, at=START, who=NASTY, action=NASTY, target=NASTY, reason=NASTY, number=NASTY)
        tx.run(text("UPDATE webhooks SET endpoint = :nasty"), {"nasty": NASTY})
    while open_messages.step(seeds.database):
        pass
    return message_id


async def visit(seeds: Seeds) -> Visit:
    visiting = Visit(seeds.database, now=NOW)
    parts: Any = SimpleNamespace(settings=load(), database=seeds.database)
    wired = pages.house(parts, Desk(seeds.database, None, clock=lambda: NOW))
    visiting.house = replace(wired, clock=lambda: NOW)
    visiting.user()
    form = {"name": "asha", "password": "correct horse battery", "next": NASTY}
    await visiting.post("/sign-in", form, user_agent=NASTY.encode("ascii", "ignore").decode().split("\r")[0])
    return visiting


async def test_nothing_that_strangers_control_is_more_than_text_on_any_page(seeds: Seeds):
    message_id = filled(seeds)
    visiting = await visit(seeds)
    listed = (
        "waiting",
        "unknown",
        "conflicts",
        "unmatched",
        "failures",
        "failures?hours=24",
        "suppressed",
        "quarantine",
    )
    paths = ["/", *(f"/work/{name}" for name in listed), "/health/webhooks", "/reports", "/audit", "/account"]
    paths += ["/account-events", "/search?q=since:7d", "/search?q=status:accepted", "/search?q=error:131047"]
    shown = "".join([checked(await visiting.get(path)) for path in paths])
    assert "&lt;script&gt;" in shown
    for address in (message_id, strangers.address(STRANGER)):
        for path in ("", "/live", "/bodies"):
            checked(await visiting.get(f"/messages/{address}{path}"))
        whole = checked(await visiting.post(f"/messages/{address}/reveal", {"reason": NASTY}))
        assert "&lt;script&gt;" in whole
    page = await visiting.get("/account-events")
    for part in page.text.split('href="/account-events/')[1:]:
        key = part.split('"')[0]
        checked(await visiting.get(f"/account-events/{key}"))
        checked(await visiting.post(f"/account-events/{key}/show", {}))
        assert "&lt;script&gt;" in checked(
            await visiting.post(f"/account-events/{key}/show", {"whole": "yes"})
        )
    page = await visiting.get("/work/quarantine")
    checked(
        await visiting.get("/work/quarantine/" + page.text.split('href="/work/quarantine/')[1].split('"')[0])
    )


async def test_what_is_typed_or_stands_in_an_address_is_text_too(seeds: Seeds):
    visiting = await visit(seeds)
    asked = ("q", "field", "who", "action", "after", "before", "older", "hours", "days", "next")
    quoted = httpx.QueryParams(dict.fromkeys(asked, NASTY))
    names = ["/", "/search", "/audit", "/account", "/account-events", "/reports", "/health/webhooks"]
    names += [*(f"/work/{name}" for name in LISTS), "/sign-in", "/none"]
    for path in names:
        checked(await visiting.get(f"{path}?{quoted}"), 200, 303, 400, 404)
    inside = str(httpx.QueryParams({"q": NASTY}))[2:]
    for path in ("/messages/", "/search/", "/account-events/", "/work/", "/work/quarantine/", "/"):
        checked(await visiting.get(path + inside), 404)
    for path, form in (
        ("/search", {"q": NASTY}),
        ("/search", {"q": f"ref:{NASTY}"}),
        ("/account/end-session", {"session": NASTY}),
        ("/account/password", {"old": NASTY, "new": NASTY, "again": NASTY}),
        ("/sign-in", {"name": NASTY, "password": NASTY, "next": NASTY}),
    ):
        answer = await visiting.post(path, form)
        checked(answer, 200, 303, 400, 401)
        assert answer.headers.get("location", "/").startswith("/")


@pytest.mark.parametrize("name", ["מזל טוב", "عيد مبارك", "Straße 北京 🎉", "O'Neil & Söhne <GmbH>"])
async def test_names_of_every_script_stay_as_they_are(seeds: Seeds, name: str):
    message_id = seeds.accepted("wamid.A", reference=name)
    page = (await (await visit(seeds)).get(f"/messages/{message_id}")).text
    assert name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in page
