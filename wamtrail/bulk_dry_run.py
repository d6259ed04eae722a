"""`wamtrail send bulk --dry-run`: every row that cannot be sent, and what the rest costs and takes."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from wamtrail.settings import Settings

if TYPE_CHECKING:
    from sender.bulk_check import Terms
    from sender.bulk_estimate import Cost
    from store.database import Database


def dry_run(settings: Settings, database: "Database", file: Path, terms: "Terms") -> int:
    """The exit code: 0 when every row can be sent."""
    from collections import Counter

    from sender import bulk_estimate, bulk_load
    from sender.bulk_estimate import Kinds
    from wamtrail.bulk_running import read_or_fail
    from wamtrail.opening import clock

    kinds: Kinds = Counter()
    valid = unusable = 0
    with read_or_fail(file):
        for checked in bulk_load.dry_run(database, file, terms, clock, secrets.token_bytes):
            for fault in checked.faults:
                print(f"line {fault.line}: {fault.reason}")
            valid, unusable = valid + len(checked.sends), unusable + len(checked.faults)
            bulk_estimate.count(kinds, checked.sends)
    with database.read() as tx:
        cost = bulk_estimate.cost(tx, kinds, settings.currency, clock())
        time = bulk_estimate.seconds(tx, terms.phone_number_id, valid)
    print(f"{valid:,} rows can be sent, {unusable:,} cannot.")
    _tell_cost(cost, valid, charged=settings.budget() is not None)
    print(f"At the number's pace it takes {bulk_estimate.spelled(time)}. Nothing was sent.")
    return 1 if unusable or not valid else 0


def _tell_cost(cost: "Cost", valid: int, *, charged: bool) -> None:
    from store.money import shown

    without = sum(cost.unpriced.values())
    if without and without == valid:
        print("The cost is not known: import a rate card with `wamtrail rates import FILE.csv`.")
        return
    print(f"It costs about {shown(cost.amount, cost.currency)}.")
    for (market, category), count in sorted(cost.unpriced.items()):
        print(f"Without a rate: {count:,} rows of market {market}, category {category}.")
    if charged and cost.amount > (cost.balance or 0):
        print(f"The balance is not enough: {shown(cost.balance or 0, cost.currency)} are available.")
