"""The search page: what is pasted is found, and no address gives a number away."""

import secrets
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from store import search_follow, sessions, users
from store.database import Database
from store.strangers import address
from support import search_page
from support.house import House

NOW = 1_800_000_000.0
WAMID = "wamid.HBgLMTU1NTAwMDAwMDE1AgARGBI1FFFFFFFF+/Q=="
PHONE = "919812345678"
Open = Callable[..., TestClient]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    with opened.write() as tx:
        for n, (number, recipient, reference, template) in enumerate(
            (
                ("100", PHONE, "order-77", None),
                ("100", PHONE, "order-78", "order_update"),
                ("200", "15550000001", "order-77", "<script>alert(1)</script>"),
                ("200", "15550000002", "'; DROP TABLE sends; --", None),
            )
        ):
            tx.run(
                text(
                    "INSERT INTO sends (message_id, phone_number_id, state, recipient_typed, recipient, type,"
                    " template, payload_digest, reference, priority, queued_at, due_at, expires_at, attempts,"
                    " wamid) VALUES (:id, :number, 'accepted', '', :recipient, 'text', :template, :digest,"
                    " :reference, 0, :at, 0, 0, 1, :wamid)"
                ),
                {
                    "id": message_id(n),
                    "number": number,
                    "recipient": recipient,
                    "template": template,
                    "digest": b"",
                    "reference": reference,
                    "at": NOW - 100 + n,
                    "wamid": WAMID if n == 1 else f"w{n}",
                },
            )
            tx.run(
                text("INSERT INTO messages (wamid, message_id) VALUES (:wamid, :id)"),
                {"wamid": WAMID if n == 1 else f"w{n}", "id": message_id(n)},
            )
        tx.run(text("INSERT INTO numbers (phone_number_id, default_country) VALUES ('100', 'IN')"))
    yield opened
    opened.close()


def message_id(n: int) -> str:
    return f"0197a0b1-c2d3-7000-8000-{n:012x}"


@pytest.fixture
def signed_in(database: Database) -> Open:
    """A browser of a new user."""
    app = Starlette(routes=search_page.routes(House(database, lambda: NOW)))

    def browser(role: str = "support", numbers: tuple[str, ...] = ()) -> TestClient:
        secret, name = secrets.token_urlsafe(32), secrets.token_hex(4)
        with database.write() as tx:
            users.create(
                tx, user_id=name, name=name, role=role, numbers=numbers, password="not a hash", now=NOW
            )
            sessions.begin(tx, name, secret, "test", NOW)
        return TestClient(app, "http://desk", follow_redirects=False, cookies={"wamtrail": secret})

    return browser


def searched(browser: TestClient, query: str) -> httpx.Response:
    return browser.post("/search", data={"q": query}, headers={"Origin": "http://desk"})


def shown(browser: TestClient, query: str) -> str:
    """The page after the redirect."""
    answer = searched(browser, query)
    if answer.status_code == 303:
        answer = browser.get(answer.headers["location"])
    return answer.text


@pytest.mark.parametrize(
    "query", [WAMID, f"  {WAMID} ", message_id(1), message_id(1).upper(), "order-78", "order_update"]
)
def test_what_names_one_message_leads_to_it(signed_in: Open, query: str) -> None:
    answer = searched(signed_in(), query)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{message_id(1)}")


@pytest.mark.parametrize(
    "query",
    [
        "+91 98123 45678",
        "0091-98123-45678",
        "(+91) 98123-45678",
        PHONE,
        "98123 45678",
        "098123 45678",
        f"to:+{PHONE}",
    ],
)
def test_a_phone_is_found_in_any_spelling_and_never_stands_in_an_address(
    signed_in: Open, database: Database, query: str
) -> None:
    browser = signed_in()
    answer = searched(browser, query)
    where = unquote(answer.headers["location"])
    assert where.startswith("/search/")
    assert not any(part in where for part in ("98123", "45678", "wamid"))
    page = browser.get(where)
    assert page.status_code == 200
    assert f"/messages/{message_id(0)}" in page.text
    assert f"/messages/{message_id(1)}" in page.text
    assert page.text.count("/messages/") == 2
    assert PHONE not in page.text.replace(query, "")
    with database.read() as tx:
        row = tx.first(text("SELECT action, target FROM audit_log"))
    assert row is not None
    assert tuple(row) == ("search_number", PHONE)


