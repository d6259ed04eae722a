"""Who wants no more of a kind of message. The newest word counts; in one second, stop beats resume."""

from collections.abc import Iterable

from sqlalchemy import text

from store.bulk import BIGINT, BOOLEAN, TEXT, Bulk
from store.database import WriteTx
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


def stopped(tx: WriteTx, identity: str, category: str = MARKETING) -> bool:
    statement = "SELECT stopped FROM suppressions WHERE identity = :identity AND category = :category"
    return bool(tx.value(text(statement), {"identity": identity, "category": category}))
