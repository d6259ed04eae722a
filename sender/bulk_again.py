"""Which rows of a finished run are worth sending again."""

import json
from collections.abc import Sequence

from sender.bulk_lines import Fault, Row
from store import bulk_results
from store.bulk_runs import Run
from store.database import ReadTx
from whatsapp.catalogue import catalogue

_NEVER_HERE = ("list", "recipient", "person")  # what stopped these is the same the next time


class Again:
    """Picks the refused rows of `run` out of its list. `every`: also those that will be refused again."""

    def __init__(self, run: Run, *, every: bool) -> None:
        self._run, self._every = run, every

    def wanted(self, tx: ReadTx, rows: Sequence[Row | Fault]) -> list[Row | Fault]:
        refused = bulk_results.refused(tx, self._run, [row.line for row in rows])
        return [row for row in rows if row.line in refused and (self._every or helps(*refused[row.line]))]


def helps(by: str, error: str | None) -> bool:
    """Whether sending it again may end otherwise. What we refused ourselves was late, unpaid or held back by
    a template that may be free by now; of Meta's and Kaleyra's refusals the catalogue tells. What stops all
    sending (a wrong key) is no fault of the row."""
    if by in _NEVER_HERE:
        return False
    if by in ("wamtrail", "template"):
        return True
    found = json.loads(error) if error else {}
    entry = catalogue().lookup(found.get("code"), subcode=found.get("subcode"))
    return entry.known and (entry.retryable != "never" or entry.stops != "none")
