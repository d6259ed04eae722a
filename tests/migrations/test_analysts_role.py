"""The role that docs/analysts.md makes reads the views and does nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors, sql

DOCS = Path(__file__).parents[2] / "docs/analysts.md"
GROUP, ROLE = "wamtrail_analysts", "metabase"


def documented(at: int) -> str:
    """The at-th SQL block of the page."""
    return re.findall(r"```sql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[at].replace("…", "pw")


@pytest.fixture
def analyst(postgresql_url: str) -> Iterator[psycopg.Connection]:
    """Signed in as that role. Roles belong to the whole server, so they go in the end."""
    with psycopg.connect(postgresql_url, autocommit=True) as owner:
        owner.execute(documented(0).encode())
        try:
            address = urlsplit(postgresql_url)
            mine = address._replace(netloc=f"{ROLE}@{address.netloc.rpartition('@')[2]}").geturl()
            with psycopg.connect(mine, autocommit=True) as connection:
                yield connection
        finally:
            for role in (ROLE, GROUP):
                name = sql.Identifier(role)
                owner.execute(sql.SQL("DROP OWNED BY {}").format(name))
                owner.execute(sql.SQL("DROP ROLE {}").format(name))


def test_the_documented_role_reads_the_views_and_nothing_else(analyst: psycopg.Connection) -> None:
    shown = analyst.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    views = {name for (name,) in shown}
    assert len(views) == 6
    for view in views:
        analyst.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(view)))
    analyst.execute(documented(1).encode())
    for table in ("sends", "messages", "report_buckets", "users", "wamtrail_messages"):
        with pytest.raises(errors.InsufficientPrivilege):
            analyst.execute(sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(table)))
    with pytest.raises(errors.ReadOnlySqlTransaction):
        analyst.execute("CREATE TABLE mine (one int)")
    assert analyst.execute("SHOW statement_timeout").fetchone() == ("1min",)
