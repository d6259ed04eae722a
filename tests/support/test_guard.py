"""What stands before every page: origin, sign-in, role; and what a page is when something breaks."""

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from starlette.routing import Mount, Route
from visiting import Visit

from store import audit, engines, sessions
from store.database import Database
from store.errors import DatabaseAway, TooSlow
from support import app, pages
from support.house import Refused
from support.viewer import Viewer, ZoneInfo


@pytest.fixture
def visit(sqlite_url: str) -> Iterator[Visit]:
    database = Database(sqlite_url)
    yield Visit(database)
    database.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example", "sec_fetch_site": ""},
        {"origin": "null"},
        {"origin": "", "sec_fetch_site": ""},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "http://console.example.evil.example", "sec_fetch_site": ""},
    ],
)
async def test_a_form_from_elsewhere_changes_nothing(visit: Visit, headers: dict[str, str]):
    visit.user()
    form = {"name": "asha", "password": "correct horse battery"}
    assert (await visit.post("/sign-in", form, **headers)).status_code == 403
    await visit.sign_in()
    sent = {"origin": "http://console.example", "sec-fetch-site": "same-origin"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in sent.items() if value}
    assert (await visit.ask("POST", "/sign-out", data={}, headers=sent)).status_code == 403
    assert (await visit.get("/account")).status_code == 200


async def test_a_form_that_holds_too_much_is_refused(visit: Visit):
    assert (await visit.post("/sign-in", {"name": "x" * 300_000})).status_code == 413


async def test_a_form_that_cannot_be_read_is_no_fault_of_ours(visit: Visit):
    headers = {"origin": "http://console.example", "content-type": "multipart/form-data; boundary=x"}
    answer = await visit.ask("POST", "/sign-in", content=b"--x\r\nnonsense", headers=headers)
    assert answer.status_code in (400, 401)
    answer = await visit.ask(
        "POST", "/sign-in", content=b"x", headers={**headers, "content-type": "multipart/form-data"}
    )
    assert answer.status_code in (400, 401)


@pytest.mark.parametrize(("role", "opens"), [("admin", 200), ("support", 404), ("reporter", 404)])
async def test_the_audit_log_does_not_exist_but_for_admins(visit: Visit, role: str, opens: int):
    visit.user("asha", role)
    await visit.sign_in()
    assert (await visit.get("/audit")).status_code == opens


async def test_the_audit_log_speaks_of_every_number_so_a_limited_admin_has_none(visit: Visit):
    visit.user("asha", "admin", ("12772361041857",))
    await visit.sign_in()
    assert (await visit.get("/audit")).status_code == 404
    assert 'href="/audit"' not in (await visit.get("/account")).text


async def test_a_searched_number_stands_masked_in_the_audit_log(visit: Visit):
    visit.user()
    await visit.sign_in()
    with visit.database.write() as tx:
        audit.record(tx, at=visit.now, who="bo", action="search_number", target="919876543678")
    page = (await visit.get("/audit?who=bo")).text
    assert "search_number" in page
    assert "919876543678" not in page


async def test_a_page_of_another_role_looks_like_one_that_is_not(visit: Visit):
    visit.page("/desk", roles=("admin", "support"))
    visit.user("rita", "reporter")
    await visit.sign_in("rita")
    forced, none = await visit.get("/desk"), await visit.get("/no-such-page")
    assert forced.status_code == none.status_code == 404
    assert re.sub("<code>.*?</code>", "", forced.text) == re.sub("<code>.*?</code>", "", none.text)
    assert 'href="/audit"' not in forced.text
    assert "/search" not in forced.text


async def test_every_page_but_the_sign_in_asks_who_it_is(visit: Visit):
    for route in app.routes(visit.house):
        if isinstance(route, Mount):
            continue
        assert isinstance(route, Route)
        if route.path == "/sign-in":
            continue
        path = re.sub(r"\{[^}]*\}", "1", route.path)
        method = "GET" if "GET" in (route.methods or ()) else "POST"
        answer = await (visit.get(path) if method == "GET" else visit.post(path, {}))
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in"), path


async def test_a_write_without_sign_in_leads_to_the_front_page_afterwards(visit: Visit):
    assert (await visit.post("/sign-out", {})).headers["location"] == "/sign-in"


async def test_a_fragment_after_the_session_moves_the_whole_page(visit: Visit):
    answer = await visit.get(
        "/account", hx_request="true", hx_current_url="http://console.example/messages/7"
    )
    assert answer.headers["hx-redirect"] == "/sign-in?next=/messages/7"
    assert answer.text == ""


@pytest.mark.parametrize(
    ("problem", "status", "words"),
    [
        (TooSlow("x"), 503, "takes too long"),
        (DatabaseAway("secret address"), 503, "database is away"),
        (RuntimeError("+919812345678"), 500, "Something broke"),
        (Refused("It left already."), 409, "It left already."),
    ],
)
async def test_what_breaks_is_a_page_with_an_id_and_no_value(
    visit: Visit, problem: Exception, status: int, words: str, capsys: pytest.CaptureFixture[str]
):
    visit.user()
    await visit.sign_in()
    visit.page("/breaks", problem=problem)
    answer = await visit.get("/breaks")
    assert answer.status_code == status
    assert words in answer.text
    assert f"<code>{answer.headers['x-request-id']}</code>" in answer.text
    said = answer.text + "".join(capsys.readouterr())
    assert "9812345678" not in said
    assert "secret address" not in said
    assert (answer.headers["x-request-id"] in said) is True


