"""Signing in: who gets in, who is kept out, and for how long."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from visiting import PASSWORD, Visit

from store import audit, sessions, sign_in_failures, users
from store.database import Database
from store.sign_in_failures import FOR_ADDRESS, FOR_BOTH, WINDOW
from support import passwords
from support.sign_in import TRUSTED, local


@pytest.fixture
def visit(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """Checking a password costs little here; other parameters than those of `quick_hash`, which is dated."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=16, parallelism=1))
    passwords._nobodys.cache_clear()
    database = Database(database_url)
    yield Visit(database)
    database.close()


async def test_the_right_password_opens_the_pages(visit: Visit):
    visit.user()
    assert (await visit.get("/account")).headers["location"] == "/sign-in?next=/account"
    answer = await visit.sign_in(" Asha ", to="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = await visit.get("/account")
    assert page.status_code == 200
    assert "this one" in page.text


async def test_wrong_name_and_wrong_password_are_told_apart_by_nobody(visit: Visit):
    visit.user()
    known = await visit.sign_in(password="wrong")
    unknown = await visit.sign_in("asho")
    assert known.status_code == unknown.status_code == 401
    strip = [text.text.replace(name, "N") for text, name in ((known, "asha"), (unknown, "asho"))]
    assert strip[0] == strip[1]


def test_a_name_that_nobody_has_costs_a_check_too(monkeypatch: pytest.MonkeyPatch):
    checked: list[str] = []
    hasher = passwords._HASHER

    class Counting:
        def verify(self, kept: str, password: bytes) -> bool:
            checked.append(kept)
            return hasher.verify(kept, password)

        def hash(self, password: bytes) -> str:
            return hasher.hash(password)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    assert not passwords.matches(None, "nobody has this password")
    assert len(checked) == 1


async def test_after_some_failures_even_the_right_password_waits(visit: Visit):
    visit.user()
    for _ in range(FOR_BOTH):
        assert (await visit.sign_in(password="wrong")).status_code == 401
    locked = await visit.sign_in()
    assert locked.status_code == 429
    assert "Wait 15 minutes" in locked.text
    assert int(locked.headers["retry-after"]) == WINDOW
    assert "asha" not in visit.cookies
    visit.now += WINDOW + 1
    assert (await visit.sign_in()).status_code == 303


async def test_an_account_that_is_none_is_locked_alike(visit: Visit):
    for _ in range(FOR_BOTH):
        assert (await visit.sign_in("nobody")).status_code == 401
    assert (await visit.sign_in("nobody")).status_code == 429


async def test_one_address_tries_many_accounts_in_vain(visit: Visit):
    visit.user()
    for place in range(FOR_ADDRESS):
        assert (await visit.sign_in(f"user{place}")).status_code == 401
    assert (await visit.sign_in()).status_code == 429


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account is locked after so many failures, as after many more in earnest: the test is quicker."""
    monkeypatch.setattr(sign_in_failures, "FOR_ACCOUNT", 8)


async def _tried_from_everywhere(visit: Visit) -> None:
    for place in range(sign_in_failures.FOR_ACCOUNT):
        visit.address = f"192.0.2.{place}"
        await visit.sign_in(password="wrong")


async def test_who_guesses_from_many_addresses_locks_nobody_out_where_they_signed_in_before(
    visit: Visit, few: None
):
    visit.user()
    visit.address = "198.51.100.7"
    assert (await visit.sign_in()).status_code == 303
    await _tried_from_everywhere(visit)
    visit.address = "203.0.113.9"
    assert (await visit.sign_in()).status_code == 429
    visit.address = "198.51.100.7"
    visit.cookies.clear()
    assert (await visit.sign_in()).status_code == 303
    for _ in range(FOR_BOTH):  # guessing from there is limited as ever
        await visit.sign_in(password="wrong")
    assert (await visit.sign_in()).status_code == 429


async def test_an_address_is_no_longer_trusted_when_the_sign_in_from_it_is_old(visit: Visit, few: None):
    visit.user()
    visit.address = "198.51.100.7"
    assert (await visit.sign_in()).status_code == 303
    visit.now += TRUSTED + 1
    await _tried_from_everywhere(visit)
    visit.address = "198.51.100.7"
    assert (await visit.sign_in()).status_code == 429


async def test_all_addresses_of_one_network_of_version_6_count_as_one(visit: Visit):
    visit.user()
    for place in range(FOR_BOTH):
        visit.address = f"2001:db8:0:7:{place:x}::1"
        assert (await visit.sign_in(password="wrong")).status_code == 401
    visit.address = "2001:db8:0:7::9"
    assert (await visit.sign_in()).status_code == 429
    visit.address = "2001:db8:0:8::9"
    assert (await visit.sign_in()).status_code == 303


async def test_success_forgives_the_failures_before(visit: Visit):
    visit.user()
    for _ in range(3):
        for _ in range(FOR_BOTH - 1):
            await visit.sign_in(password="wrong")
        assert (await visit.sign_in()).status_code == 303


async def test_a_session_that_was_brought_along_is_not_taken_over(visit: Visit):
    visit.user()
    planted = "A" * 43
    visit.cookies.set("wamtrail", planted, domain="console.example")
    await visit.sign_in()
    assert visit.cookies.get("wamtrail", domain="console.example") is None or planted not in str(
        visit.cookies
    )
    visit.cookies.clear()
    visit.cookies.set("wamtrail", planted)
    assert (await visit.get("/account")).status_code == 303


async def test_signing_in_again_is_another_session_and_ends_the_old(visit: Visit):
    visit.user()
    first = (await visit.sign_in()).cookies["wamtrail"]
    second = (await visit.sign_in()).cookies["wamtrail"]
    assert first != second
    with visit.database.read() as tx:
        assert sessions.find(tx, first, visit.now) is None
        assert sessions.find(tx, second, visit.now) is not None


async def test_only_the_hash_of_a_session_is_kept(visit: Visit):
    from sqlalchemy import text

    visit.user()
    secret = (await visit.sign_in()).cookies["wamtrail"]
    with visit.database.read() as tx:
        row = tx.first(text("SELECT * FROM sessions"))
    assert secret not in repr(row)
    assert secret.encode() not in bytes(row.digest)


async def test_signing_out_ends_the_session_itself(visit: Visit):
    visit.user()
    secret = (await visit.sign_in()).cookies["wamtrail"]
    assert (await visit.post("/sign-out", {})).headers["location"] == "/sign-in"
    with visit.database.read() as tx:
        assert sessions.find(tx, secret, visit.now) is None


async def test_an_idle_and_an_old_session_end(visit: Visit):
    visit.user()
    await visit.sign_in()
    visit.now += sessions.IDLE - 10
    assert (await visit.get("/account")).status_code == 200
    visit.now += sessions.IDLE - 10
    assert (await visit.get("/account")).status_code == 200
    visit.now += sessions.AT_MOST - 2 * sessions.IDLE + 21
    assert (await visit.get("/account")).status_code == 303


async def test_a_disabled_user_is_out_at_once_and_stays_out(visit: Visit):
    visit.user()
    await visit.sign_in()
    with visit.database.write() as tx:
        assert users.disable(tx, "ASHA", visit.now)
        assert not users.disable(tx, "asha", visit.now)
    assert (await visit.get("/account")).status_code == 303
    assert (await visit.sign_in()).status_code == 401


async def test_one_revokes_a_session_of_ones_own_and_of_nobody_else(visit: Visit):
    visit.user()
    visit.user("bo", "support")
    first = (await visit.sign_in()).cookies["wamtrail"]
    visit.cookies.clear()
    await visit.sign_in("bo")
    await visit.post("/account/end-session", {"session": sessions.public_id(first)})
    with visit.database.read() as tx:
        assert sessions.find(tx, first, visit.now) is not None
    visit.cookies.clear()
    await visit.sign_in()
    await visit.post("/account/end-session", {"session": sessions.public_id(first)})
    with visit.database.read() as tx:
        assert sessions.find(tx, first, visit.now) is None
    assert (await visit.get("/account")).status_code == 200


async def test_another_password_ends_the_other_sessions(visit: Visit):
    visit.user()
    other = (await visit.sign_in()).cookies["wamtrail"]
    visit.cookies.clear()
    await visit.sign_in()
    new = "another horse battery"
    form = {"old": PASSWORD, "new": new, "again": new}
    assert (await visit.post("/account/password", {**form, "old": "wrong"})).status_code == 400
    assert (await visit.post("/account/password", {**form, "again": "x"})).status_code == 400
    assert (
        await visit.post("/account/password", {**form, "new": "short", "again": "short"})
    ).status_code == 400
    assert (await visit.post("/account/password", form)).status_code == 303
    assert (await visit.get("/account")).status_code == 200
    with visit.database.read() as tx:
        assert sessions.find(tx, other, visit.now) is None
    assert (await visit.sign_in()).status_code == 401
    assert (await visit.sign_in(password=new)).status_code == 303


async def test_the_cookie_is_kept_from_scripts_and_other_sites(visit: Visit):
    visit.user()
    plain = (await visit.sign_in()).headers["set-cookie"].lower()
    assert "httponly" in plain
    assert "samesite=lax" in plain
    assert "secure" not in plain
    form = {"name": "asha", "password": PASSWORD}
    tls = (await visit.post("/sign-in", form, x_forwarded_proto="https")).headers["set-cookie"]
    assert tls.startswith("__Host-wamtrail=")
    assert "Secure" in tls
    visit.house = Visit(visit.database, secure=True).house
    assert "Secure" in (await visit.sign_in()).headers["set-cookie"]


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\/evil", "javascript:alert(1)", "/a\\b",
     "/\t/evil.example", "/\n/evil", "", "/sign-in", "evil", "http:/x", "///evil"],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(to: str):
    assert local(to) == "/"


@pytest.mark.parametrize("to", ["/account", "/messages/1?x=1", "/search?q=status%3Afailed"])
def test_signing_in_leads_back(to: str):
    assert local(to) == to


async def test_odd_signs_in_the_form_are_only_wrong(visit: Visit):
    visit.user()
    for name in (
        "\0",
        "asha\0",
        "'; DROP TABLE users; --",
        "\ud800".encode("utf-8", "replace").decode(),
        "<b>",
    ):
        answer = await visit.sign_in(name)
        assert answer.status_code == 401
        assert "<b>" not in answer.text
    assert (await visit.sign_in()).status_code == 303


def noted(visit: Visit) -> list[tuple[str, str, str]]:
    with visit.database.read() as tx:
        return [(one.who, one.action, one.target) for one in audit.listed(tx) if one.action != "sign_in"]


async def test_failed_sign_ins_are_noted_and_a_name_that_nobody_has_is_not_kept(visit: Visit):
    visit.user()
    await visit.sign_in(password="wrong")
    await visit.sign_in("correct-horse-typed-into-the-name")
    await visit.sign_in("asha\0")
    assert noted(visit) == [
        ("not signed in", "sign_in_failed", "unknown name"),
        ("not signed in", "sign_in_failed", "unknown name"),
        ("not signed in", "sign_in_failed", "asha"),
    ]
    with visit.database.read() as tx:
        assert "correct-horse" not in repr(audit.listed(tx))
        assert audit.listed(tx)[0].reason == "from 127.0.0.1"


async def test_being_kept_out_is_noted_once_in_a_window(visit: Visit):
    visit.user()
    for _ in range(FOR_BOTH + 4):
        await visit.sign_in(password="wrong")
    actions = [action for _, action, _ in noted(visit)]
    assert actions == ["sign_in_locked"] + ["sign_in_failed"] * FOR_BOTH
    visit.now += WINDOW + 1
    for _ in range(FOR_BOTH + 2):
        await visit.sign_in(password="wrong")
    assert [action for _, action, _ in noted(visit)].count("sign_in_locked") == 2


@pytest.mark.parametrize("meanwhile", ["disable", "password"])
async def test_what_changes_while_a_password_is_checked_keeps_them_out(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, meanwhile: str
):
    visit.user()

    async def slow(kept: str | None, password: str) -> bool:
        with visit.database.write() as tx:
            if meanwhile == "disable":
                users.disable(tx, "asha", visit.now)
            else:
                users.set_password(tx, "id-asha", "another hash")
        return True

    monkeypatch.setattr(passwords, "check", slow)
    assert (await visit.sign_in()).status_code == 401
    with visit.database.read() as tx:
        assert sessions.listed(tx, "id-asha", visit.now) == []


async def test_a_wrong_old_password_is_noted(visit: Visit):
    visit.user()
    await visit.sign_in()
    await visit.post("/account/password", {"old": "wrong", "new": "x", "again": "x"})
    assert noted(visit) == [("asha", "password_failed", "asha")]
