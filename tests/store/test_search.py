"""Both databases do the same: every kind of search, page by page, each by an index and bounded."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import event, text
from store_samples import CLAIM, NOW, ended, message_id, new_send, status_update, webhook

from store import open_messages, search_follow, sends
from store.apply import apply
from store.database import Database
from store.listing import Cursor
from store.search import Wanted, find
from store.strangers import address

EVENT = 1_800_000_000
ERRORS = '[{"code":131049}]'


@pytest.fixture
def filled(database: Database) -> Database:
    """Twelve of ours and seven of strangers, and the follower has read all of it."""
    with database.write() as tx:
        for n in range(1, 13):
            changes: dict[str, Any] = {"phone_number_id": "100" if n % 2 else "200"}
            changes["recipient"] = f"1555000000{n % 3}"
            changes["reference"] = None if n % 4 else f"order-{n}"
            changes["template"] = "order_update" if n % 2 else None
            sends.submit(tx, new_send(n, **changes), NOW + n // 3, CLAIM)
            outcome = "accepted" if n <= 8 else ("refused" if n == 9 else "unknown")
            if n <= 10:
                sends.record_outcome(tx, message_id(n), 1, CLAIM, ended(outcome, wamid=f"ours-{n}"))
        updates = [
            status_update(f"ours-{n}", "read", EVENT + n, recipient_id="1555", recipient_user_id="US.9")
            for n in range(1, 5)
        ]
        apply(tx, [webhook(1, *updates)], NOW)
        for n in range(1, 8):
            theirs = status_update(
                f"theirs-{n}",
                "failed",
                EVENT,
                codes="131049" if n % 2 else "131049,100",
                errors=ERRORS,
                phone_number_id="100" if n % 2 else "300",
                recipient_id="15550000001",
                recipient_user_id="US.7",
            )
            apply(tx, [webhook(1 + n, theirs, received_at=NOW + n // 3)], NOW)
    while search_follow.step(database) | open_messages.step(database):
        pass
    return database


def paged(database: Database, wanted: Wanted, limit: int, scan: int = 10_000) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    after: Cursor | None = None
    while True:
        with database.read() as tx:
            page = find(tx, wanted, limit, after, scan)
        assert len(page.rows) <= limit
        found += page.rows
        if page.older is None:
            return found
        after = page.older


def ours(*numbers: int) -> set[str]:
    return {message_id(n) for n in numbers}


def theirs(*numbers: int) -> set[str]:
    return {f"theirs-{n}" for n in numbers}


ALL = ours(*range(1, 13)) | theirs(*range(1, 8))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), ALL),
        (Wanted(wamid="ours-3"), {"ours-3"}),
        (Wanted(wamid="theirs-3"), theirs(3)),
        (Wanted(wamid="Ours-3"), set()),
        (Wanted(message_id=message_id(12)), ours(12)),
        (Wanted(recipients=("15550000001",)), ours(1, 4, 7, 10) | theirs(*range(1, 8))),
        (Wanted(recipients=("1555000000",)), set()),
        (Wanted(recipients=("1555",)), ours(1, 2, 3, 4)),
        (Wanted(recipients=("US.7",)), theirs(*range(1, 8))),
        (Wanted(recipients=("US.9",)), ours(1, 2, 3, 4)),
        (Wanted(recipients=("%",)), set()),
        (Wanted(reference="order-8"), ours(8)),
        (Wanted(reference="order-%"), set()),
        (Wanted(template="order_update"), ours(1, 3, 5, 7, 9, 11)),
        (Wanted(template="order-update"), set()),
        (Wanted(error="131049"), theirs(*range(1, 8))),
        (Wanted(error="13104"), set()),
        (Wanted(error="100"), ours(9)),
        (Wanted(error="%"), set()),
        (Wanted(status="read"), ours(1, 2, 3, 4)),
        (Wanted(status="refused"), ours(9)),
        (Wanted(status="unknown"), ours(10)),
        (Wanted(status="failed"), theirs(*range(1, 8))),
        (Wanted(work="unknown"), ours(10)),
        (Wanted(work="unmatched"), theirs(*range(1, 8))),
        (Wanted(work="lost"), set()),
        (Wanted(work="waiting"), {f"ours-{n}" for n in range(5, 9)}),
        (Wanted(work="conflict"), set()),
        (Wanted(work="waiting", recipients=("15550000001",)), ours(7)),
        (Wanted(work="waiting", numbers=("200",)), {"ours-6", "ours-8"}),
        (Wanted(numbered=True), ALL),
        (Wanted(phone_number_id="200"), ours(2, 4, 6, 8, 10, 12)),
        (Wanted(numbers=("300",)), theirs(2, 4, 6)),
        (Wanted(numbers=("200", "300")), ours(2, 4, 6, 8, 10, 12) | theirs(2, 4, 6)),
        (Wanted(numbers=("100",), phone_number_id="200"), set()),
        (Wanted(numbers=("300",), wamid="theirs-3"), set()),
        (Wanted(numbers=("300",), message_id=message_id(12)), set()),
        (Wanted(numbers=("300",), error="131049"), theirs(2, 4, 6)),
        (Wanted(since=NOW + 2), ours(*range(6, 13)) | theirs(6, 7)),
        (Wanted(until=NOW + 1), ours(1, 2) | theirs(1, 2)),
        (Wanted(template="order_update", recipients=("15550000001",), status="read"), ours(1)),
        (Wanted(error="131049", recipients=("15550000001",), phone_number_id="300"), theirs(2, 4, 6)),
    ],
)
def test_a_search_finds_what_meets_all_its_conditions(
    filled: Database, wanted: Wanted, expected: set[str]
) -> None:
    found = paged(filled, wanted, 50)
    assert {row["key"] for row in found} == expected
    for limit, scan in ((2, 10_000), (3, 4), (50, 3)):
        again = [row["key"] for row in paged(filled, wanted, limit, scan)]
        assert again == [row["key"] for row in found], (limit, scan)


def test_a_page_that_looked_at_a_part_only_says_so_and_goes_on(filled: Database) -> None:
    with filled.read() as tx:
        part = find(tx, Wanted(status="read"), 10, None, 4)
        whole = find(tx, Wanted(status="read"), 10, None, 100)
    assert (part.rows, part.searched_to is not None, part.older is not None) == ([], True, True)
    assert (len(whole.rows), whole.searched_to, whole.older) == (4, None, None)


def test_a_message_that_turns_out_to_be_ours_is_no_stranger_any_more(database: Database) -> None:
    with database.write() as tx:
        apply(tx, [webhook(1, status_update("w", "sent", EVENT, recipient_id="15550000001"))], NOW)
    while search_follow.step(database):
        pass
    with database.read() as tx:
        row = tx.first(text("SELECT address, recipient FROM strangers"))
    assert row is not None
    assert tuple(row) == (address("w"), "15550000001")
    with database.write() as tx:
        sends.submit(tx, new_send(1), NOW, CLAIM)
        sends.record_outcome(tx, message_id(1), 1, CLAIM, ended("accepted", wamid="w"))
    with database.read() as tx:  # also before the follower comes by
        assert [one["key"] for one in find(tx, Wanted(recipients=("15550000001",)), 5).rows] == [
            message_id(1)
        ]
    while search_follow.step(database):
        pass
    with database.read() as tx:
        assert tx.value(text("SELECT count(*) FROM strangers")) == 0


PLANNED = [
    Wanted(),
    Wanted(wamid="w"),
    Wanted(message_id=message_id(1)),
    Wanted(recipients=("15550000001", "US.7")),
    Wanted(reference="order-8"),
    Wanted(template="order_update"),
    Wanted(error="131026"),
    Wanted(status="refused"),
    Wanted(status="read"),
    Wanted(work="unknown"),
    Wanted(work="unmatched"),
    Wanted(work="waiting"),
    Wanted(phone_number_id="200"),
    Wanted(numbers=("200", "300")),
]


@pytest.mark.parametrize("wanted", PLANNED, ids=str)
@pytest.mark.parametrize("after", [None, Cursor(NOW, "k")])
def test_every_search_walks_an_index(filled: Database, wanted: Wanted, after: Cursor | None) -> None:
    if not filled.sqlite:
        _many_rows(filled)
    plans = _plans(filled, wanted, after)
    assert plans
    for plan in plans:
        for whole in (
            "Seq Scan on sends",
            "Seq Scan on messages",
            "Seq Scan on status_updates",
            "Seq Scan on st",
        ):
            assert whole not in plan, plan
        for line in plan.splitlines():
            words = line.split()
            whole = words[:1] == ["SCAN"] and words[1] in ("s", "m", "u", "t", "o", "n", "owner")
            assert not whole or words[-1] in WALKED_WHOLE.get(words[1], ()), plan
            assert not whole or "ix_sends_queued_at" not in line or _of_everything(wanted), plan


# A walk over all of such an index in its order is what a search without a telling condition is.
WALKED_WHOLE = {
    "s": ("ix_sends_queued_at", "ix_sends_refused", "ix_sends_unsettled"),
    "t": ("ix_strangers_seen_at",),
}
MANY = (
    "INSERT INTO sends (message_id, phone_number_id, state, recipient_typed, recipient, type, template,"
    " payload_digest, reference, priority, queued_at, due_at, expires_at, attempts, wamid)"
    " SELECT 'm' || n, CAST(n % 5 AS text), 'accepted', '', CAST(n % 997 AS text), 'text', 't' || n % 50,"
    " '', 'r' || n, 0, n, 0, 0, 1, 'w' || n FROM generate_series(1, 5000) AS n",
    "INSERT INTO messages (wamid, first_seen_at) SELECT 'w' || n, n FROM generate_series(1, 9000) AS n",
    "INSERT INTO status_updates (wamid, participant, status, occurred_at, error_codes, received_at,"
    " webhook_id, batch) SELECT 'w' || n, '', 'sent', n, CASE WHEN n % 100 = 0 THEN '131026' ELSE '' END, n,"
    " 1, 1 FROM generate_series(1, 9000) AS n",
    "INSERT INTO strangers (wamid, address, seen_at, phone_number_id, recipient, user_id) SELECT 'w' || n,"
    " 'a' || n, n, CAST(n % 5 AS text), CAST(n % 997 AS text), 'US.' || n"
    " FROM generate_series(5001, 9000) AS n",
)


def _of_everything(wanted: Wanted) -> bool:
    """Nothing narrows what is walked: the newest of all, up to the limit."""
    return wanted in (Wanted(), Wanted(status="read"))


def _many_rows(database: Database) -> None:
    """So many that PostgreSQL prefers an index."""
    with database.write() as tx:
        if int(tx.value(text("SELECT count(*) FROM sends"))) > 2000:
            return
        for statement in MANY:
            tx.run(text(statement))
        for table in ("sends", "messages", "status_updates", "strangers"):
            tx.run(text(f"ANALYZE {table}"))


def _plans(database: Database, wanted: Wanted, after: Cursor | None) -> list[str]:
    """How the database would go about each statement of this search."""
    seen: list[tuple[str, Any]] = []
    with database.read() as tx:

        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
            if not statement.startswith("EXPLAIN"):
                seen.append((statement, parameters))

        event.listen(tx.connection, "before_cursor_execute", note)
        find(tx, wanted, 50, after, 200)
        explain = "EXPLAIN QUERY PLAN " if database.sqlite else "EXPLAIN "
        return [
            "\n".join(str(row[-1]) for row in tx.connection.exec_driver_sql(explain + statement, parameters))
            for statement, parameters in list(seen)
        ]


def test_a_strangers_message_that_two_names_of_a_person_find_comes_once(filled: Database) -> None:
    with filled.write() as tx:  # a send of ours has taught that both are one person
        tx.run(text("INSERT INTO known_as (name, recipient) VALUES ('US.7', '15550000001')"))
    wanted = Wanted(recipients=("US.7",))
    names = [row["message_wamid"] for row in paged(filled, wanted, 50)]
    assert sorted(name for name in names if name.startswith("theirs")) == sorted(theirs(*range(1, 8)))


def test_a_message_that_failed_twice_with_the_code_comes_once(filled: Database) -> None:
    more = [
        status_update(
            "theirs-1", "failed", EVENT + 1, codes="131049,100", errors=ERRORS, phone_number_id="100"
        ),
        status_update("theirs-3", "failed", EVENT + 1, codes="131049", errors=ERRORS, phone_number_id="100"),
    ]
    with filled.write() as tx:
        apply(tx, [webhook(50, *more, received_at=NOW + 90)], NOW)
    found = paged(filled, Wanted(error="131049"), 2)
    assert sorted(row["message_wamid"] for row in found) == sorted(theirs(*range(1, 8)))
