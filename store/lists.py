"""A list as one parameter: an array on PostgreSQL, JSON on SQLite, so that the statement never changes."""

import json
from collections.abc import Sequence
from typing import Any

from store.database import ReadTx


def among(tx: ReadTx, name: str) -> str:
    """The right-hand side of `column ...` for the parameter `name`, made by `given`."""
    return f"= ANY(:{name})" if tx.postgres else f"IN (SELECT value FROM json_each(:{name}))"


def given(tx: ReadTx, values: Sequence[Any]) -> Any:
    return list(values) if tx.postgres else json.dumps(list(values))


def pairs(tx: ReadTx, first: str, second: str) -> str:
    """A FROM item `pair(a, b)` out of two text list parameters of equal length."""
    if tx.postgres:
        return f"unnest(CAST(:{first} AS text[]), CAST(:{second} AS text[])) AS pair(a, b)"
    return (
        f"(SELECT f.value AS a, s.value AS b FROM json_each(:{first}) AS f"
        f" JOIN json_each(:{second}) AS s ON s.key = f.key) AS pair"
    )
