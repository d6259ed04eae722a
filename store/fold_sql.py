"""The fold as SQL: folded rows merge into what the table holds, on both databases.

SQLite's scalar min is NULL when either side is, PostgreSQL's least ignores NULL; both are written out with
coalesce, which means the same on both. A row that would not change is not written at all.
"""

from store.bulk import BIGINT, DOUBLE, TEXT, Bulk, Column
from store.fold import COLUMNS, PARTICIPANT_COLUMNS, TIMES, VALUES


def _smallest(table: str, name: str) -> str:
    old, new = f"{table}.{name}", f"excluded.{name}"
    return f"CASE WHEN {new} < {old} OR {old} IS NULL THEN {new} ELSE {old} END"


def _value_wins(table: str, name: str, sign: str) -> str:
    """Whether the new (order, value) beats the old; never true when the new one is absent."""
    old, new = f"{table}.{name}", f"excluded.{name}"
    return (
        f"({new} IS NOT NULL AND ({old} IS NULL OR {new}_order {sign} {old}_order"
        f" OR ({new}_order = {old}_order AND {new} {sign} {old})))"
    )


def _merge(table: str, values: tuple[str, ...]) -> str:
    """SET ... WHERE ... of the upsert."""
    minima = (*TIMES.values(), "first_seen_at")
    sets = [f"{name} = {_smallest(table, name)}" for name in minima]
    changes = [
        f"(excluded.{name} < {table}.{name} OR ({table}.{name} IS NULL AND excluded.{name} IS NOT NULL))"
        for name in minima
    ]
    for name, sign in (*((value, ">") for value in values), ("error", "<")):
        wins = _value_wins(table, name, sign)
        changes.append(wins)
        sets += [
            f"{column} = CASE WHEN {wins} THEN excluded.{column} ELSE {table}.{column} END"
            for column in (name, f"{name}_order")
        ]
    return f"SET {', '.join(sets)} WHERE {' OR '.join(changes)}"


def _typed(names: tuple[str, ...]) -> tuple[Column, ...]:
    def kind(name: str) -> str:
        if name == "first_seen_at":
            return DOUBLE
        return BIGINT if name.endswith(("_at", "_order")) else TEXT

    return tuple((name, kind(name)) for name in names)


MERGE_MESSAGES = Bulk(
    table="messages",
    columns=(("wamid", TEXT), *_typed(COLUMNS)),
    conflict=f"ON CONFLICT (wamid) DO UPDATE {_merge('messages', VALUES)}",
)
MERGE_PARTICIPANTS = Bulk(
    table="participants",
    columns=(("wamid", TEXT), ("participant", TEXT), *_typed(PARTICIPANT_COLUMNS)),
    conflict=f"ON CONFLICT (wamid, participant) DO UPDATE {_merge('participants', ())}",
)