def test_a_kept_search_is_for_whoever_made_it_and_for_a_day(signed_in: Open, database: Database) -> None:
    mine, other = signed_in(), signed_in()
    where = searched(mine, PHONE).headers["location"]
    assert mine.get(where).status_code == 200
    assert other.get(where).status_code == 404
    with database.write() as tx:
        tx.run(text("UPDATE searches SET at = :at"), {"at": NOW - 90_000})
    assert mine.get(where).status_code == 404


def test_a_search_without_a_person_is_in_the_address_and_leaves_no_trace(
    signed_in: Open, database: Database
) -> None:
    answer = searched(signed_in(), "order-77")
    assert answer.headers["location"] == "/search?q=order-77"
    page = signed_in().get(answer.headers["location"]).text
    assert page.index(message_id(2)) < page.index(message_id(0))
    assert "+1 55" in page
    assert "15550000001" not in page
    with database.read() as tx:
        assert tx.value(text("SELECT count(*) FROM audit_log")) == 0
        assert tx.value(text("SELECT count(*) FROM searches")) == 0


def test_a_number_in_the_address_is_not_looked_for(signed_in: Open, database: Database) -> None:
    answer = signed_in().get("/search", params={"q": PHONE})
    assert answer.status_code == 400
    assert "/messages/" not in answer.text
    assert "Press Search" in answer.text


def test_a_user_of_one_number_finds_nothing_else(signed_in: Open) -> None:
    limited = signed_in(numbers=("100",))
    assert message_id(2) not in shown(limited, "status:accepted")
    assert "Nothing found" in shown(limited, message_id(2))
    assert "Nothing found" in shown(limited, "+1 555 000 0001")
    assert searched(limited, "order-77").headers["location"] == f"/messages/{message_id(0)}"


def test_a_reporter_has_no_search(signed_in: Open) -> None:
    assert signed_in("reporter").get("/search?q=order-77").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["status:deliverd", "staus:failed", "to:", "since:soon", '"open', "a" * 10_000, "+91" + "9" * 10_000],
)
def test_a_wrong_query_is_told_and_shown_how(signed_in: Open, query: str) -> None:
    page = shown(signed_in(), query)
    assert 'role="alert"' in page
    assert "What can be asked" in page


@pytest.mark.parametrize(
    "query",
    [
        "' OR 1=1 --",
        "%",
        "_",
        "order-%",
        "template:%",
        "ref:_____-77",
        "\x00",
        "order-77\x00",
        "<script>alert(1)</script>x",
        '"><img src=x onerror=alert(1)>',
        "{{ 7*7 }}",
        "wamid.%",
        "to:%",
        "from:' OR '1'='1",
        "😀",
        "\u202e77-redro",
    ],
)
def test_nothing_typed_is_taken_for_more_than_text(signed_in: Open, query: str) -> None:
    page = shown(signed_in(), query)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert ">49<" not in page
    if "77" not in query or "_" in query:
        assert "/messages/" not in page


def test_what_strangers_wrote_is_shown_as_text(signed_in: Open) -> None:
    page = shown(signed_in(), "status:accepted")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "DROP TABLE" in page


def test_no_result_says_what_was_looked_for_and_what_to_try(signed_in: Open) -> None:
    page = shown(signed_in(), "order-99 status:failed")
    assert "Nothing found" in page
    assert "as a reference, as a template" in page
    assert "status:failed" in page
    assert "pasted whole" in page


def test_pages_go_on_without_a_wamid_in_their_address(
    signed_in: Open, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.search_answer.PAGE", 2)
    with database.write() as tx:
        for n in range(5):
            tx.run(
                text(
                    "INSERT INTO messages (wamid, first_seen_at, sent_at, reported_number)"
                    " VALUES (:w, :at, 1, '100')"
                ),
                {"w": f"wamid.{n}", "at": NOW - n},
            )
        search_follow.write(tx, search_follow.look(tx, [f"wamid.{n}" for n in range(5)]))
    browser = signed_in()
    found: list[str] = []
    where = "/search?q=is%3Aunmatched"
    while where:
        page = browser.get(where).text
        found += [part.split('"')[0] for part in page.split('href="/messages/')[1:]]
        where = (
            page.split('" rel="next"')[0].split('<a href="')[-1].replace("&amp;", "&")
            if 'rel="next"' in page
            else ""
        )
        assert "wamid" not in urlsplit(where).query
    assert found == [address(f"wamid.{n}") for n in range(5)]


@pytest.mark.parametrize("before", ["", "x", "nan_1", "1_", "1_w-0", "1e999_x", "1_\x00", "1_" + "9" * 5000])
def test_a_cut_cursor_breaks_nothing(signed_in: Open, before: str) -> None:
    assert signed_in().get("/search", params={"q": "order-77", "before": before}).status_code == 200
