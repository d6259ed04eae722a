"""The audit log: who looked at what and who changed what. Rows are added here and nowhere changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from store.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `number`: the phone_number_id it is about, '' when none. `at`: Unix seconds."""

    id: int
    at: float
    who: str
    action: str
    target: str
    reason: str
    number: str


def record(
    tx: WriteTx, *, at: float, who: str, action: str, target: str = "", reason: str = "", number: str = ""
) -> None:
    """Add a line. `who`: a user's name, "token:<id>" or "command"; `action`: a word such as reveal."""
    tx.run(
        text(
            "INSERT INTO audit_log (at, who, action, target, reason, number)"
            " VALUES (:at, :who, :action, :target, :reason, :number)"
        ),
        {"at": at, "who": who, "action": action, "target": target, "reason": reason, "number": number},
    )


def signed_in_from(tx: ReadTx, who: str, address: str, since: float) -> bool:
    """Whether this person has signed in from this address since then, as `sign_in` entries tell."""
    statement = (
        "SELECT 1 FROM audit_log WHERE who = :who AND action = 'sign_in' AND reason = :reason"
        " AND at >= :since LIMIT 1"
    )
    values = {"who": who, "reason": from_address(address), "since": since}
    return tx.value(text(statement), values) is not None


def from_address(address: str) -> str:
    """The reason of an entry about signing in."""
    return f"from {address}"


def listed(
    tx: ReadTx, *, who: str = "", action: str = "", before: int | None = None, limit: int = 100
) -> Sequence[Entry]:
    """The newest lines first, those before a line's id, of one person or action when so asked."""
    asked = {"who": who, "action": action, "before": before}
    conditions = {"who": "who = :who", "action": "action = :action", "before": "id < :before"}
    chosen = [conditions[name] for name, value in asked.items() if value]
    rows = tx.all(
        text(
            "SELECT id, at, who, action, target, reason, number FROM audit_log"
            + (f" WHERE {' AND '.join(chosen)}" if chosen else "")
            + " ORDER BY id DESC LIMIT :limit"
        ),
        {**{name: value for name, value in asked.items() if value}, "limit": limit},
    )
    return [Entry(**row._mapping) for row in rows]


def actions(tx: ReadTx) -> list[str]:
    """Every action that stands in the log: a jump along the index from one word to the next."""
    found: list[str] = []
    while True:
        after = tx.value(
            text("SELECT min(action) FROM audit_log WHERE action > :after"),
            {"after": found[-1] if found else ""},
        )
        if after is None:
            return found
        found.append(after)
