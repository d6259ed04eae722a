"""Whatever was sent and said, in whatever order: after an erasure every figure is what it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from erasure_works import (
    AT,
    OTHER,
    USER,
    WHO,
    body,
    contact,
    erase,
    follow,
    left,
    process,
    replayed,
    status,
    wamid,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from store_samples import CLAIM, NOW, ended, message_id, new_send, rows

from reports import answers
from reports.report import DIMENSIONS, KINDS, Asked
from store import ledger, outcomes, sends, verify, webhooks
from store.database import Database
from store.tables import metadata

PEOPLE = (WHO, USER, OTHER)
MESSAGE = st.tuples(st.sampled_from(PEOPLE), st.booleans(), st.sampled_from(["hello", None]))
TOLD = st.tuples(
    st.integers(0, 5),
    st.sampled_from(["sent", "delivered", "read", "failed", "warning"]),
    st.integers(0, 200_000),
    st.booleans(),
)


@given(messages=st.lists(MESSAGE, min_size=1, max_size=6), told=st.lists(TOLD, max_size=14))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
def test_every_report_and_the_balance_stay(
    database: Database, messages: list[tuple[str, bool, str | None]], told: list[tuple[int, str, int, bool]]
) -> None:
    emptied(database)
    filled(database, messages, told)
    before, others = figures(database), of_others(database)
    erase(database)
    worked_out_anew(database)
    assert figures(database) == before
    assert of_others(database) == others
    assert left(database) == {}
    assert replayed(database) == 0
    assert verify.verify(database).good
    worked_out_anew(database)
    assert figures(database) == before


def filled(
    database: Database, messages: list[tuple[str, bool, str | None]], told: list[tuple[int, str, int, bool]]
) -> None:
    """Accepted or refused sends; statuses of them and of strangers, some with price and error, some twice."""
    with database.write() as tx:
        ledger.opened(tx, "EUR", NOW - 10)
    for n, (who, accepted, template) in enumerate(messages):
        made = new_send(n, recipient=who, recipient_typed=who, type="template" if template else "text")
        with database.write() as tx:
            sends.submit(tx, replace(made, template=template), NOW, CLAIM)
            end = ended("accepted", wamid=wamid(who, n)) if accepted else ended("refused")
            outcomes.record_outcome(tx, message_id(n), 1, CLAIM, end)
    for n, word, later, more in told:
        who = messages[n][0] if n < len(messages) else PEOPLE[n % 3]
        extra: dict[str, Any] = {"biz_opaque_callback_data": f"{message_id(n)}:{who}"} if n % 2 else {}
        if word == "failed":
            extra["errors"] = [{"code": 131026, "title": f"Not to {who}"}]
        elif more:
            extra["pricing"] = {"billable": True, "category": "utility", "type": "regular"}
        one = status(wamid(who, n), word, who, AT + later, **extra)
        hook = body(statuses=[one], contacts=[contact(who, USER, "Ravi")] if who == WHO else [])
        with database.write() as tx:
            webhooks.keep(tx, [webhooks.Incoming(hook, NOW + later)] * (1 + more))
    wrote = {
        "id": wamid(WHO, 77),
        "from": WHO,
        "timestamp": str(AT),
        "type": "text",
        "text": {"body": "Ravi"},
    }
    hook = body(
        contacts=[contact(WHO, USER, "Ravi")], messages=[wrote]
    )  # else nobody knows that they are one
    with database.write() as tx:
        webhooks.keep(tx, [webhooks.Incoming(hook, NOW)])
    process(database)
    worked_out_anew(database)


def worked_out_anew(database: Database) -> None:
    with database.write() as tx:
        for table in ("report_buckets", "report_costs"):
            tx.run(text(f"DELETE FROM {table}"))
        tx.run(
            text(
                "INSERT INTO dirty_buckets (day, phone_number_id, version, since, due_at, waiting)"
                " SELECT day, phone_number_id, 1, 0, 0, 0 FROM report_days WHERE true"
                " ON CONFLICT (day, phone_number_id) DO NOTHING"
            )
        )
    follow(database, NOW + 300_000)


def figures(database: Database) -> dict[str, Any]:
    """Every report by everything; a stranger's example is named by a digest of its id, which is another."""
    since, until = datetime.fromtimestamp(NOW - 86_400, UTC).date(), datetime.fromtimestamp(NOW, UTC).date()
    found: dict[str, Any] = {}
    for kind in KINDS:
        for by in ((), *((one,) for one in DIMENSIONS)):
            asked = Asked(kind, since, until + timedelta(days=5), by)
            with database.read() as tx:
                answer = answers.answer(tx, asked, ZoneInfo("UTC"), NOW + 300_000)
            found[f"{kind} {by}"] = sorted(
                str({name: value for name, value in row.items() if name != "example"}) for row in answer.rows
            )
    found["account"] = rows(database, "accounts", ("feed_position",), order="1")
    found["holds"] = rows(database, "holds", order="1")
    return found


def of_others(database: Database) -> dict[str, Any]:
    return {
        table: [row for row in rows(database, table) if row[column] == OTHER]
        for table, column in (
            ("messages", "recipient_id"),
            ("sends", "recipient"),
            ("strangers", "recipient"),
        )
    }


def emptied(database: Database) -> None:
    with database.write() as tx:
        for table in metadata.sorted_tables:
            if table.name != "installation":
                tx.run(text(f"DELETE FROM {table.name}"))
