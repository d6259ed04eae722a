"""Law 2: any order, any repetition and any grouping of the same webhooks gives the same rows.

The expected rows are worked out here from the words of the law, not with the store's own fold.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from store_samples import STATUS_TABLES, W1, emptied, rows, status_update, webhook
from update_strategies import STATUS_WORDS, Delivery, deliveries, regrouped, updates, webhooks

from store import verify
from store.apply import Understood, apply
from store.database import Database
from store.fold import COLUMNS, PARTICIPANT_COLUMNS, fold
from store.records import StatusUpdate
from store.status import STATUS_SQL, status
from store.tables.sends import STATES
from store.updates import Heard, merge

NOW = 1_800_000_100.0
ALIKE = settings(max_examples=100, deadline=None, derandomize=True, database=None)
Row = dict[str, Any]
RANK = {"sent": 1, "delivered": 2, "read": 3, "played": 4, "failed": 5}
VALUES = {"reported_number": "phone_number_id"} | {
    name: name for name in ("recipient_id", "recipient_user_id", "callback_data", "pricing")
}


def applied(database: Database, delivery: Delivery) -> dict[str, list[Row]]:
    """The rows that this delivery leaves in empty tables."""
    emptied(database, STATUS_TABLES)
    for transaction in delivery.transactions:
        with database.write() as tx:
            apply(tx, transaction, NOW)
    with database.read() as tx:
        return {
            "messages": rows(tx, "messages"),
            "participants": rows(tx, "participants"),
            "status_updates": rows(tx, "status_updates", without={"batch"}, order="1, 2, 3, 4, 5"),
        }


def tied(database: Database) -> set[frozenset[int]]:
    """Which webhooks replay has to hear together."""
    groups: dict[int, set[int]] = {}
    for pair in rows(database, "webhook_repeats"):
        one, other = (groups.setdefault(pair[end], {pair[end]}) for end in ("earlier_id", "later_id"))
        both = one | other
        groups |= dict.fromkeys(both, both)
    return {frozenset(group) for group in groups.values()}


def heard(webhooks: Iterable[Understood]) -> list[Heard]:
    return [
        Heard(update, one.received_at, one.webhook_id) for one in webhooks for update in one.parsed.updates
    ]


def law(database: Database, body: Callable[[st.DataObject, list[Understood]], None]) -> None:
    """Run a law's body over random webhooks, in the same tables."""

    @ALIKE
    @given(st.data(), webhooks())
    def run(data: st.DataObject, said: list[Understood]) -> None:
        body(data, said)

    run()


def test_order_repetition_and_transactions_do_not_matter(database: Database) -> None:
    def body(data: st.DataObject, said: list[Understood]) -> None:
        first = applied(database, data.draw(deliveries(said)))
        ties = tied(database)
        assert applied(database, data.draw(deliveries(said))) == first
        assert tied(database) == ties

    law(database, body)


def test_the_grouping_into_webhooks_does_not_matter(database: Database) -> None:
    arrival = {"received_at", "webhook_id", "first_seen_at"}  # differ, because the webhooks did

    def body(data: st.DataObject, said: list[Understood]) -> None:
        told = [applied(database, data.draw(deliveries(one))) for one in (said, data.draw(regrouped(said)))]
        first, second = (
            {
                table: [{k: v for k, v in row.items() if k not in arrival} for row in found]
                for table, found in all_.items()
            }
            for all_ in told
        )
        assert first == second

    law(database, body)


def test_the_rows_are_what_the_law_says(database: Database) -> None:
    def body(data: st.DataObject, said: list[Understood]) -> None:
        found = applied(database, data.draw(deliveries(said)))
        everything = heard(said)
        by_message, by_member, by_key = defaultdict(list), defaultdict(list), defaultdict(list)
        for one in everything:
            by_message[one.update.wamid].append(one)
            by_key[one.key].append(one)
            if one.update.participant:
                by_member[one.update.wamid, one.update.participant].append(one)
        senders = dict.fromkeys(
            ("message_id", "reference", "phone_number_id", "recipient", "type", "template", "accepted_at")
        )
        assert found["messages"] == [
            {"wamid": wamid, **senders, **expected_fold(by_message[wamid])} for wamid in sorted(by_message)
        ]
        assert found["participants"] == [
            {"wamid": wamid, "participant": who}
            | {name: expected_fold(by_member[wamid, who])[name] for name in PARTICIPANT_COLUMNS}
            for wamid, who in sorted(by_member)
        ]
        assert found["status_updates"] == [expected_update(by_key[key]) for key in sorted(by_key)]
        assert verify.verify(database).good

    law(database, body)


def expected_fold(told: list[Heard]) -> Row:
    """The receiver's columns, by the words of the law."""
    row: Row = {"first_seen_at": min(one.received_at for one in told)}
    for word in RANK:
        times = [one.update.occurred_at for one in told if one.update.status == word]
        row[f"{word}_at"] = min(times, default=None)
    known = [one for one in told if one.update.status in RANK]  # an unknown word has no effect
    for column, name in VALUES.items():
        row |= _chosen(max, column, name, known)
    return row | _chosen(min, "error", "errors", known)


def _chosen(choose: Any, column: str, name: str, told: list[Heard]) -> Row:
    carried = [
        (one.update.occurred_at, RANK[one.update.status], value)
        for one in told
        if (value := getattr(one.update, name)) is not None
    ]
    if not carried:
        return {column: None, f"{column}_order": None}
    at, rank, value = choose(carried)
    return {column: value, f"{column}_order": at * 8 + rank}


