"""Lists and runs for the tests of sending lists."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from sending import (
    FAST,
    NUMBER,
    anybody,
    rows,
)
from sqlalchemy import text

from sender.bulk_again import Again
from sender.bulk_check import Terms
from sender.bulk_load import Load
from store import bulk_runs, claims
from store.bulk_runs import NewRun, Run
from store.claims import Hunt
from store.database import Database
from store.outcomes import error_json

HEAD = "to,reference,1\n"


def listed(folder: Path, count: int, *bad: int) -> Path:
    """A CSV; the rows `bad`, from 0, have a number that cannot be used."""
    file = folder / f"list-{secrets.token_hex(3)}.csv"
    people = (f"{'12' if n in bad else anybody()},order-{n},Person {n}\n" for n in range(count))
    file.write_text(HEAD + "".join(people))
    return file


def begun(database: Database, file: Path, run_id: str = "run", **more: object) -> Run:
    new = NewRun(run_id, file.name, str(file), run_id.encode(), NUMBER, "hello", "en", **more)  # type: ignore[arg-type]
    with database.write() as tx:
        assert bulk_runs.begin(tx, new, time.time())
    return found(database, run_id)


def found(database: Database, run_id: str = "run") -> Run:
    with database.read() as tx:
        run = bulk_runs.find(tx, run_id)
    assert run is not None
    return run


def terms(run: Run) -> Terms:
    return Terms(run.bulk_run_id, run.phone_number_id, run.template, run.language, run.valid_for)


def load(
    database: Database, run: Run, clock: Callable[[], float] = time.time, again: Again | None = None
) -> Load:
    return Load(database, run, terms(run), clock=clock, random=secrets.token_bytes, again=again)


def taken_in(database: Database, file: Path, run_id: str = "run", **more: object) -> Run:
    load(database, begun(database, file, run_id, **more)).take_in(lambda: False)
    return found(database, run_id)


def claim(database: Database, room: int = 4) -> list[str]:
    with database.write() as tx:
        hunt = Hunt(secrets.token_hex(4), 60.0, room, FAST, horizon=1.0)
        return [one.message_id for one in claims.claim_due(tx, time.time(), hunt).claimed]


def of_run(database: Database, run_id: str = "run") -> list[dict[str, object]]:
    return rows(database, "SELECT * FROM sends WHERE bulk_run_id = :id ORDER BY row_number", id=run_id)


def refuse(database: Database, line: int, by: str, code: int | None = None) -> None:
    statement = (
        "UPDATE sends SET state = 'refused', refused_by = :by, error = :error WHERE row_number = :line"
    )
    with database.write() as tx:
        tx.run(text(statement), {"line": line, "by": by, "error": error_json("No.", code=code)})
