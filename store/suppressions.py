"""Who wants no more of a kind of message. The newest word counts; in one second, stop beats resume."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, text

from store.bulk import BIGINT, BOOLEAN, TEXT, Bulk
from store.database import ReadTx, WriteTx
from store.lists import among, given
from store.records import Preference

MARKETING = "marketing_messages"
_WRITE = Bulk(
    table="suppressions",
    columns=(
        ("identity", TEXT),
        ("category", TEXT),
        ("stopped", BOOLEAN),
        ("occurred_at", BIGINT),
        ("source", TEXT),
        ("note", TEXT),
    ),
    conflict=(
        "ON CONFLICT (identity, category) DO UPDATE SET stopped = excluded.stopped,"
        " occurred_at = excluded.occurred_at, source = excluded.source, note = excluded.note"
        " WHERE (excluded.occurred_at, excluded.stopped) > (suppressions.occurred_at, suppressions.stopped)"
    ),
)


def record(
    tx: WriteTx, preferences: Iterable[Preference], source: str = "meta", note: str | None = None
) -> int:
    """Write down what people said; how many rows changed."""
    newest: dict[tuple[str, str], Preference] = {}
    for one in preferences:
        known = newest.setdefault((one.identity, one.category), one)
        if (one.occurred_at, one.stopped) > (known.occurred_at, known.stopped):
            newest[one.identity, one.category] = one
    rows = [(*key, newest[key].stopped, newest[key].occurred_at, source, note) for key in sorted(newest)]
    return _WRITE.run(tx, rows)


def stopped(tx: ReadTx, identity: str, category: str = MARKETING) -> bool:
    return identity in stopped_of(tx, [identity], category)


def stopped_of(tx: ReadTx, identities: Sequence[str], category: str = MARKETING) -> frozenset[str]:
    """Those of them who want no more of it."""
    if not identities:
        return frozenset()
    statement = (
        "SELECT identity FROM suppressions WHERE category = :category AND stopped"
        f" AND identity {among(tx, 'identities')}"
    )
    values = {"category": category, "identities": given(tx, sorted(set(identities)))}
    return frozenset(row.identity for row in tx.all(text(statement), values))


def set_by_person(
    tx: WriteTx, identity: str, stop: bool, note: str | None, now: float, category: str = MARKETING
) -> Row[Any] | None:
    """Stop or resume by hand; what stood before. It counts over all that is known now."""
    before = find(tx, identity, category)
    at = int(now)
    if before is not None:
        at = max(at, before.occurred_at + 1)
    record(tx, [Preference(identity, category, stop, at)], source="person", note=note)
    return before


def find(tx: ReadTx, identity: str, category: str = MARKETING) -> Row[Any] | None:
    statement = "SELECT * FROM suppressions WHERE identity = :identity AND category = :category"
    return tx.first(text(statement), {"identity": identity, "category": category})


def listed(tx: ReadTx, most: int, after: tuple[str, str] = ("", "")) -> Sequence[Row[Any]]:
    """Those who are stopped, in the order of (identity, category), from behind `after`."""
    statement = "SELECT * FROM suppressions WHERE stopped AND (identity, category) > (:identity, :category)"
    statement += " ORDER BY identity, category LIMIT :most"
    return tx.all(text(statement), {"identity": after[0], "category": after[1], "most": most})
