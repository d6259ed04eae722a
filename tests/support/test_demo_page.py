"""The demo's pages: what they show, and what they never show."""

import hashlib
import re
from html.parser import HTMLParser

import httpx
import pytest
from starlette.applications import Starlette
from story_seeds import PHONE, START, Seeds

from store import strangers
from store.database import Database
from support.demo_page import routes
from support.demo_view import ago

WAMID = "wamid.HBgMOTE5ODc2NTQzNjc4FQIAERgSQUJDREVGMDEyMzQ1Njc4OTAxAA=="


class Tags(HTMLParser):
    """Collects what a strict content policy would block, and the links."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag in ("script", "style") or any(name == "style" or name.startswith("on") for name in names):
            self.blocked.append(tag)
        if tag == "a":
            self.links.append(names["href"] or "")


def tags(html: str) -> Tags:
    parser = Tags()
    parser.feed(html)
    return parser


async def get(seeds: Seeds, path: str) -> httpx.Response:
    app = Starlette(routes=routes(seeds.database, lambda: START + 720))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://demo") as http:
        return await http.get(path)


def filled(seeds: Seeds) -> str:
    message_id = seeds.accepted(WAMID, reference="<b>order-77</b>", template="order_update", language="en")
    seeds.status(WAMID, "sent", 2)
    seeds.failed(WAMID, 6)
    seeds.stranger("wamid.S+/=", at=60)
    return message_id


async def test_an_empty_list_says_what_to_do(seeds: Seeds):
    answer = await get(seeds, "/")
    assert answer.status_code == 200
    assert "No message yet" in answer.text


async def test_the_list_shows_word_sign_and_masked_number(seeds: Seeds):
    message_id = filled(seeds)
    html = (await get(seeds, "/")).text
    assert "✕</span> failed" in html
    assert "✓✓</span> delivered" in html
    assert "+91 98•••••678" in html
    assert "12 min ago" in html
    assert "order_update" in html
    assert "&lt;b&gt;order-77" in html
    assert f"/messages/{message_id}" in tags(html).links


async def test_only_the_list_refreshes_itself(seeds: Seeds):
    message_id = filled(seeds)
    assert 'http-equiv="refresh" content="3"' in (await get(seeds, "/")).text
    assert "refresh" not in (await get(seeds, f"/messages/{message_id}")).text


async def test_every_link_of_the_list_opens_a_story(seeds: Seeds):
    filled(seeds)
    links = tags((await get(seeds, "/")).text).links
    assert len(links) == 3
    for link in links:
        assert (await get(seeds, link)).status_code == 200


async def test_a_story_answers_first_and_then_explains(seeds: Seeds):
    html = (await get(seeds, f"/messages/{filled(seeds)}")).text
    summary = html.index("Failed 4 s after sending: 24 h window closed", html.index("<main>"))
    assert summary < html.index("<strong>Do:</strong>") < html.index("Said: 131047") < html.index("<ol")
    assert "2026-11-22 10:00:06" in html
    assert "2026-11-22 10:00:06.500" in html


async def test_members_and_contradictions_are_shown(seeds: Seeds):
    message_id = seeds.accepted("wamid.G")
    seeds.status("wamid.G", "delivered", 3, participant="919000000001")
    seeds.failed("wamid.G", 4, participant="919000000001")
    html = (await get(seeds, f"/messages/{message_id}")).text
    assert "Delivered to 1 of 1" in html
    assert "⚡</span> conflict" in html
    assert "Meta reported a delivery and a failure" in html
    assert "⚡</span> conflict" in (await get(seeds, "/")).text
    assert "919000000001" not in html


async def test_no_number_and_no_wamid_is_shown_or_stands_in_an_address(seeds: Seeds):
    message_id = filled(seeds)
    for path in ("/", f"/messages/{message_id}", f"/messages/{strangers.address('wamid.S+/=')}"):
        html = (await get(seeds, path)).text
        assert PHONE not in html
        assert WAMID[:30] not in html
        assert "wamid.S" not in html


async def test_a_wamid_opens_nothing(seeds: Seeds):
    filled(seeds)
    seeds.stranger("wamid.plain")
    assert (await get(seeds, "/messages/wamid.plain")).status_code == 404
    assert strangers.address("wamid.plain") == "w-" + hashlib.sha256(b"wamid.plain").hexdigest()[:20]


@pytest.mark.parametrize("address", ["nothing", "w-00000000000000000000", "a%00b"])
async def test_an_unknown_address_is_a_plain_404(seeds: Seeds, address: str):
    answer = await get(seeds, f"/messages/{address}")
    assert answer.status_code == 404
    assert "No such message" in answer.text


async def test_pages_obey_their_own_policy(seeds: Seeds):
    message_id = filled(seeds)
    for path in ("/", f"/messages/{message_id}", "/messages/none"):
        answer = await get(seeds, path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert tags(answer.text).blocked == []
        assert 'href="/static/demo.css"' in answer.text


def channel(value: str) -> float:
    part = int(value, 16) / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    red, green, blue = (channel(colour[at : at + 2]) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def test_every_colour_of_text_has_aa_contrast_in_light_and_dark(seeds: Seeds):
    css = (await get(seeds, "/static/demo.css")).text
    themes = [
        dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)
    ]
    assert len(themes) == 2
    for theme in themes:
        for name in set(theme) - {"paper", "raised", "line"}:
            for ground in (theme["paper"], theme["raised"]):
                light, dark = sorted((luminance(theme[name]), luminance(ground)), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


async def test_a_database_that_is_away_is_told(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/nowhere/none.db")
    for path in ("/", "/messages/x"):
        answer = await get(Seeds(database), path)
        assert answer.status_code == 503
        assert "The database is away" in answer.text
    database.close()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "now"), (0.4, "now"), (3, "3 s ago"), (750, "12 min ago"), (7_300, "2 h ago"), (2e5, "2 d ago")],
)
def test_relative_times_have_one_unit(seconds: float, words: str):
    assert ago(seconds) == words