async def test_every_answer_has_the_strict_headers(visit: Visit):
    visit.user()
    pages_ = [await visit.get(path) for path in ("/sign-in", "/account", "/none", "/static/wamtrail.css")]
    await visit.sign_in()
    pages_ += [await visit.get(path) for path in ("/account", "/audit", "/none", "/sign-in")]
    for answer in pages_:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        if not answer.url.path.startswith("/static"):
            assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", answer.text[:20_000])
        assert "http://" not in answer.text[:3000].replace("http://console.example", "")


async def test_the_browser_says_the_zone_and_nonsense_is_utc(visit: Visit):
    visit.user()
    await visit.sign_in()
    visit.cookies.set("zone", "Asia/Kolkata")
    assert "Times in Asia/Kolkata" in (await visit.get("/account")).text
    for nonsense in ("../../etc/passwd", "Nowhere/City", "x" * 500):
        visit.cookies.delete("zone")
        visit.cookies.set("zone", nonsense)
        assert "Times in UTC" in (await visit.get("/account")).text


async def test_the_audit_page_shows_filters_and_escapes(visit: Visit):
    visit.user()
    await visit.sign_in()
    with visit.database.write() as tx:
        for place in range(130):
            audit.record(tx, at=visit.now, who="bo", action="reveal", target=f"m{place}", reason="<b>why</b>")
    page = (await visit.get("/audit?who=bo&action=reveal")).text
    assert "&lt;b&gt;why" in page
    assert "m129" in page
    assert "sign_in</td>" not in page
    older = re.search(r'href="(/audit\?[^"]*before=\d+)"', page)
    assert older is not None
    second = (await visit.get(older.group(1).replace("&amp;", "&"))).text
    assert "m0<" in second
    assert "m129" not in second
    assert (await visit.get("/audit?before=x&who=%00&action=none")).status_code == 200


def test_who_is_limited_sees_only_their_numbers():
    def viewer(role: str, *numbers: str) -> Viewer:
        return Viewer("u", "n", role, numbers, ZoneInfo("UTC"), "s")

    assert viewer("support").may_see("1")
    assert viewer("support", "1").may_see("1")
    assert not viewer("support", "1").may_see("2")
    assert not viewer("support").may_see(None)
    assert viewer("admin").may_see(None)
    assert not viewer("admin", "1").may_see(None)


def test_every_template_escapes():
    assert pages.TEMPLATES.autoescape is True
    assert pages.TEMPLATES.from_string("{{ x }}").render(x="<b>\"'") == "&lt;b&gt;&#34;&#39;"
    for template in (pages.STATIC.parent / "templates").glob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape false", template.read_text()), template.name


def test_the_vendored_files_are_what_was_published():
    rows = re.findall(
        r"^\| `([^`]+)` \| .* \| `([0-9a-f]{64})` \|$", (pages.STATIC / "VENDOR.md").read_text(), re.M
    )
    assert {name for name, _ in rows} == {file.name for file in pages.STATIC.glob("*.min.*")}
    for name, digest in rows:
        assert hashlib.sha256((pages.STATIC / name).read_bytes()).hexdigest() == digest


async def test_when_every_connection_is_busy_a_page_says_so_soon(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engines, "POOL_WAIT", 0.3)
    database = Database(database_url)
    visit = Visit(database)
    visit.user()
    await visit.sign_in()
    with ExitStack() as held:
        for _ in range(8):
            held.enter_context(database.read())
        began = time.monotonic()
        answer = await visit.get("/account")
        assert time.monotonic() - began < 5
    assert answer.status_code == 503
    assert "takes too long" in answer.text
    assert (await visit.get("/account")).status_code == 200
    database.close()


async def test_a_page_is_shown_although_its_look_cannot_be_noted(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
):
    visit.user()
    await visit.sign_in()
    visit.now += sessions.SEEN_EVERY + 1
    noted: list[float] = []

    def away(*_: object, now: float, **__: object) -> None:
        noted.append(now)
        raise DatabaseAway("secret address")

    with monkeypatch.context() as broken:
        broken.setattr(sessions, "seen", away)
        assert (await visit.get("/account")).status_code == 200
    assert noted == [visit.now]
    assert (await visit.get("/account")).status_code == 200
    with visit.database.read() as tx:
        assert [one.seen_at for one in sessions.listed(tx, "id-asha", visit.now)] == [visit.now]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/static/none.css", 404),
        ("POST", "/static/pico.min.css", 405),
        ("DELETE", "/", 405),
        ("PUT", "/search", 405),
        ("GET", "/sign-out", 405),
    ],
)
async def test_answers_that_are_errors_have_the_same_headers(
    visit: Visit, method: str, path: str, status: int
):
    visit.user()
    await visit.sign_in()
    answer = await visit.ask(method, path, headers={})
    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert status == 404 or answer.headers["allow"]
