"""What webhooks say besides statuses: each kept once, with the webhook it first came in."""

import pytest
from store_samples import NOW, W1, one_row, rows

from store.apply import Understood, apply
from store.database import Database
from store.records import AccountEvent, InboundMessage, Parsed, QuarantinedPart

INBOUND = InboundMessage(W1, 1_800_000_000, "text", "100", "15550000001", content='{"text":"é"}')
EVENT = AccountEvent("1", "account_update", 1_800_000_000, '{"event":"VERIFIED_ACCOUNT"}')
FAULT = QuarantinedPart("/entry/0", "The status has no id.", '{"status":"sent"}')
ELSEWHERE = QuarantinedPart("/entry/7", FAULT.reason, FAULT.part)
TABLES = ("inbound_messages", "account_events", "quarantine")


def besides(webhook_id: int, received_at: float, fault: QuarantinedPart = FAULT) -> Understood:
    return Understood(webhook_id, received_at, Parsed((), (INBOUND,), (EVENT,), (fault,)))


def applied(database: Database, *transactions: list[Understood], keep_content: bool = False) -> None:
    for transaction in transactions:
        with database.write() as tx:
            apply(tx, transaction, NOW, keep_content=keep_content)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_each_is_kept_once_with_the_webhook_it_first_came_in(
    database: Database, together: bool, backwards: bool
) -> None:
    said = [
        besides(7, NOW + 1, ELSEWHERE),
        besides(9, NOW),
        besides(8, NOW, ELSEWHERE),
        besides(8, NOW, ELSEWHERE),
    ]
    said = said[::-1] if backwards else said
    applied(database, *([said] if together else [[one] for one in said]))
    for table in TABLES:
        row = one_row(database, table)
        assert (row["webhook_id"], row["received_at"]) == (8, NOW)
    assert one_row(database, "quarantine")["pointer"] == "/entry/7"
    assert rows(database, "feed") == []


def test_how_many_were_written_is_told(database: Database) -> None:
    with database.write() as tx:
        first = apply(tx, [besides(1, NOW), besides(2, NOW)], NOW)
        again = apply(tx, [besides(3, NOW)], NOW)
    assert (first.inbound, first.events, first.quarantined) == (1, 1, 1)
    assert (again.inbound, again.events, again.quarantined) == (0, 0, 0)


def test_what_differs_in_anything_is_another(database: Database) -> None:
    events = [
        EVENT,
        AccountEvent("12", "account_update", EVENT.occurred_at, EVENT.value),
        AccountEvent("1", "account_updat", EVENT.occurred_at, EVENT.value),
        AccountEvent("1", EVENT.field, None, EVENT.value),
        AccountEvent("1", EVENT.field, EVENT.occurred_at, "{}"),
    ]
    faults = [
        FAULT,
        QuarantinedPart("", FAULT.reason, "{}"),
        QuarantinedPart("", "Another reason.", FAULT.part),
    ]
    inbound = [INBOUND, InboundMessage(W1.lower(), 1_800_000_000, "text")]
    applied(database, [Understood(1, NOW, Parsed((), tuple(inbound), tuple(events), tuple(faults)))])
    assert [len(rows(database, table)) for table in TABLES] == [2, 5, 3]


@pytest.mark.parametrize("keep_content", [True, False])
def test_what_somebody_wrote_is_kept_only_if_so_configured(database: Database, keep_content: bool) -> None:
    applied(database, [besides(1, NOW)], keep_content=keep_content)
    row = one_row(database, "inbound_messages")
    assert row["content"] == ('{"text":"é"}' if keep_content else None)
    assert (row["type"], row["sender_id"], row["phone_number_id"]) == ("text", "15550000001", "100")
