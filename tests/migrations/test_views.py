"""The views that analysts read: one row a message, real times, the program's own status, nobody named."""

import importlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import inspect, text

from reports import answers
from reports.report import Asked
from store import migrate, rollup_marks, rollups, search, search_follow
from store.database import Database
from store.search_wanted import Wanted

NOW = 1_800_000_000
MASKED = ("wamtrail_messages_masked", "wamtrail_updates_masked", "wamtrail_inbound_masked")
PERSONAL = {"wamid", "recipient", "recipient_id", "recipient_user_id", "participant", "sender_id"}
PERSONAL |= {"sender_user_id", "group_id", "replies_to", "callback_data", "content"}

SEND = text(
    "INSERT INTO sends (message_id, phone_number_id, state, recipient_typed, recipient, type, template,"
    " category, payload_digest, priority, queued_at, due_at, expires_at, attempts, wamid, accepted_at, error,"
    " settled_by)"
    " VALUES (:id, '100', :state, '+15550000001', '15550000001', 'template', 'hello', 'UTILITY', :digest,"
    " 0, :at, :at, :at, 1, :wamid, :accepted, :error, :settled)"
)
MESSAGE = text(
    "INSERT INTO messages (wamid, message_id, sent_at, delivered_at, read_at, failed_at, first_seen_at,"
    " reported_number, recipient_id, pricing, error) VALUES (:wamid, :id, :sent, :delivered, :read, :failed,"
    " :at, '200', '15550000002', :pricing, :error)"
)
PRICING = '{"billable":true,"category":"utility","pricing_model":"PMP","type":"regular"}'


def send(name: str, state: str = "accepted", **more: Any) -> dict[str, Any]:
    wamid = f"wamid.{name}" if state == "accepted" else None
    given = {"id": name, "state": state, "digest": b"d", "at": NOW + 0.25, "wamid": wamid, "error": None}
    return given | {"accepted": NOW + 0.5 if wamid else None, "settled": None} | more


def message(name: str, ours: bool = True, **more: Any) -> dict[str, Any]:
    times = dict.fromkeys(("sent", "delivered", "read", "failed"))
    given = {"wamid": f"wamid.{name}", "id": name if ours else None, "at": NOW + 1.5, "pricing": None}
    return {**times, **given, "error": None, **more}


