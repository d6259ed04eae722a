"""Bulk runs: begun, held, released, taken back, finished, and how each stands.

Holding a run touches one row: claims ask which runs may send (`store.bulk_claims`). Only what is taken back
is written down row by row, in short transactions, while nothing of it can be claimed any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from store.bulk_claims import OPEN
from store.database import ReadTx, WriteTx
from store.lists import among, given

MOST = 500  # rows of one transaction
LOOKED_AFTER = 31 * 86_400.0  # seconds; no row is valid for longer


@dataclass(frozen=True, slots=True)
class NewRun:
    """A list that somebody wants to have sent. `digest`: of its bytes and of how it is sent."""

    bulk_run_id: str
    name: str
    path: str
    digest: bytes
    phone_number_id: str
    template: str | None = None
    language: str | None = None
    valid_for: float | None = None
    retry_of: str | None = None
    retry_all: bool = False


@dataclass(frozen=True, slots=True)
class Run(NewRun):
    """`read_to`: line up to which the list was taken in. Times in Unix seconds."""

    repetition: int = 0
    state: str = "preparing"
    read_to: int = 0
    valid: int = 0
    invalid: int = 0
    created_at: float = 0.0
    loaded_at: float | None = None
    finished_at: float | None = None

    @property
    def rows(self) -> int:
        return self.valid + self.invalid

    @property
    def open(self) -> bool:
        return self.state in ("preparing", "running")


_NEW = tuple(NewRun.__dataclass_fields__)
_ALL = tuple(Run.__dataclass_fields__)
_SELECT = f"SELECT {', '.join(_ALL)} FROM bulk_runs"
_INSERT = text(
    f"INSERT INTO bulk_runs ({', '.join(_NEW)}, repetition, state, read_to, valid, invalid, created_at)"
    f" VALUES ({', '.join(f':{name}' for name in _NEW)}, :repetition, 'preparing', 0, 0, 0, :now)"
    " ON CONFLICT (digest, repetition) DO NOTHING"
)


def begin(tx: WriteTx, new: NewRun, now: float, repetition: int = 0) -> bool:
    """Whether it was begun; False: this list is there already, so often."""
    values = {name: getattr(new, name) for name in _NEW}
    return bool(tx.run(_INSERT, {**values, "repetition": repetition, "now": now}))


def find(tx: ReadTx, bulk_run_id: str) -> Run | None:
    row = tx.first(text(f"{_SELECT} WHERE bulk_run_id = :id"), {"id": bulk_run_id})
    return _run(row._mapping) if row else None


def same_list(tx: ReadTx, digest: bytes) -> list[Run]:
    """The runs of this list, the newest first."""
    rows = tx.all(text(f"{_SELECT} WHERE digest = :digest ORDER BY repetition DESC"), {"digest": digest})
    return [_run(row._mapping) for row in rows]


def retries(tx: ReadTx, bulk_run_id: str) -> list[Run]:
    """The runs that sent its refused rows again, the newest first."""
    rows = tx.all(text(f"{_SELECT} WHERE retry_of = :id ORDER BY created_at DESC"), {"id": bulk_run_id})
    return [_run(row._mapping) for row in rows]


def newest(tx: ReadTx, most: int) -> list[Run]:
    statement = f"{_SELECT} ORDER BY created_at DESC, bulk_run_id DESC LIMIT :most"
    return [_run(row._mapping) for row in tx.all(text(statement), {"most": most})]


def in_state(tx: ReadTx, *states: str) -> list[Run]:
    statement = f"{_SELECT} WHERE state {among(tx, 'states')} ORDER BY created_at"
    return [_run(row._mapping) for row in tx.all(text(statement), {"states": given(tx, states)})]


def states(tx: ReadTx, bulk_run_id: str) -> dict[str, int]:
    """How many of its messages are in which state of `sends`. Reads every row of the run."""
    statement = "SELECT state, count(*) AS n FROM sends WHERE bulk_run_id = :id GROUP BY state"
    return {row.state: int(row.n) for row in tx.all(text(statement), {"id": bulk_run_id})}


def pause(tx: WriteTx, bulk_run_id: str) -> bool:
    """Nothing of it is claimed from the next claim on; whether it was on its way."""
    return _set(tx, bulk_run_id, "'paused'", OPEN)


def resume(tx: WriteTx, bulk_run_id: str) -> bool:
    """Whether it was held."""
    state = "CASE WHEN loaded_at IS NULL THEN 'preparing' ELSE 'running' END"
    return _set(tx, bulk_run_id, state, "('paused')")


def cancel(tx: WriteTx, bulk_run_id: str, now: float) -> bool:
    """Nothing of it is claimed from the next claim on, ever; whether it was not over yet.

    Its queued rows are written down by `cancel_rows`.
    """
    held = "('preparing', 'running', 'paused')"
    return _set(tx, bulk_run_id, "'cancelled', finished_at = :now", held, now=now)


def cancel_rows(tx: WriteTx, bulk_run_id: str, now: float, *, keep_payload: bool = False) -> int:
    """Write down `MOST` queued rows of a cancelled run as cancelled; how many, 0 at the end."""
    lock = " FOR UPDATE SKIP LOCKED" if tx.postgres else ""
    rows = tx.all(
        text(f"SELECT message_id FROM sends WHERE state = 'queued' AND bulk_run_id = :id LIMIT :most{lock}"),
        {"id": bulk_run_id, "most": MOST},
    )
    statement = (
        "UPDATE sends SET state = 'cancelled', settled_by = 'person', settled_at = :now,"
        f" payload = CASE WHEN :keep THEN payload END WHERE message_id {among(tx, 'ids')}"
    )
    ids = sorted(row.message_id for row in rows)
    return tx.run(text(statement), {"ids": given(tx, ids), "now": now, "keep": keep_payload}) if ids else 0


def left_behind(tx: ReadTx, now: float) -> list[str]:
    """Cancelled runs that have queued rows: claimed ones that came back, or the cancelling died half-way."""
    statement = (
        "SELECT bulk_run_id FROM bulk_runs AS run WHERE state = 'cancelled' AND finished_at > :since"
        " AND EXISTS (SELECT 1 FROM sends WHERE state = 'queued' AND sends.bulk_run_id = run.bulk_run_id)"
    )
    return [row.bulk_run_id for row in tx.all(text(statement), {"since": now - LOOKED_AFTER})]


def finish(tx: WriteTx, now: float) -> int:
    """Runs that have nothing queued and nothing under way are done; how many."""
    statement = (
        "UPDATE bulk_runs SET state = 'done', finished_at = :now WHERE state = 'running'"
        " AND NOT EXISTS (SELECT 1 FROM sends"
        "  WHERE state = 'queued' AND sends.bulk_run_id = bulk_runs.bulk_run_id)"
        " AND bulk_run_id NOT IN (SELECT bulk_run_id FROM sends"
        "  WHERE state = 'sending' AND lease_until IS NOT NULL AND bulk_run_id IS NOT NULL)"
    )
    return tx.run(text(statement), {"now": now})


def _set(tx: WriteTx, bulk_run_id: str, assignment: str, before: str, **values: Any) -> bool:
    statement = f"UPDATE bulk_runs SET state = {assignment} WHERE bulk_run_id = :id AND state IN {before}"
    return bool(tx.run(text(statement), {"id": bulk_run_id, **values}))


def _run(row: Mapping[Any, Any]) -> Run:
    return Run(**{name: _plain(name, row[name]) for name in _ALL})


def _plain(name: str, value: Any) -> Any:
    """SQLite knows no booleans, and drivers differ in bytes."""
    if name == "digest":
        return bytes(value)
    return bool(value) if name == "retry_all" else value
