"""How the database goes about the lists of unknown sends, quarantine and suppressed people."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, text

from store import suppressions, work_lists
from store.database import Database, ReadTx
from store.work_lists import Cursor

AFTER = Cursor(1_800_000_000.0, "01900000-0000-7000-8000-000000000001")
DIGEST = Cursor(1_800_000_000.0, "00" * 32)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


def plan(database: Database, asked: Callable[[ReadTx], object]) -> str:
    """Of every statement that `asked` makes. Sequential scans are off: the tables of a test are empty."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        seen.append((statement, parameters))

    with database.write() as tx:
        if tx.postgres:
            tx.run(text("SET LOCAL enable_seqscan = off"))
            tx.run(text("SET LOCAL enable_bitmapscan = off"))
        event.listen(tx.connection, "before_cursor_execute", note)
        asked(tx)
        event.remove(tx.connection, "before_cursor_execute", note)
        word = "EXPLAIN " if tx.postgres else "EXPLAIN QUERY PLAN "
        told = [tx.connection.exec_driver_sql(word + one, values) for one, values in seen]
        return "\n".join(str(row[-1]) for rows in told for row in rows)


def unsorted(told: str) -> bool:
    """Rows come in the order of the index; within one instant they may be put in order by their key."""
    return all(
        word not in told.replace("Incremental Sort", "") for word in ("Sort  (", "B-TREE FOR ORDER BY")
    )


@pytest.mark.parametrize("numbers", [(), ("100",), ("100", "200")])
@pytest.mark.parametrize("after", [None, AFTER])
def test_unknown_sends_are_read_from_the_end_of_their_index(
    database: Database, numbers: tuple[str, ...], after: Cursor | None
):
    told = plan(database, lambda tx: work_lists.unknown_page(tx, numbers, 51, after))
    assert "ix_sends_un" in told  # ix_sends_unknown or ix_sends_unsettled: of state = 'unknown' alone
    assert unsorted(told)


@pytest.mark.parametrize("numbers", [(), ("100",)])
def test_unknown_sends_are_counted_by_their_index(database: Database, numbers: tuple[str, ...]):
    assert "ix_sends_un" in plan(database, lambda tx: work_lists.unknown_count(tx, numbers))


@pytest.mark.parametrize("after", [None, DIGEST])
def test_open_quarantine_is_read_from_the_end_of_its_index(database: Database, after: Cursor | None):
    told = plan(database, lambda tx: work_lists.quarantine_page(tx, 51, after))
    assert "ix_quarantine_open" in told
    assert unsorted(told)


def test_open_quarantine_is_counted_by_its_index(database: Database):
    assert "ix_quarantine_open" in plan(database, work_lists.quarantine_count)


@pytest.mark.parametrize("after", [("", ""), ("919876543678", "marketing_messages")])
def test_suppressed_people_are_read_along_the_key(database: Database, after: tuple[str, str]):
    told = plan(database, lambda tx: suppressions.listed(tx, 51, after))
    key = "pk_suppressions" if not database.sqlite else "sqlite_autoindex_suppressions_1 (identity>?)"
    assert key in told.replace("(identity,category)>(?,?)", "identity>?")
    assert unsorted(told)
    assert "TEMP B-TREE" not in told
