"""Traffic for a job that reads along: sends, answers and statuses of days, late, twice, out of order."""

import random
from datetime import date, timedelta
from itertools import count

from sqlalchemy import text
from story_seeds import CLAIM, PHONE, SHOP, START, WINDOW_CLOSED, ours

from store import sends
from store.apply import Understood, apply
from store.database import Database
from store.outcomes import Ended
from store.records import AttemptEnd, NewSend, Parsed, StatusUpdate
from store.times import rfc3339

DAYS = 4
SINCE = date(2026, 11, 22)
UNTIL = SINCE + timedelta(days=DAYS - 1)
COURSES = (  # what Meta says of a message, and in which order we hear it
    ("sent", "delivered", "read"),
    ("read", "delivered", "sent"),
    ("delivered", "sent", "delivered"),
    ("read",),
    ("sent", "failed"),
    ("failed", "delivered"),
    ("played", "read"),
    ("sent", "shown_on_a_watch"),
    ("shown_on_a_watch",),
    (),
)


class Traffic:
    """Writes rounds, the same ones for the same seed."""

    def __init__(self, database: Database, seed: int) -> None:
        self._database = database
        self._chance = random.Random(seed)
        self._messages, self._webhooks = count(1), count(1)
        self._waiting: list[StatusUpdate] = []

    def round(self) -> None:
        taken = [self._send() for _ in range(8)]
        self._waiting += [one for n in taken for one in self._course(f"wamid.{n:06d}", n)]
        self._waiting += self._course(f"stranger.{taken[0]:06d}", None)
        self._chance.shuffle(self._waiting)  # so some are heard before we have the answer
        self._hear(self._waiting[:12])
        self._answers(taken)
        self._hear(self._waiting[10:20])  # two of them again
        self._waiting = self._waiting[20:]

    def last(self) -> None:
        """What is still on its way arrives."""
        while self._waiting:
            self._hear(self._waiting[:20])
            self._waiting = self._waiting[20:]

    def _send(self) -> int:
        n = next(self._messages)
        new = NewSend(
            message_id=_id(n),
            phone_number_id=SHOP,
            recipient_typed=f"+{PHONE}",
            recipient=PHONE,
            type="text",
            payload=b"{}",
            payload_digest=b"digest",
            expires_at=START + DAYS * 86_400,
            reference=f"order-{n}",
        )
        with self._database.write() as tx:
            sends.submit(tx, new, START + n % DAYS * 86_400 + 0.25, CLAIM)
        return n

    def _answers(self, taken: list[int]) -> None:
        """One batch: mostly accepted, each tenth refused, each eleventh unknown, settled by its statuses."""
        ends = []
        for n in taken:
            at = START + n % DAYS * 86_400 + 1
            end = AttemptEnd("accepted", at, http_status=200, wamid=f"wamid.{n:06d}")
            if n % 10 == 0:
                end = AttemptEnd("refused", at, http_status=400, refused_by="meta", error='{"code":100}')
            elif n % 11 == 0:
                end = AttemptEnd("unknown", at, error='{"code":null}')
            ends.append(Ended(_id(n), 1, CLAIM, end))
        with self._database.write() as tx:
            sends.record_outcomes(tx, ends)

    def _course(self, wamid: str, n: int | None) -> list[StatusUpdate]:
        if n is not None and n % 10 == 0:
            return []
        words = self._chance.choice(COURSES)
        participants = ("", "") if self._chance.random() < 0.8 else ("919876543001", "919876543002")
        day = (n or 0) % DAYS * 86_400
        return [
            StatusUpdate(
                wamid,
                participants[place % 2],
                word,
                int(START) + day + 60 * place,
                "131047" if word == "failed" else "",
                phone_number_id=SHOP,
                errors=WINDOW_CLOSED if word == "failed" else None,
                callback_data=None if n is None else ours(_id(n)),
            )
            for place, word in enumerate(words)
        ]

    def _hear(self, updates: list[StatusUpdate]) -> None:
        webhook = next(self._webhooks)
        heard = Understood(webhook, START + webhook % DAYS * 86_400 + 2.5, Parsed(tuple(updates)))
        with self._database.write() as tx:
            apply(tx, [heard], START + 3)


def _id(n: int) -> str:
    return f"01900000-0000-7000-8000-{n:012x}"


def stored_updates(database: Database) -> set[tuple[str, str, str, str | None, str]]:
    with database.read() as tx:
        found = tx.all(
            text("SELECT wamid, participant, status, occurred_at, error_codes FROM status_updates")
        )
    return {(r.wamid, r.participant, r.status, rfc3339(r.occurred_at), r.error_codes) for r in found}


def stored_attempts(database: Database) -> set[tuple[str, int, str, int | None, str | None]]:
    with database.read() as tx:
        found = tx.all(
            text("SELECT message_id, number, outcome, http_status, ended_at FROM attempt_outcomes")
        )
    return {(r.message_id, r.number, r.outcome, r.http_status, rfc3339(r.ended_at)) for r in found}
