"""/api/docs: the API's description for people, made here, for those who are signed in or have a token."""

import re

import httpx
import pytest
from story_seeds import Seeds
from visiting import HOME, Visit

from reports import api
from store import users
from support.api_docs_words import html, kind
from wamtrail import api_description

DOCS = "/api/docs"
DESCRIPTION = "/api/openapi.json"


@pytest.fixture
def visit(seeds: Seeds) -> Visit:
    visit = Visit(seeds.database)
    description, its_page = api_description.routes(visit.house, 600, 12_000)
    visit.more += [*its_page, api.create(seeds.database, description)]
    return visit


async def page(visit: Visit) -> httpx.Response:
    visit.user()
    await visit.sign_in()
    return await visit.get(DOCS)


async def test_nobody_reads_it_without_a_sign_in_or_a_token(visit: Visit, seeds: Seeds):
    answer = await visit.get(DOCS)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/api/docs"
    assert (await visit.get(DOCS, Authorization="Bearer wt_x")).status_code == 303
    answer = await visit.get(DOCS, Authorization=f"Bearer {seeds.token('sender')}")
    assert answer.status_code == 200
    assert 'href="/account"' not in answer.text


async def test_a_sign_in_opens_the_description_and_nothing_else_of_the_api(visit: Visit, seeds: Seeds):
    assert (await visit.get(DESCRIPTION)).status_code == 401
    visit.user()
    await visit.sign_in()
    answer = await visit.get(DESCRIPTION)
    assert answer.json()["openapi"] == "3.1.0"
    assert "access-control-allow-origin" not in answer.headers
    assert (await visit.get("/api/v1/messages")).status_code == 401
    assert (await visit.get(DESCRIPTION, Authorization="Bearer wt_x")).status_code == 401
    with seeds.database.write() as tx:
        users.disable(tx, "asha", visit.now)
    assert (await visit.get(DESCRIPTION)).status_code == 401


@pytest.mark.parametrize("role", ["admin", "support", "reporter"])
async def test_every_role_reads_it(visit: Visit, role: str):
    visit.user(role=role)
    await visit.sign_in()
    assert (await visit.get(DOCS)).status_code == 200


async def test_it_shows_every_operation_parameter_status_and_object(visit: Visit):
    shown = (await page(visit)).text
    document = api_description.document()
    for path, methods in document["paths"].items():
        assert path in shown
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in shown
            assert all(f"<code>{one['name']}</code>" in shown for one in operation["parameters"])
            assert all(f">{status}</dt>" in shown for status in operation["responses"])
            assert operation["x-codeSamples"]
    for name, schema in document["components"]["schemas"].items():
        assert f'id="{name}"' in shown
        assert all(f"{key}</code>" in shown for key in schema["properties"])
    assert "600 calls a minute" in shown
    assert "Roles: admin, sender" in shown


async def test_it_loads_nothing_from_elsewhere_and_holds_no_script_or_style(visit: Visit):
    answer = await page(visit)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "content-encoding" not in answer.headers
    loaded = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert all(one.startswith(("/", "#", "data:,")) for one in loaded)
    assert not re.search(r"<style|style=|onclick|<script(?![^>]* src=)", answer.text)
    assert answer.url.host == HOME.removeprefix("http://")


async def test_links_inside_it_lead_somewhere_and_places_are_unique(visit: Visit):
    shown = (await page(visit)).text
    places = re.findall(r' id="([^"]+)"', shown)
    assert len(places) == len(set(places))
    assert set(re.findall(r'href="#([^"]+)"', shown)) <= set(places)


async def test_the_account_page_leads_to_it(visit: Visit):
    await page(visit)
    assert f'href="{DOCS}"' in (await visit.get("/account")).text


def test_words_of_the_description_are_text_and_never_markup():
    assert html("## A <b>\n\n- `x<y`\n- more\n  of it\n\nLast `&`.") == (
        '<h2 id="a-b">A &lt;b&gt;</h2>\n'
        "<ul><li><code>x&lt;y</code></li><li>more of it</li></ul>\n"
        "<p>Last <code>&amp;</code>.</p>"
    )
    assert kind({"enum": ["<i>", None]}) == "<code>&lt;i&gt;</code> or null"
    assert kind({"type": "integer", "minimum": 1, "maximum": 5000}) == "whole number, 1 to 5,000"
    assert kind({"type": ["string", "null"]}) == "text or null"
