"""Column types that mean the same on SQLite and PostgreSQL, and the naming rule of constraints.

Times are Unix seconds UTC: Meta's event times are whole (`moment`), our own carry a fraction (`clock`).
Identifiers compare byte by byte on both databases (`ident`), whatever the locale of the server.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, Text
from sqlalchemy import text as sql
from sqlmodel import SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING

BIG = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only a plain INTEGER key
IDENT = Text(collation="C").with_variant(Text(), "sqlite")  # SQLite's default is byte order already


def ident(**options: Any) -> Column[str]:
    """An opaque id, case-sensitive: wamid, phone_number_id, reference ..."""
    return Column(IDENT, **_required(options))


def text(**options: Any) -> Column[str]:
    """Words and JSON; JSON is kept as canonical text, so that equal values are equal bytes."""
    return Column(IDENT, **_required(options))


def moment(**options: Any) -> Column[int]:
    """Meta's event time, whole Unix seconds."""
    return Column(BIG, **_required(options))


def integer(**options: Any) -> Column[int]:
    return Column(BIG, **_required(options))


def clock(**options: Any) -> Column[float]:
    """Our own time, Unix seconds with a fraction."""
    return Column(Double(), **_required(options))


def blob(**options: Any) -> Column[bytes]:
    return Column(LargeBinary(), **_required(options))


def where(condition: str) -> dict[str, Any]:
    """An index over some rows only, on both databases."""
    return {"postgresql_where": sql(condition), "sqlite_where": sql(condition)}


def _required(options: dict[str, Any]) -> dict[str, Any]:
    """NOT NULL unless said otherwise."""
    return {"nullable": False, **options} if not options.get("primary_key") else options
