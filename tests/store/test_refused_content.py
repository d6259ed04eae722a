"""What is refused as it is placed keeps its content when it was asked to, and only then."""

from dataclasses import replace

import pytest
from balance_samples import INDIA, INR, asked, rated, topped_up
from sqlalchemy import text
from store_samples import NOW, message_id, new_send

from store import sends
from store.claims import claim_one, submit_claimed
from store.database import Database

KEPT = text("SELECT payload IS NOT NULL AS kept FROM sends WHERE message_id = :id")


@pytest.mark.parametrize("keep", [True, False])
def test_what_expired_keeps_its_content_only_when_asked(database: Database, keep: bool) -> None:
    with database.write() as tx:
        sends.submit(tx, replace(new_send(1), expires_at=1.0), NOW)
        placed = claim_one(tx, message_id(1), NOW, replace(asked("claim-1"), keep_payload=keep))
        assert placed.kind == "late"
        assert bool(tx.value(KEPT, {"id": message_id(1)})) is keep


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_not_paid_for_keeps_its_content_only_when_asked(database: Database, keep: bool) -> None:
    rated(database)
    topped_up(database, 1)
    with database.write() as tx:
        wanted = replace(asked("claim-1", INR), keep_payload=keep)
        placed = submit_claimed(tx, new_send(1, **INDIA), NOW, wanted)
        assert placed.kind == "unpaid"
        assert bool(tx.value(KEPT, {"id": message_id(1)})) is keep