def expected_update(copies: list[Heard]) -> Row:
    first = min(copies, key=lambda one: (one.received_at, one.webhook_id))
    row: Row = dict(
        zip(("wamid", "participant", "status", "occurred_at", "error_codes"), first.key, strict=True)
    )
    for name in (
        "phone_number_id",
        "recipient_id",
        "recipient_user_id",
        "errors",
        "pricing",
        "callback_data",
        "rest",
    ):
        said = [value for one in copies if (value := getattr(one.update, name)) is not None]
        row[name] = (min if name == "errors" else max)(said, default=None)
    return row | {"received_at": first.received_at, "webhook_id": first.webhook_id}


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(updates, st.sampled_from([1.0, 2.5])), min_size=1, max_size=6), st.data())
def test_the_pure_fold_knows_no_order_and_no_repetition(
    told: list[tuple[StatusUpdate, float]], data: st.DataObject
) -> None:
    again = data.draw(st.permutations([*told, *data.draw(st.lists(st.sampled_from(told), max_size=3))]))
    assert fold(told).row() == fold(again).row()
    expected = expected_fold([Heard(update, at, 1) for update, at in told])
    assert fold(told).row() == tuple(expected[name] for name in COLUMNS)


KEYED = st.builds(
    lambda update, at, number: Heard(update, at, number),
    updates.map(
        lambda one: status_update(
            W1,
            "failed",
            errors=one.errors,
            pricing=one.pricing,
            callback_data=one.callback_data,
            rest=one.rest,
        )
    ),
    st.sampled_from([1.0, 2.0]),
    st.integers(1, 2),
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(KEYED, KEYED, KEYED)
def test_copies_merge_alike_in_any_order(a: Heard, b: Heard, c: Heard) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)


def test_an_empty_value_beside_none_survives_any_grouping(database: Database) -> None:
    plain = status_update(callback_data="")
    priced = status_update(callback_data=None, pricing="{}")
    found = [
        applied(database, Delivery(transactions))
        for transactions in (
            [[webhook(1, plain, priced)]],
            [[webhook(1, plain)], [webhook(1, priced)]],
            [[webhook(1, priced)], [webhook(1, plain)]],
        )
    ]
    assert found[0] == found[1] == found[2]
    assert (found[0]["messages"][0]["callback_data"], found[0]["status_updates"][0]["callback_data"]) == (
        "",
        "",
    )


def test_a_message_that_would_not_change_is_not_written(postgresql_database: Database) -> None:
    def version() -> str:
        with postgresql_database.read() as tx:
            return str(tx.value(text("SELECT ctid::text || xmin::text FROM messages")))

    told = [webhook(1, status_update(status="read"), status_update(status="delivered"))]
    applied(postgresql_database, Delivery([told]))
    before = version()
    with postgresql_database.write() as tx:
        apply(tx, told, NOW)
    assert version() == before


def test_a_repeat_alone_makes_nothing_new_in_the_feed(database: Database) -> None:
    said = [webhook(1, status_update()), webhook(2, status_update(), received_at=NOW)]
    for one in said:
        with database.write() as tx:
            apply(tx, [one], NOW)
    assert len(rows(database, "feed")) == 1
    assert [(row["earlier_id"], row["later_id"]) for row in rows(database, "webhook_repeats")] == [(1, 2)]


@pytest.mark.parametrize("word", STATUS_WORDS)
def test_only_metas_five_words_move_a_time(database: Database, word: str) -> None:
    found = applied(database, Delivery([[webhook(1, status_update(status=word))]]))
    (message,) = found["messages"]
    moved = [
        name for name in ("sent_at", "delivered_at", "read_at", "played_at", "failed_at") if message[name]
    ]
    assert moved == ([f"{word}_at"] if word in RANK else [])
    assert found["status_updates"][0]["status"] == word


def test_the_status_in_sql_is_the_status_in_python(database: Database) -> None:
    """Every combination of the five times, the wamid, the state and who settled it: one SELECT."""
    times = [f"{word}_at" for word in RANK]
    given_times = " CROSS JOIN ".join(f"flag AS {name[0]}" for name in times)
    columns = ", ".join(f"{name[0]}.v AS {name}" for name in times)
    statement = (
        "WITH flag(v) AS (VALUES (7), (NULL)), named(v) AS (VALUES ('w'), (NULL)),"
        f" state(v) AS (VALUES {', '.join(f'({word!r})' for word in STATES)}),"
        " settled(v) AS (VALUES ('answer'), ('status'), ('person'), (NULL))"
        f" SELECT m.*, s.*, {STATUS_SQL} AS told"
        f" FROM (SELECT {columns}, n.v AS wamid FROM {given_times} CROSS JOIN named AS n) AS m"
        " CROSS JOIN (SELECT a.v AS state, b.v AS settled_by FROM state AS a CROSS JOIN settled AS b) AS s"
    )
    with database.read() as tx:
        found = tx.all(text(statement))
    assert len(found) == 2**5 * 2 * len(STATES) * 4
    assert [row.told for row in found] == [status(dict(row._mapping)) for row in found]
    assert {row.told for row in found} > {"failed", "played", "accepted", "queued", "cancelled"}
