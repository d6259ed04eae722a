"""Counts of what needs a person."""

from dataclasses import dataclass

from sqlalchemy import text

from store.database import ReadTx


@dataclass(frozen=True, slots=True)
class Worries:
    unknown: int
    sent_twice: int  # must stay 0
    quarantine: int  # open parts


def counted(tx: ReadTx) -> Worries:
    def count(what: str) -> int:
        return int(tx.value(text(f"SELECT count(*) FROM {what}")))

    return Worries(
        unknown=count("sends WHERE state = 'unknown'"),
        sent_twice=count("sent_twice"),
        quarantine=count("quarantine WHERE closed_at IS NULL"),
    )
