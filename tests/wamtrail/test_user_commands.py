"""`wamtrail user`: made, listed, given another password, disabled; a mistake is one sentence."""

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from store import audit, users
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
    [("a b", "admin", "1"), ("a:b", "admin", "1"), ("a", "sender", "1"), ("a", "admin", "")],
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
