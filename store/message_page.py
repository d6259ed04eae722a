"""All that the page of one message shows, read in one transaction, and whose message it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store import again, charges, ledger, stories, strangers
from store.again import Link
from store.database import ReadTx
from store.lists import among, given
from store.pricing import Charge
from store.stories import Story

NEWEST = 200  # strangers that the index of addresses may not hold yet


@dataclass(frozen=True, slots=True)
class Seen:
    """`number`: the phone_number_id that it belongs to. `not_again`: why it may not be sent again."""

    address: str
    story: Story
    number: str | None
    run: Mapping[str, Any] | None
    charge: Charge | None
    currency: str
    again_of: str | None
    repeats: Sequence[Link]
    not_again: str | None
    next_number: int

    @property
    def message_id(self) -> str | None:
        return self.story.send["message_id"] if self.story.send else None

    @property
    def wamid(self) -> str | None:
        found: str | None = (self.story.message or self.story.send or {}).get("wamid")
        return found


def seen(tx: ReadTx, address: str) -> Seen | None:
    """By message_id or a stranger's address; never by a wamid, which would be a number in an address."""
    if "\0" in address or len(address) > 64:
        return None
    wamid = _stranger(tx, address)
    story = stories.story(tx, wamid or address)
    if story is None or (wamid is None and (story.send is None or story.send["message_id"] != address)):
        return None
    known = _known(tx, story)
    return Seen(address, story, number_of(story), **known)


def number_of(story: Story) -> str | None:
    """The number that it went out from; a stranger's as Meta reported it."""
    send, message = story.send or {}, story.message or {}
    found: str | None = (
        send.get("phone_number_id") or message.get("phone_number_id") or message.get("reported_number")
    )
    return found


def webhooks_of(tx: ReadTx, story: Story) -> list[int]:
    """The kept webhooks that spoke of it or answered it, oldest first."""
    ids = {one["webhook_id"] for one in story.updates}
    wamid = (story.message or story.send or {}).get("wamid")
    if wamid is not None:
        rows = tx.all(
            text("SELECT webhook_id FROM inbound_messages WHERE replies_to = :wamid"), {"wamid": wamid}
        )
        ids |= {row.webhook_id for row in rows}
    if not ids:
        return []
    statement = f"SELECT id FROM webhooks WHERE id {among(tx, 'ids')} ORDER BY id"
    return [row.id for row in tx.all(text(statement), {"ids": given(tx, sorted(ids))})]


def _stranger(tx: ReadTx, address: str) -> str | None:
    if not address.startswith("w-"):
        return None
    found = tx.first(text("SELECT wamid FROM strangers WHERE address = :address"), {"address": address})
    return found.wamid if found else strangers.find(tx, address, NEWEST)


def _known(tx: ReadTx, story: Story) -> dict[str, Any]:
    send = story.send
    wamid = (story.message or {}).get("wamid")
    charge = charges.stored(tx, [wamid]).get(wamid) if wamid else None
    account = ledger.peek(tx) if charge else None
    message_id = send["message_id"] if send else None
    not_again, next_number = again.standing(tx, message_id) if message_id else (None, 1)
    return {
        "run": _run(tx, message_id),
        "charge": charge,
        "currency": account.currency if account else "",
        "again_of": again.repeated(tx, message_id) if message_id else None,
        "repeats": again.repeats(tx, message_id) if message_id else (),
        "not_again": not_again,
        "next_number": next_number,
    }


def _run(tx: ReadTx, message_id: str | None) -> Mapping[str, Any] | None:
    row = message_id and tx.first(
        text(
            "SELECT s.row_number, r.bulk_run_id, r.name FROM sends AS s"
            " JOIN bulk_runs AS r ON r.bulk_run_id = s.bulk_run_id WHERE s.message_id = :id"
        ),
        {"id": message_id},
    )
    return dict(row._mapping) if row else None
