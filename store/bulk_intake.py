"""Takes the rows of a list in, some hundreds in one short transaction, each row once.

What was taken in and how far the list was read change together, so a load that is killed goes on where it
was; the unique (run, line) would stop a second copy in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter

from sqlalchemy import text

from store import rates
from store.bulk import BIGINT, BYTES, DOUBLE, TEXT, Bulk
from store.bulk_runs import Run
from store.database import WriteTx
from store.errors import StoreError
from store.records import NewSend

_TYPES = {
    "payload": BYTES,
    "payload_digest": BYTES,
    "expires_at": DOUBLE,
    "priority": BIGINT,
    "row_number": BIGINT,
}
_FIELDS = tuple(NewSend.__dataclass_fields__)
_values = attrgetter(*_FIELDS)
_SENDS = Bulk(
    table="sends",
    columns=(
        *((name, _TYPES.get(name, TEXT)) for name in _FIELDS),
        ("state", TEXT),
        ("queued_at", DOUBLE),
        ("due_at", DOUBLE),
        ("attempts", BIGINT),
    ),
    conflict="ON CONFLICT (bulk_run_id, row_number) DO NOTHING",
)
_PROBLEMS = Bulk(
    table="bulk_problems",
    columns=(
        ("bulk_run_id", TEXT),
        ("row_number", BIGINT),
        ("kind", TEXT),
        ("recipient_typed", TEXT),
        ("reference", TEXT),
        ("reason", TEXT),
    ),
    conflict="ON CONFLICT (bulk_run_id, row_number) DO NOTHING",
)
_READ = text(
    "UPDATE bulk_runs SET read_to = :line, valid = valid + :valid, invalid = invalid + :invalid"
    " WHERE bulk_run_id = :id AND state = 'preparing' AND read_to = :before"
)
_ORDER = 1e-6  # seconds between the due times of two rows: they leave in the list's order


class NotReading(StoreError):
    """The run was held or cancelled meanwhile, or another process takes its list in."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that is not sent. `kind`: list, template or recipient, whichever has to change."""

    row_number: int
    reason: str
    recipient_typed: str = ""
    reference: str | None = None
    kind: str = "list"


def take_in(
    tx: WriteTx, run: Run, line: int, sends: Sequence[NewSend], problems: Sequence[Problem], now: float
) -> None:
    """The list's next rows, read up to `line`. Raises NotReading, and then nothing was taken in."""
    at = rates.clock(tx, now) / rates.MICRO
    rows = [(*_values(one), "queued", at, at + place * _ORDER, 0) for place, one in enumerate(sends)]
    valid = _SENDS.run(tx, sorted(rows, key=itemgetter(0)))  # by message_id
    invalid = _PROBLEMS.run(
        tx,
        [
            (run.bulk_run_id, one.row_number, one.kind, one.recipient_typed, one.reference, one.reason)
            for one in sorted(problems, key=lambda one: one.row_number)
        ],
    )
    values = {"id": run.bulk_run_id, "line": line, "before": run.read_to, "valid": valid, "invalid": invalid}
    if not tx.run(_READ, values):
        raise NotReading(
            f"The bulk run {run.bulk_run_id} was held, cancelled or is read by another process;"
            f" `wamtrail bulk show {run.bulk_run_id}` tells which."
        )


def taken_in(tx: WriteTx, run: Run, now: float) -> bool:
    """The list is read to its end; whether this was its reader."""
    statement = (
        "UPDATE bulk_runs SET state = 'running', loaded_at = :now"
        " WHERE bulk_run_id = :id AND state = 'preparing' AND read_to = :before"
    )
    return bool(tx.run(text(statement), {"id": run.bulk_run_id, "before": run.read_to, "now": now}))
