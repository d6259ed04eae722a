"""`wamtrail user`: made, listed, given another password, disabled; a mistake is one sentence."""

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from store import audit, sessions, users
from store.database import Database
from store.users import BadUser
from support import passwords
from wamtrail.main import app

PASSWORD = "correct horse battery"


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("WAMTRAIL_DATABASE_URL", database_url)
    database = Database(database_url)
    yield database
    database.close()


def said(*arguments: str, password: str = PASSWORD) -> Result:
    more = ["--password-stdin"] if arguments[0] in ("create", "password") else []
    return CliRunner().invoke(app, ["user", *arguments, *more], input=f"{password}\n")


def test_the_first_admin_is_made_here_and_noted(database: Database) -> None:
    done = said("create", "Asha", "--role", "admin", "--number", "1", "--number", "2")
    assert (done.exit_code, done.stdout) == (0, "Made: asha, admin.\n")
    with database.read() as tx:
        found = users.find(tx, "ASHA")
        entries = [(entry.who, entry.action, entry.target) for entry in audit.listed(tx)]
    assert found is not None
    assert (found.role, found.numbers) == ("admin", ("1", "2"))
    assert PASSWORD not in found.password
    assert passwords.matches(found.password, PASSWORD)
    assert entries == [("command", "user_create", "asha")]
    assert "asha" in said("list").stdout


def test_a_name_is_taken_once_and_a_weak_password_never(database: Database) -> None:
    said("create", "asha", "--role", "admin")
    again = said("create", "ASHA", "--role", "support")
    assert (again.exit_code, "There is a user asha already" in again.stderr) == (1, True)
    for weak in ("short", "aaaaaaaaaaaaaaaa", "bo-and-a-long-name"):
        refused = said("create", "bo-and-a-long-name", "--role", "support", password=weak)
        assert refused.exit_code == 1
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("name", "role", "number"),
    [
        *(("a b", "admin", "1"), ("a:b", "admin", "1"), ("a", "sender", "1"), ("a", "admin", "")),
        *(("a", "admin", "abc"), ("a", "admin", "+911234567"), ("a", "admin", "１２")),
    ],
)
def test_what_cannot_be_a_user_is_refused(name: str, role: str, number: str) -> None:
    with pytest.raises(BadUser):
        users.checked(name, role, [number])


def test_another_password_and_an_end(database: Database) -> None:
    said("create", "asha", "--role", "admin")
    assert said("password", "asha", password="another horse battery").exit_code == 0
    with database.read() as tx:
        found = users.find(tx, "asha")
    assert found is not None
    assert passwords.matches(found.password, "another horse battery")
    assert said("disable", "asha").exit_code == 0
    assert said("disable", "asha").exit_code == 1
    assert said("password", "nobody").exit_code == 1


def test_a_change_ends_the_sessions_and_is_noted_in_words(database: Database) -> None:
    said("create", "asha", "--role", "support", "--number", "1")
    with database.write() as tx:
        found = users.find(tx, "asha")
        assert found is not None
        sessions.begin(tx, found.user_id, "A" * 43, "", 1_800_000_000.0)
    done = said("change", "Asha", "--role", "admin", "--all-numbers")
    assert (done.exit_code, "role support to admin; numbers 1 to all" in done.stdout) == (0, True)
    with database.read() as tx:
        changed = users.find(tx, "asha")
        assert sessions.find(tx, "A" * 43, 1_800_000_000.0) is None
        noted = [(one.who, one.target, one.reason) for one in audit.listed(tx, action="user_change")]
    assert changed is not None
    assert (changed.role, changed.numbers, changed.password) == ("admin", (), found.password)
    assert noted == [("command", "asha", "role support to admin; numbers 1 to all")]


def test_a_change_of_password_and_numbers_by_one_command(database: Database) -> None:
    said("create", "asha", "--role", "support", "--number", "1")
    new = "another horse battery"
    done = said("change", "asha", "--number", "2", "--number", "3", "--password-stdin", password=new)
    assert done.exit_code == 0
    assert new not in done.stdout
    with database.read() as tx:
        found = users.find(tx, "asha")
        noted = audit.listed(tx, action="user_change")[0].reason
    assert found is not None
    assert (found.role, found.numbers) == ("support", ("2", "3"))
    assert passwords.matches(found.password, new)
    assert noted == "numbers 1 to 2 3; password"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("asha",), 2, "Nothing to change"),
        (("asha", "--number", "1", "--all-numbers"), 2, "exclude each other"),
        (("asha", "--role", "king"), 1, "The role is none of"),
        (("asha", "--number", "1 2"), 1, "A sending number"),
        (("asha", "--number", "abc"), 1, "PHONE_NUMBER_ID, digits alone"),
        (("nobody", "--role", "admin"), 1, "There is no user of this name"),
    ],
)
def test_a_change_that_is_none_is_one_sentence(
    database: Database, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    said("create", "asha", "--role", "support", "--number", "1")
    done = said("change", *arguments)
    told = done.stderr if code == 2 else str(done.exception)  # the entry point prints a StoreError as it is
    assert (done.exit_code, sentence in told) == (code, True)
    assert code == 2 or isinstance(done.exception, BadUser)
    with database.read() as tx:
        assert audit.listed(tx, action="user_change") == []


def test_who_was_disabled_can_be_enabled_once(database: Database) -> None:
    said("create", "asha", "--role", "admin")
    assert said("enable", "asha").exit_code == 1
    said("disable", "asha")
    assert said("enable", "ASHA").exit_code == 0
    with database.read() as tx:
        found = users.find(tx, "asha")
        actions = [one.action for one in audit.listed(tx)]
    assert found is not None
    assert found.disabled_at is None
    assert actions == ["user_enable", "user_disable", "user_create"]
