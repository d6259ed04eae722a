"""Our sending numbers: how fast each may send, and whether it, or the whole account, is held.

A hold has a reason and mostly an end. After the end one message is tried alone, and only what becomes of it
frees the others (`tried`); so a wrong key costs one refused message in a while, not a queue of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text

from store.database import ReadTx, WriteTx
from store.lists import among, given
from store.records import NumberWord

ACCOUNT = ""  # stands for all numbers
FOREVER = 253_402_300_799.0  # the last second of the year 9999: until a person resumes
TRIAL_SECONDS = 60.0  # how long the one message on trial may take before the next is tried


@dataclass(frozen=True, slots=True)
class Standing:
    """One number, or with phone_number_id '' the whole account."""

    phone_number_id: str
    rate: float | None = None  # messages a second; None: the default
    paused_until: float | None = None  # Unix seconds; FOREVER: until a person resumes it
    paused_reason: str | None = None
    default_country: str | None = None
    display_number: str | None = None

    def paused(self, now: float) -> bool:
        return self.paused_until is not None and self.paused_until > now

    def on_trial(self, now: float) -> bool:
        """Its hold is over, but nothing has gone well since."""
        return self.paused_until is not None and self.paused_until <= now


_LEARN = text(
    "INSERT INTO numbers (phone_number_id, waba_id, display_number) VALUES (:id, :waba, :display)"
    " ON CONFLICT (phone_number_id) DO UPDATE SET waba_id = excluded.waba_id,"
    " display_number = excluded.display_number"
)
_COLUMNS = "phone_number_id, rate, paused_until, paused_reason, default_country, display_number"


def standing(tx: ReadTx, phone_number_ids: Iterable[str]) -> dict[str, Standing]:
    """How these numbers stand; one without a row is unheld and has the default rate."""
    wanted = sorted(set(phone_number_ids))
    rows = tx.all(
        text(f"SELECT {_COLUMNS} FROM numbers WHERE phone_number_id {among(tx, 'ids')}"),
        {"ids": given(tx, wanted)},
    )
    return {number: Standing(number) for number in wanted} | {row.phone_number_id: _of(row) for row in rows}


def every(tx: ReadTx) -> list[Standing]:
    """All that are known, the account ('') first when it ever was held."""
    return [_of(row) for row in tx.all(text(f"SELECT {_COLUMNS} FROM numbers ORDER BY phone_number_id"))]


def rate(tx: ReadTx, phone_number_id: str, default: float = 80.0) -> float:
    """Messages a second."""
    return standing(tx, [phone_number_id])[phone_number_id].rate or default


def set_rate(tx: WriteTx, phone_number_id: str, messages_a_second: float | None) -> None:
    """None: the default again."""
    statement = (
        "INSERT INTO numbers (phone_number_id, rate) VALUES (:id, :rate)"
        " ON CONFLICT (phone_number_id) DO UPDATE SET rate = excluded.rate"
    )
    tx.run(text(statement), {"id": phone_number_id, "rate": messages_a_second})


def learn(tx: WriteTx, words: Iterable[NumberWord]) -> None:
    """Whose numbers they are; the last word counts. It is hardly ever news, and then nothing is locked."""
    said = {one.phone_number_id: one for one in words}
    if not said:
        return
    columns = "phone_number_id, waba_id, display_number"
    statement = f"SELECT {columns} FROM numbers WHERE phone_number_id {among(tx, 'ids')}"
    rows = tx.all(text(statement), {"ids": given(tx, sorted(said))})
    known = {row.phone_number_id: (row.waba_id, row.display_number) for row in rows}
    news = []
    for number, one in sorted(said.items()):
        before = known.get(number, (None, None))
        after = (one.waba_id, one.display_number or before[1])
        if after != before:
            news.append({"id": number, "waba": after[0], "display": after[1]})
    if news:
        tx.run(_LEARN, news)


def pause(tx: WriteTx, phone_number_id: str, reason: str, now: float, *, until: float | None = None) -> bool:
    """Hold a number, or with ACCOUNT all of them, until a time or a person (None); whether it was free.

    Of several holds the one that ends last counts, with its reason; only the first is news.
    """
    end = FOREVER if until is None else until
    lock = " FOR UPDATE" if tx.postgres else ""
    held = text(f"SELECT paused_until FROM numbers WHERE phone_number_id = :id{lock}")
    before = tx.value(held, {"id": phone_number_id})
    statement = (
        "INSERT INTO numbers (phone_number_id, paused_until, paused_reason) VALUES (:id, :until, :reason)"
        " ON CONFLICT (phone_number_id) DO UPDATE SET"
        " paused_until = excluded.paused_until, paused_reason = excluded.paused_reason"
        " WHERE numbers.paused_until IS NULL OR numbers.paused_until < excluded.paused_until"
    )
    changed = tx.run(text(statement), {"id": phone_number_id, "until": end, "reason": reason})
    return bool(changed) and (before is None or before <= now)


def resume(tx: WriteTx, phone_number_id: str) -> bool:
    """Release a number, or with ACCOUNT what holds them all; whether it was held."""
    statement = (
        "UPDATE numbers SET paused_until = NULL, paused_reason = NULL"
        " WHERE phone_number_id = :id AND paused_until IS NOT NULL"
    )
    return bool(tx.run(text(statement), {"id": phone_number_id}))


def try_one(tx: WriteTx, phone_number_id: str, now: float) -> float | None:
    """Take the right to send the one message that is tried after a hold, for `tried`; one process gets it."""
    until = now + TRIAL_SECONDS
    statement = (
        "UPDATE numbers SET paused_until = :until"
        " WHERE phone_number_id = :id AND paused_until IS NOT NULL AND paused_until <= :now"
    )
    return until if tx.run(text(statement), {"id": phone_number_id, "now": now, "until": until}) else None


def tried(tx: WriteTx, phone_number_id: str, until: float) -> None:
    """The message on trial went well: free the number (or the account), unless it was held anew."""
    statement = (
        "UPDATE numbers SET paused_until = NULL, paused_reason = NULL"
        " WHERE phone_number_id = :id AND paused_until = :until"
    )
    tx.run(text(statement), {"id": phone_number_id, "until": until})


def _of(row: Row[Any]) -> Standing:
    return Standing(*row)
