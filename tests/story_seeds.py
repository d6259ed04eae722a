"""Rows for the tests of pages and APIs, written by the store's own verbs."""

import json
from collections.abc import Iterator
from typing import Any

from store import apply, sends, stories, tokens, webhooks
from store.database import Database
from store.records import AttemptEnd, NewSend, Parsed, StatusUpdate
from store.sends import Claim
from store.stories import Story
from whatsapp import callback_data

START = 1_795_341_600.0  # 2026-11-22T10:00:00Z
CLAIM = Claim("claim-1", START + 60)
PHONE = "919876543678"
SHOP, BANK = "12772361041857", "22772361041857"
WINDOW_CLOSED = json.dumps(
    [
        {
            "code": 131047,
            "title": "Re-engagement message",
            "error_data": {"details": "Message failed to send because more than 24 hours have passed"},
        }
    ]
)


class Seeds:
    """Writes messages into a database; ids are counted, times are seconds after START."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._count = 0
        self._webhooks = 0

    def send(self, *, at: float = 0.0, **fields: Any) -> str:
        """A message that is being posted; its message_id."""
        self._count += 1
        message_id = f"01900000-0000-7000-8000-{self._count:012x}"
        values: dict[str, Any] = {
            "phone_number_id": SHOP,
            "recipient_typed": f"+{PHONE}",
            "recipient": PHONE,
            "type": "text",
            "payload": b"{}",
            "payload_digest": b"digest",
            "expires_at": START + 86_400,
            **fields,
        }
        with self.database.write() as tx:
            sends.submit(tx, NewSend(message_id=message_id, **values), START + at, CLAIM)
        return message_id

    def ended(self, message_id: str, outcome: str, *, at: float = 0.5, **fields: Any) -> None:
        with self.database.write() as tx:
            sends.record_outcome(tx, message_id, 1, CLAIM, AttemptEnd(outcome, START + at, **fields))

    def accepted(self, wamid: str, *, at: float = 0.0, **fields: Any) -> str:
        message_id = self.send(at=at, **fields)
        self.ended(message_id, "accepted", at=at + 0.442, http_status=200, wamid=wamid)
        return message_id

    def status(self, wamid: str, status: str, at: int, **fields: Any) -> None:
        """What Meta says happened `at` seconds after START; it arrives 0.5 s later."""
        update = StatusUpdate(
            **{"participant": "", "error_codes": "", **fields},
            wamid=wamid,
            status=status,
            occurred_at=int(START) + at,
        )
        self._webhooks += 1
        with self.database.write() as tx:
            webhooks.keep(tx, [webhooks.Incoming(b"{}", START + at + 0.5)])
        understood = apply.Understood(self._webhooks, START + at + 0.5, Parsed(updates=(update,)))
        with self.database.write() as tx:
            apply.apply(tx, [understood], START + at + 0.6)

    def failed(self, wamid: str, at: int, **fields: Any) -> None:
        self.status(wamid, "failed", at, error_codes="131047", errors=WINDOW_CLOSED, **fields)

    def stranger(self, wamid: str, at: int = 0, callers: str | None = None) -> None:
        """A message that somebody else sent from one of our numbers."""
        self.status(
            wamid, "delivered", at, phone_number_id=BANK, recipient_id=PHONE, callback_data=callers or None
        )

    def token(self, role: str = "reporter", *numbers: str) -> str:
        self._count += 1
        with self.database.write() as tx:
            return tokens.create(tx, "a job", role, numbers, START, f"{self._count:A>43}")

    def story(self, key: str) -> Story:
        with self.database.read() as tx:
            found = stories.story(tx, key)
        assert found is not None
        return found


def ours(message_id: str, callers: str | None = None) -> str:
    return callback_data.join(message_id, callers)


def opened(url: str) -> Iterator[Seeds]:
    database = Database(url)
    yield Seeds(database)
    database.close()