@pytest.fixture
def filled(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    with database.write() as tx:
        tx.run(
            SEND, [send("a"), send("b"), send("c", "queued"), send("d", "refused", error='{"code":131026}')]
        )
        tx.run(SEND, [send("e", "refused", settled="person"), send("f"), send("g")])
        tx.run(MESSAGE, message("a", sent=NOW, read=NOW + 9, pricing=PRICING))
        tx.run(MESSAGE, message("b", delivered=NOW + 86_400, failed=NOW, error='[{"code":131000}]'))
        tx.run(MESSAGE, message("f", failed=NOW, error="no JSON at all", pricing="{"))
        tx.run(MESSAGE, message("theirs", ours=False, delivered=NOW))
        search_follow.look_again(tx, ["wamid.theirs"])
    yield database
    database.close()


def by_id(database: Database, view: str = "wamtrail_messages") -> dict[Any, dict[str, Any]]:
    with database.read() as tx:
        return {row.message_id: dict(row._mapping) for row in tx.all(text(f"SELECT * FROM {view}"))}


def seconds(value: Any) -> float:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    assert moment.tzinfo is not None
    return moment.astimezone(UTC).timestamp()


def test_every_message_stands_once_with_the_status_of_the_program(filled: Database) -> None:
    with filled.read() as tx:
        listed = {row["message_id"]: row for row in search.find(tx, Wanted(), 100).rows}
    found = by_id(filled)
    assert {key: row["status"] for key, row in found.items()} == {
        key: row["status"] for key, row in listed.items()
    }
    for key, row in found.items():
        for name in ("phone_number_id", "recipient", "type", "template", "reference"):
            assert row[name] == listed[key][name]


def test_times_are_points_in_time_and_flags_are_never_null(filled: Database) -> None:
    found = by_id(filled)
    assert seconds(found["a"]["queued_at"]) == NOW + 0.25
    assert seconds(found["a"]["read_at"]) == NOW + 9
    assert found["c"]["sent_at"] is None
    assert {key: bool(row["conflict"]) for key, row in found.items()} == {
        **dict.fromkeys(found, False),
        "b": True,
    }
    assert {key for key, row in found.items() if row["delivered_implied"]} == {"a"}
    assert all(row["conflict"] is not None and row["delivered_implied"] is not None for row in found.values())


def test_codes_and_prices_are_read_and_what_is_no_json_spoils_nothing(filled: Database) -> None:
    found = by_id(filled)
    assert (found["b"]["error_code"], found["d"]["error_code"], found["f"]["error_code"]) == (
        "131000",
        "131026",
        None,
    )
    priced = found["a"]
    assert (priced["pricing_category"], priced["pricing_type"], bool(priced["pricing_billable"])) == (
        "utility",
        "regular",
        True,
    )


def test_a_conflict_of_a_group_is_that_of_one_participant(filled: Database) -> None:
    member = text(
        "INSERT INTO participants (wamid, participant, delivered_at, failed_at)"
        " VALUES (:w, :p, :delivered, :failed)"
    )
    with filled.write() as tx:
        tx.run(member, {"w": "wamid.b", "p": "1", "delivered": NOW, "failed": None})
        tx.run(member, {"w": "wamid.b", "p": "2", "delivered": None, "failed": NOW})
    assert not by_id(filled)["b"]["conflict"]
    with filled.write() as tx:
        tx.run(member, {"w": "wamid.b", "p": "3", "delivered": NOW, "failed": NOW})
    assert by_id(filled)["b"]["conflict"]


def test_days_add_up_to_the_messages(filled: Database) -> None:
    worked_out(filled)
    with filled.read() as tx:
        days = [dict(row._mapping) for row in tx.all(text("SELECT * FROM wamtrail_daily"))]
    total = {
        name: sum(int(day[name]) for day in days) for name in ("messages", "delivered", "read", "failed")
    }
    assert total == {"messages": 8, "delivered": 3, "read": 1, "failed": 2}
    assert {str(day["day"]) for day in days} == {"2027-01-15"}
    for day in days:
        ended = ("accepted", "refused", "unknown", "cancelled", "waiting")
        assert sum(int(day[name]) for name in ended) == day["messages"]


def test_days_are_those_of_the_reports_in_their_zone(filled: Database) -> None:
    with filled.write() as tx:
        tx.run(text("UPDATE sends SET queued_at = queued_at + 57600 WHERE message_id IN ('b', 'd', 'f')"))
    for zone in ("UTC", "Asia/Kolkata"):
        worked_out(filled, zone)
        by = ("day", "number", "template", "country", "category", "type")
        asked = Asked("delivery", date(2027, 1, 1), date(2027, 1, 31), by)
        with filled.read() as tx:
            report = answers.answer(tx, asked, ZoneInfo(zone), NOW + 90_000)
            view = [dict(row._mapping) for row in tx.all(text("SELECT * FROM wamtrail_report_daily"))]
        told = [{**row, "day": str(row["day"]), "number": row["phone_number_id"]} for row in view]
        names = [column.name for column in report.columns if column.kind != "share"]
        assert _plain(told, names) == _plain(report.rows, names)
        assert len({row["day"] for row in told}) == 2


def _plain(found: Sequence[Any], names: list[str]) -> list[str]:
    return sorted(str({name: row[name] for name in names}) for row in found)


def worked_out(database: Database, zone: str = "UTC") -> None:
    with database.write() as tx:
        rollup_marks.mark(tx, ["wamid.theirs"])
    rollups.refresh_all(database, ZoneInfo(zone), lambda: NOW + 90_000)


def test_masked_views_name_nobody(filled: Database) -> None:
    with migrate._connected(filled.url) as connection:
        for view in MASKED:
            assert not PERSONAL & {column["name"] for column in inspect(connection).get_columns(view)}
    with filled.read() as tx:
        for view in MASKED:
            assert "1555000" not in str(tx.all(text(f"SELECT * FROM {view}")))


def test_a_role_that_reads_the_masked_views_reads_nothing_else(postgresql_url: str) -> None:
    from sqlalchemy.exc import ProgrammingError

    with migrate._connected(postgresql_url) as connection:
        connection.execute(text("DROP ROLE IF EXISTS analyst_of_test"))
        connection.execute(text("CREATE ROLE analyst_of_test"))
        connection.execute(text(f"GRANT SELECT ON {', '.join(MASKED)} TO analyst_of_test"))
        connection.execute(text("SET ROLE analyst_of_test"))
        for view in MASKED:
            connection.execute(text(f"SELECT count(*) FROM {view}"))
        connection.commit()
        for table in ("sends", "wamtrail_messages"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                connection.execute(text(f"SELECT count(*) FROM {table}"))
            connection.rollback()
        connection.execute(text("RESET ROLE"))
        connection.execute(text("DROP OWNED BY analyst_of_test"))
        connection.execute(text("DROP ROLE analyst_of_test"))
        connection.commit()


def test_every_column_of_every_view_is_told_to_analysts(database_url: str) -> None:
    from pathlib import Path

    told = (Path(__file__).parents[2] / "docs/analysts.md").read_text(encoding="utf-8")
    views = (*importlib.import_module("migrations.versions.0007_views").VIEWS, "wamtrail_report_daily")
    with migrate._connected(database_url) as connection:
        assert set(inspect(connection).get_view_names()) >= set(views)
        for view in views:
            _, _, rest = told.partition(f"## `{view.removesuffix('_masked')}`")
            section = rest.partition("\n## ")[0]
            for column in inspect(connection).get_columns(view):
                assert f"`{column['name']}`" in section, f"{view}.{column['name']}"
